"""Checks of a graph encoder: what every graph network may count on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import Module

from zoo.device import resolve_device
from zoo.errors import ConfigError
from zoo.factory.encoder import bind_options, find_encoder_spec
from zoo.graph import PixelGraph
from zoo.seeding import use_seed
from zoo.testing.encoders.subject import EncoderSubject, make_grids, make_symmetry_orders, require_close
from zoo.testing.fake_device import check_device
from zoo.testing.models.declaration import check_paper, check_summary
from zoo.testing.models.subject import get_random_states, is_equal
from zoo.testing.report import CheckFailure, NotApplicable, require

EncoderCheck = Callable[[EncoderSubject], None]
State = dict[str, Tensor]


def _copy_state(net: Module) -> State:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


def described(subject: EncoderSubject) -> None:
    """The spec says in one line what the encoder is."""
    check_summary(find_encoder_spec(subject.name))


def paper_named(subject: EncoderSubject) -> None:
    """The spec says where the encoder was published, if only that it was not."""
    check_paper(find_encoder_spec(subject.name))


def same_seed_same_weights(subject: EncoderSubject) -> None:
    """The same seed gives the same weights twice, another seed others."""
    first, again, other = (_copy_state(subject.make(seed=seed)) for seed in (3, 3, 4))
    mend = "draw them with torch's default generator"
    require(is_equal(first, again), "the same seed gave two sets of weights", mend)
    require(not first or not is_equal(first, other), "two seeds gave the same weights", mend)


def weights_not_shared(subject: EncoderSubject) -> None:
    """Two encoders do not share memory."""
    first, second = subject.make(), subject.make()
    places = {tensor.data_ptr() for tensor in first.state_dict().values() if tensor.numel()}
    shared = [name for name, tensor in second.state_dict().items() if tensor.numel() and tensor.data_ptr() in places]
    require(not shared, f"two encoders share the memory of {', '.join(shared)}", "make tensors in the builder")


def unknown_option_refused(subject: EncoderSubject) -> None:
    """An option the encoder does not take is an error, and its complete options are taken back."""
    subject.make(**bind_options(subject.name, subject.options))
    try:
        subject.make(no_such_option=1)
    except ConfigError:
        return
    raise CheckFailure("an unknown option was accepted; give the builder named parameters and no **kwargs")


def nodes_keep_their_shape(subject: EncoderSubject) -> None:
    """Nodes (B, N, width) give finite nodes (B, N, width), on grids of any size and kind."""
    for size in ((5, 5), (3, 6), (1, 4), (7, 7)):
        net = subject.make(size)
        for graph in make_grids(size):
            for batch in (1, 4):
                _check_shape(net, graph, subject.make_nodes(graph, batch))


def _check_shape(net: Module, graph: PixelGraph, nodes: Tensor) -> None:
    found = net(nodes, graph)
    told = f"nodes {tuple(nodes.shape)} on a {graph.height} x {graph.width} grid of {graph.neighbours} neighbours"
    require(found.shape == nodes.shape, f"{told} became {tuple(found.shape)}", "return nodes of the width given")
    require(bool(torch.isfinite(found).all()), f"{told} became NaN or infinite", "divide by no count that may be zero")


def random_state_untouched(subject: EncoderSubject) -> None:
    """Encoding leaves the global random states as they were."""
    graph, net = PixelGraph(5, 5), subject.make()
    with use_seed(1971):  # a state that no encoder would seed by chance
        before = get_random_states()
        net(subject.make_nodes(graph), graph)
        is_kept = get_random_states() == before
    require(is_kept, "a global random state moved", "do not seed, and do not draw in eval mode")


def eval_mode_deterministic(subject: EncoderSubject) -> None:
    """Encoding twice gives the same, and changes no weight or buffer, nor nodes or graph."""
    graph, net = PixelGraph(5, 5), subject.make()
    nodes, before = subject.make_nodes(graph), _copy_state(net)
    given, edges = nodes.clone(), graph.edge_index().clone()
    answers = []
    for seed in (1, 2):
        with use_seed(seed):
            answers.append(net(nodes, graph))
    require(torch.equal(*answers), "the same nodes were encoded in two ways", "draw no numbers in eval mode")
    require(is_equal(before, _copy_state(net)), "encoding changed a weight or buffer", "change none in eval mode")
    untouched = torch.equal(nodes, given) and torch.equal(edges, graph.edge_index())
    require(untouched, "encoding changed the nodes or the graph it was given", "make new tensors")


def gradients_reach_every_weight(subject: EncoderSubject) -> None:
    """Every weight and the nodes get a finite gradient, the nodes' not zero."""
    graph, net = PixelGraph(5, 5), subject.make_perturbed().train()
    nodes = subject.make_nodes(graph).requires_grad_()
    with use_seed(0):
        net(nodes, graph).square().sum().backward()
    without = [name for name, weight in net.named_parameters() if weight.requires_grad and weight.grad is None]
    require(not without, f"no gradient reaches {', '.join(without)}", "remove these weights or use them in forward")
    require(nodes.grad is not None and bool(nodes.grad.any()), "no gradient reaches the nodes", "do not detach them")
    gradients = [each.grad for each in (nodes, *net.parameters()) if each.grad is not None]
    is_finite = all(bool(torch.isfinite(each).all()) for each in gradients)
    require(is_finite, "a gradient is not finite on random nodes", "keep roots and divisions off zero")


