"""Check a graph encoder: what every graph network relies on. Each docstring is the claim that the check tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.device import resolve_device
from zoo.factory.encoder import bind_options
from zoo.graph import PixelGraph
from zoo.seeding import use_seed
from zoo.testing import shared_checks
from zoo.testing.encoders.subject import EncoderSubject, make_grids, make_symmetry_orders, require_close
from zoo.testing.fake_device import FIX, check_device
from zoo.testing.report import NotApplicable, require
from zoo.testing.state import copy_state, find_weights_without_gradient, is_equal


def unknown_option_refused(subject: EncoderSubject) -> None:
    """An unknown option raises an error, and the complete options are accepted."""
    subject.build_net(**bind_options(subject.name, subject.options))
    shared_checks.unknown_option_refused(subject)


def nodes_keep_their_shape(subject: EncoderSubject) -> None:
    """Nodes (B, N, width) give finite nodes (B, N, width), on grids of any size and kind."""
    for size in ((5, 5), (3, 6), (1, 4), (7, 7)):
        net = subject.build_net(size=size)
        for graph in make_grids(size):
            for batch in (1, 4):
                _check_shape(net, graph, subject.make_nodes(graph, batch))


def _check_shape(net: Module, graph: PixelGraph, nodes: Tensor) -> None:
    output = net(nodes, graph)
    label = f"nodes {tuple(nodes.shape)} on a {graph.height} x {graph.width} grid of {graph.neighbours} neighbours"
    require(output.shape == nodes.shape, f"{label} became {tuple(output.shape)}", "return nodes of the same width")
    is_finite = bool(torch.isfinite(output).all())
    require(is_finite, f"{label} became NaN or infinite", "do not divide by a count that may be zero")


def eval_mode_deterministic(subject: EncoderSubject) -> None:
    """Two runs give the same nodes, and change neither weights, buffers, nodes nor graph."""
    graph, net = PixelGraph(5, 5), subject.build_net()
    nodes, state_before = subject.make_nodes(graph), copy_state(net)
    nodes_before, edges_before = nodes.clone(), graph.edge_index().clone()
    outputs = []
    for seed in (1, 2):
        with use_seed(seed):
            outputs.append(net(nodes, graph))
    require(torch.equal(*outputs), "two runs on the same nodes differ", "use no random numbers in eval mode")
    is_same = is_equal(state_before, copy_state(net))
    require(is_same, "forward changed a weight or buffer", "update them in training mode only")
    is_same = torch.equal(nodes, nodes_before) and torch.equal(edges_before, graph.edge_index())
    require(is_same, "forward changed its nodes or graph", "create new tensors")


def gradients_reach_every_weight(subject: EncoderSubject) -> None:
    """Every weight and the nodes get a finite gradient, and the nodes' gradient is not zero."""
    graph, net = PixelGraph(5, 5), subject.build_perturbed_net().train()
    nodes = subject.make_nodes(graph).requires_grad_()
    with use_seed(0):
        net(nodes, graph).square().sum().backward()
    unreached = find_weights_without_gradient(net)
    require(not unreached, f"no gradient reaches {', '.join(unreached)}", "remove these weights or use them in forward")
    require(nodes.grad is not None and bool(nodes.grad.any()), "no gradient reaches the nodes", "do not detach them")
    gradients = [each.grad for each in (nodes, *net.parameters()) if each.grad is not None]
    is_finite = all(bool(torch.isfinite(each).all()) for each in gradients)
    require(is_finite, "a gradient is not finite on random nodes", "keep the arguments of roots and divisions off zero")


def batch_order_kept(subject: EncoderSubject) -> None:
    """A permuted batch gives the same nodes in that order."""
    graph, net, order = PixelGraph(5, 5), subject.build_perturbed_net(), torch.tensor([2, 0, 3, 1])
    nodes = subject.make_nodes(graph, 4)
    fix = "keep each image's nodes at its own index of the batch"
    require_close(net(nodes[order], graph), net(nodes, graph)[order], "of a permuted batch", fix)


def batch_of_one_equals_batch_of_many(subject: EncoderSubject) -> None:
    """An image's nodes are the same alone as in a batch."""
    graph, net = PixelGraph(5, 5), subject.build_perturbed_net()
    nodes = subject.make_nodes(graph, 4)
    single = torch.cat([net(each[None], graph) for each in nodes])
    fix = "use no statistics of the batch in eval mode"
    require_close(net(nodes, graph), single, "of images alone and in a batch", fix)


def declared_symmetry_holds(subject: EncoderSubject) -> None:
    """With `symmetry="D4"`, nodes of a rotated or mirrored square are the nodes rotated or mirrored, to 1e-5."""
    if not subject.spec.symmetry:
        raise NotApplicable("it declares no symmetry")
    net, fix = subject.build_perturbed_net(), "treat all directions alike, or declare no symmetry"
    for graph in make_grids((5, 5)):
        nodes = subject.make_nodes(graph)
        expected = net(nodes, graph)
        for order in make_symmetry_orders(5):
            require_close(net(nodes[:, order], graph), expected[:, order], "of a rotated or mirrored grid", fix)


def follows_device_and_dtype(subject: EncoderSubject) -> None:
    """The encoder runs in float64 and on any device."""
    graph, net = PixelGraph(5, 5), subject.build_net()
    nodes = subject.make_nodes(graph)
    check_device(_EncoderOnGrid(net, graph), nodes)
    output = net.double()(nodes.double(), graph.double())
    require(output.dtype == torch.float64, f"the output of a float64 encoder is {output.dtype}", FIX)
    device = resolve_device(None)
    output = net.float().to(device)(nodes.to(device), graph.float().to(device))
    is_same = output.device.type == device.type
    require(is_same, f"the output of an encoder on {device} is on {output.device}", FIX)


class _EncoderOnGrid(Module):
    """An encoder with its graph, as a module whose only input is nodes."""

    def __init__(self, net: Module, graph: PixelGraph) -> None:
        super().__init__()
        self.net, self.grid = net, graph

    def forward(self, nodes: Tensor) -> Tensor:
        encoded: Tensor = self.net(nodes, self.grid)
        return encoded


def exports(subject: EncoderSubject) -> None:
    """`torch.export` gives a program with the same output, for any batch size."""
    graph = PixelGraph(5, 5)
    module = _EncoderOnGrid(subject.build_perturbed_net(), graph).eval()
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(module, (subject.make_nodes(graph),), dynamic_shapes=shapes)
    fix = "let no Python value depend on the nodes; use nodes.shape[0] for len(nodes)"
    for batch in (3, 5):
        nodes = subject.make_nodes(graph, batch)
        require_close(program.module()(nodes), module(nodes), f"of the exported program, {batch} images,", fix)


EncoderCheck = Callable[[Any], None]
ENCODER_ORDER: tuple[EncoderCheck, ...] = (
    shared_checks.described,
    shared_checks.paper_named,
    shared_checks.same_seed_same_weights,
    shared_checks.weights_not_shared,
    unknown_option_refused,
    nodes_keep_their_shape,
    shared_checks.random_state_untouched,
    eval_mode_deterministic,
    gradients_reach_every_weight,
    batch_order_kept,
    batch_of_one_equals_batch_of_many,
    declared_symmetry_holds,
    follows_device_and_dtype,
    exports,
)
ENCODER_CHECKS: dict[str, EncoderCheck] = {check.__name__: check for check in ENCODER_ORDER}
"""Every check of an encoder by name, in the order they run."""
