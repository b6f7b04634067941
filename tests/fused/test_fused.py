"""A compiled stack computes the same as its layers one by one."""

import gc
import random
import weakref
from concurrent.futures import ThreadPoolExecutor

import llvmlite.binding as llvm
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import zoo
from zoo.errors import ConfigError, TrainingError
from zoo.fused import Layer, Stack, call, compiler, fuse_inference, fuse_training, modules
from zoo.fused.codegen.builder import Machine
from zoo.graph import PixelGraph
from zoo.tasks.classification import SoftTargets

CASES = 14


class Tower(nn.Module):
    """A random stack, with all that `Stack` allows: layers that do not propagate, positions, a head."""

    def __init__(self, draw):
        super().__init__()
        self.graph = PixelGraph(draw.randint(1, 9), draw.randint(1, 9))
        self.channels, positions = draw.randint(1, 3), draw.choice([0, 0, 2])
        widths = [self.channels + positions, *(draw.randint(1, 37) for _ in range(draw.randint(1, 4)))]
        self.linears = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.relus = [draw.random() < 0.8 for _ in self.linears]
        self.propagates = [draw.random() < 0.8 for _ in self.linears]
        self.head = nn.Linear(widths[-1], draw.randint(2, 12)) if draw.random() < 0.5 or widths[-1] < 2 else None
        self.positions = torch.randn(self.graph.num_nodes, positions) if positions else None

    def forward(self, images):
        nodes = images.flatten(2).mT
        if self.positions is not None:
            nodes = torch.cat([nodes, self.positions.to(nodes).expand(len(nodes), -1, -1)], 2)
        for linear, relu, propagates in zip(self.linears, self.relus, self.propagates, strict=True):
            nodes = linear(self.graph.propagate_separable(nodes) if propagates else nodes)
            nodes = nodes.relu() if relu else nodes
        return nodes.mean(1) if self.head is None else self.head(nodes.mean(1))

    def stack(self):
        triples = zip(self.linears, self.relus, self.propagates, strict=True)
        return Stack(
            graph=self.graph,
            channels=self.channels,
            layers=[Layer.from_linear(each, propagate=propagates, relu=relu) for each, relu, propagates in triples],
            head=None if self.head is None else Layer.from_linear(self.head),
            positions=self.positions,
        )


def run_both(net, images, targets):
    """Return loss, gradient and number of correct predictions of a net, layer by layer and compiled."""
    logits = net(images)
    loss = (targets * (logits.logsumexp(1, keepdim=True) - logits)).sum()
    parameters = net.stack().parameters()
    expected = torch.cat([each.flatten() for each in torch.autograd.grad(loss, parameters)])
    fused_loss, fused_correct, gradient = fuse_training(net, "fused").cross_entropy(images, targets)
    correct = int((logits.argmax(1) == targets.argmax(1)).sum())
    return (loss.item(), expected, correct), (fused_loss.item(), gradient.clone(), int(fused_correct))


@pytest.mark.parametrize(("dtype", "forward", "backward"), [(torch.float32, 1e-5, 1e-4), (torch.float64, 1e-10, 1e-10)])
@pytest.mark.parametrize("seed", range(CASES))
def test_loss_and_gradient_are_those_of_the_layers(seed, dtype, forward, backward):
    draw = random.Random(seed)
    torch.manual_seed(seed)
    net = Tower(draw).to(dtype)
    images = torch.randn(draw.randint(1, 70), net.channels, net.graph.height, net.graph.width, dtype=dtype)
    targets = torch.rand(len(images), len(net(images[:1])[0]), dtype=dtype) / len(images)
    (loss, expected, correct), (fused_loss, gradient, fused_correct) = run_both(net, images, targets)
    assert fused_loss == pytest.approx(loss, rel=forward)
    assert (gradient - expected).abs().max() <= backward * max(float(expected.abs().max()), 1e-3)
    assert fused_correct == correct


def test_graphs_of_any_size_are_compiled():
    for size in ((1, 1), (28, 28)):
        net = zoo.create("gcn-7x7", seed=0, size=size).net
        images, targets = torch.rand(20, 1, *size), torch.eye(10)[torch.arange(20) % 10] / 20
        (loss, expected, _), (fused_loss, gradient, _) = run_both(net, images, targets)
        assert fused_loss == pytest.approx(loss, rel=1e-5)
        assert (gradient - expected).abs().max() <= 1e-4 * expected.abs().max()