def batch_order_kept(subject: EncoderSubject) -> None:
    """A batch in another order gives the same nodes in that order."""
    graph, net, order = PixelGraph(5, 5), subject.make_perturbed(), torch.tensor([2, 0, 3, 1])
    nodes = subject.make_nodes(graph, 4)
    mend = "keep each image's nodes in its own row of the batch"
    require_close(net(nodes[order], graph), net(nodes, graph)[order], "of a batch in another order", mend)


def batch_of_one_equals_batch_of_many(subject: EncoderSubject) -> None:
    """An image's nodes are the same alone as in a batch: no statistics of the batch in eval mode."""
    graph, net = PixelGraph(5, 5), subject.make_perturbed()
    nodes = subject.make_nodes(graph, 4)
    alone = torch.cat([net(each[None], graph) for each in nodes])
    require_close(net(nodes, graph), alone, "of images alone and in a batch", "mix nothing between images in eval mode")


def declared_symmetry_holds(subject: EncoderSubject) -> None:
    """With `symmetry="D4"`, nodes of a turned or mirrored square are the nodes turned or mirrored, to 1e-5."""
    if not find_encoder_spec(subject.name).symmetry:
        raise NotApplicable("it declares no symmetry")
    net, mend = subject.make_perturbed(), "treat all directions alike, or declare no symmetry"
    for graph in make_grids((5, 5)):
        nodes = subject.make_nodes(graph)
        expected = net(nodes, graph)
        for order in make_symmetry_orders(5):
            require_close(net(nodes[:, order], graph), expected[:, order], "of a turned or mirrored grid", mend)


def follows_device_and_dtype(subject: EncoderSubject) -> None:
    """The encoder runs in float64 and on any device, here or not: no tensor is made aside of weights and graph."""
    graph, net = PixelGraph(5, 5), subject.make()
    nodes, mend = subject.make_nodes(graph), "register constants as buffers"
    check_device(_EncoderOnGrid(net, graph), nodes)
    found = net.double()(nodes.double(), graph.double())
    require(found.dtype == torch.float64, f"a float64 encoder gave {found.dtype}", mend)
    device = resolve_device(None)
    moved = net.float().to(device)(nodes.to(device), graph.float().to(device))
    require(moved.device.type == device.type, f"an encoder on {device} answered on {moved.device}", mend)


class _EncoderOnGrid(Module):
    """An encoder and its graph as one program of nodes."""

    def __init__(self, net: Module, graph: PixelGraph) -> None:
        super().__init__()
        self.net, self.grid = net, graph

    def forward(self, nodes: Tensor) -> Tensor:
        encoded: Tensor = self.net(nodes, self.grid)
        return encoded


def exports(subject: EncoderSubject) -> None:
    """`torch.export` gives a program with the same nodes, for batches of any size."""
    graph = PixelGraph(5, 5)
    whole = _EncoderOnGrid(subject.make_perturbed(), graph).eval()
    program = torch.export.export(whole, (subject.make_nodes(graph),), dynamic_shapes=({0: torch.export.Dim("batch")},))
    mend = "let no Python value depend on the nodes; use nodes.shape[0] for len(nodes)"
    for batch in (3, 5):
        nodes = subject.make_nodes(graph, batch)
        require_close(program.module()(nodes), whole(nodes), f"of the exported program, {batch} images,", mend)


ENCODER_ORDER: tuple[EncoderCheck, ...] = (
    described,
    paper_named,
    same_seed_same_weights,
    weights_not_shared,
    unknown_option_refused,
    nodes_keep_their_shape,
    random_state_untouched,
    eval_mode_deterministic,
    gradients_reach_every_weight,
    batch_order_kept,
    batch_of_one_equals_batch_of_many,
    declared_symmetry_holds,
    follows_device_and_dtype,
    exports,
)
ENCODER_CHECKS: dict[str, EncoderCheck] = {check.__name__: check for check in ENCODER_ORDER}
"""Every check of an encoder by name, the cheap and the telling first."""