SETTINGS = {
    "plain": {},
    "smoothed": {"label_smoothing": 0.1},
    "weighted": {"class_weights": tuple(range(1, 11)), "label_smoothing": 0.2},
    "mixed": {"mixup": 0.4, "label_smoothing": 0.1},
    "accumulated": {"accumulate": 3, "clip": 0.01},
    "averaged": {"ema": 0.9, "optimizer": "sgd", "momentum": 0.9},
    "decayed": {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "one-cycle"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_recipe_gives_the_same_losses(name, small):
    recipe = {"epochs": 10, "batch_size": 64, "progress": False, **SETTINGS[name]}
    losses = {
        kernels: zoo.create("gcn-7x7", seed=1).fit(small, kernels=kernels, **recipe).history["loss"]
        for kernels in ("torch", "fused")
    }
    assert losses["fused"] == pytest.approx(losses["torch"], rel=1e-3)


def test_positions_and_linear_layers_train_alike(small):
    losses = [
        zoo.create("gcn-pos-7x7", seed=1).fit(small, epochs=5, kernels=kernels, progress=False).history["loss"]
        for kernels in ("torch", "fused")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_auto_chooses_the_compiled_step_and_is_exactly_repeatable(small):
    runs = [zoo.create("gcn-7x7", seed=2).fit(small, epochs=2, kernels=k, progress=False) for k in ("auto", "fused")]
    assert all(torch.equal(*pair) for pair in zip(*(run.net.state_dict().values() for run in runs), strict=True))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_a_bit(threads, monkeypatch):
    net = zoo.create("gcn-7x7", seed=0).net
    images, targets = torch.rand(100, 1, 7, 7), torch.eye(10)[torch.arange(100) % 10] / 100
    single = [each.clone() for each in fuse_training(net, "fused").cross_entropy(images, targets)]
    monkeypatch.setattr(call, "ALL_THREADS_WORK", 0)
    torch.set_num_threads(threads)
    try:
        shared = fuse_training(net, "fused").cross_entropy(images, targets)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(*pair) for pair in zip(single, shared, strict=True))


def test_after_training_parameters_have_their_own_storage(small):
    model = zoo.create("gcn-7x7", seed=0).fit(small, epochs=1, kernels="fused", progress=False)
    storages = {parameter.untyped_storage().data_ptr() for parameter in model.net.parameters()}
    assert len(storages) == len(list(model.net.parameters()))


def test_a_loss_that_is_not_finite_is_reported(small):
    with pytest.raises(TrainingError, match="is nan at step 2"):
        zoo.create("gcn-7x7", seed=0).fit(small, epochs=3, optimizer="sgd", lr=1e30, kernels="fused", progress=False)


REFUSED = {
    "not a stack": ("cnn-7x7", {}, {}),
    "does not have 8 neighbours": ("graph-classifier", {"neighbours": 4}, {}),
    "not a stack of graph": ("graph-classifier", {"readout": "mean+max"}, {}),
    "precision='bf16'": ("gcn-7x7", {}, {"precision": "bf16"}),
    "compile=True": ("gcn-7x7", {}, {"compile": True}),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_fused_kernels_are_refused_with_a_reason(reason, small):
    name, config, recipe = REFUSED[reason]
    with pytest.raises(ConfigError, match=reason):
        zoo.create(name, seed=0, **config).fit(small, epochs=1, kernels="fused", progress=False, **recipe)


def test_frozen_parameters_are_trained_layer_by_layer(small):
    model = zoo.create("gcn-7x7", seed=0)
    frozen = next(iter(model.net.parameters())).requires_grad_(False)
    before = frozen.clone()
    with pytest.raises(ConfigError, match="frozen"):
        model.fit(small, epochs=1, kernels="fused", progress=False)
    model.fit(small, epochs=1, progress=False)
    assert torch.equal(frozen, before)


def test_without_llvmlite_the_net_runs_layer_by_layer(small, monkeypatch):
    monkeypatch.setattr("zoo.fused.dispatch.find_spec", lambda name: None)
    model = zoo.create("gcn-7x7", seed=0)
    with pytest.raises(ConfigError, match="pip install llvmlite"):
        model.fit(small, epochs=1, kernels="fused", progress=False)
    assert model.fit(small, epochs=1, progress=False).history


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mixed", [False, True])
def test_soft_targets_give_the_cross_entropy_of_torch(smoothing, weighted, mixed):
    torch.manual_seed(0)
    logits = torch.randn(9, 4, dtype=torch.float64)
    weights = torch.rand(4, dtype=torch.float64) if weighted else None
    targets = torch.rand(9, 4, dtype=torch.float64).softmax(1) if mixed else torch.arange(9) % 4
    soft_targets = SoftTargets(4, torch.float64, label_smoothing=smoothing, class_weights=weights)(targets)
    expected = F.cross_entropy(logits, targets, weight=weights, label_smoothing=smoothing)
    assert (soft_targets * (logits.logsumexp(1, keepdim=True) - logits)).sum() == pytest.approx(
        expected.item(), rel=1e-6
    )


@pytest.mark.parametrize("seed", range(6))
def test_logits_are_those_of_the_layers(seed):
    draw = random.Random(100 + seed)
    torch.manual_seed(seed)
    net = Tower(draw)
    for num in (1, 17, 130):
        images = torch.randn(num, net.channels, net.graph.height, net.graph.width)
        with torch.inference_mode():
            logits, fused_logits = net(images), fuse_inference(net)(images)
        assert fuse_inference(net) is not net
        assert (fused_logits - logits).abs().max() <= 1e-5 * max(1.0, float(logits.abs().max()))
        assert torch.equal(fused_logits[:1], fuse_inference(net)(images[:1]))


def test_logits_follow_the_parameters():
    net = zoo.create("gcn-7x7", seed=0).net
    images = torch.rand(3, 1, 7, 7)
    before = fuse_inference(net)(images)
    with torch.no_grad():
        net.convolutions[2].bias.add_(1)
    assert torch.allclose(fuse_inference(net)(images), before + 1, atol=1e-6)
    net.convolutions[2] = type(net.convolutions[2])(32, 10)
    assert torch.allclose(fuse_inference(net)(images), net(images), atol=1e-6)
    assert fuse_inference(net.to(torch.bfloat16)) is net


def test_a_net_with_a_forward_hook_runs_itself():
    net = zoo.create("gcn-7x7", seed=0).net
    seen = []
    handle = net.convolutions[0].register_forward_hook(lambda *args: seen.append(args))
    fuse_inference(net)(torch.rand(1, 1, 7, 7))
    handle.remove()
    assert seen
    assert fuse_inference(net) is not net


def test_a_deleted_net_leaves_no_reference():
    net = zoo.create("gcn-7x7", seed=0).net
    fuse_inference(net)
    reference = weakref.ref(net)
    del net
    gc.collect()
    assert reference() is None


def test_a_net_that_computes_something_else_than_its_stack_runs_layer_by_layer(small, monkeypatch):
    net = zoo.create("gcn-7x7", seed=0).net
    plain = type(net).forward
    monkeypatch.setattr(type(net), "forward", lambda self, images: plain(self, images) * 1.5)
    assert fuse_inference(net) is net
    assert fuse_training(net, "auto") is net
    with pytest.raises(ConfigError, match=r"forward\(\) does not compute what its stack\(\) describes"):
        fuse_training(net, "fused")


MACHINES = {
    "NEON": Machine(lanes=4, tile_rows=4, tile_columns=6, real_type="float"),
    "SSE": Machine(lanes=4, tile_rows=4, tile_columns=2, real_type="float"),
    "AVX": Machine(lanes=8, tile_rows=3, tile_columns=4, real_type="float"),
    "AVX-512": Machine(lanes=16, tile_rows=4, tile_columns=6, real_type="float"),
}


@pytest.mark.parametrize("name", MACHINES)
def test_vectors_of_any_width_compute_the_same(name, monkeypatch):
    if name == "AVX-512" and not llvm.get_host_cpu_features().get("avx512f"):
        pytest.skip("this processor has no AVX-512")
    monkeypatch.setattr(compiler, "_detect_machine", lambda real_type: MACHINES[name])
    monkeypatch.setattr(modules, "compile_kernel", compiler.Kernel)
    net = zoo.create("gcn-7x7", seed=0, size=(5, 6)).net
    images, targets = torch.rand(37, 1, 5, 6), torch.eye(10)[torch.arange(37) % 10] / 37
    (loss, expected, correct), (fused_loss, gradient, fused_correct) = run_both(net, images, targets)
    assert fused_loss == pytest.approx(loss, rel=1e-5)
    assert (gradient - expected).abs().max() <= 1e-4 * expected.abs().max()
    assert fused_correct == correct
    assert torch.allclose(fuse_inference(net)(images), net(images), atol=1e-5)


def test_several_threads_may_call_one_net_at_once():
    model = zoo.load("gcn-7x7/fashion-mnist")
    images = zoo.dataset("fashion-mnist-7x7").test.images[:4000]
    parts = images.split(500)
    single = [model.logits(part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            together = list(pool.map(model.logits, parts))
            assert all(torch.equal(*pair) for pair in zip(single, together, strict=True))
