"""Offer residual networks for small images: four large ones, two narrow ones for CIFAR-10, and a wide one."""

from __future__ import annotations

from zoo import ModelSpec, Recipe, hookimpl

zoo_api = 1

HE_PAPER = "He, Zhang, Ren, Sun 2016, Deep residual learning for image recognition, arXiv 1512.03385"
WIDE_PAPER = "Zagoruyko and Komodakis 2016, Wide residual networks, arXiv 1605.07146"
SGD = Recipe(
    epochs=30,
    batch_size=128,
    optimizer="sgd",
    lr=0.1,
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    schedule="one-cycle",
    augment=("shift:2",),
)
PAPER_3 = Recipe(
    epochs=54, batch_size=64, optimizer="adam", lr=1e-4, weight_decay=1e-4, schedule="step", step_size=1, gamma=0.85
)
"""Paper 3: 50,000 steps of 64 images are 53.3 epochs of MNIST. It omits how often the rate drops; here, each epoch."""


def _make_spec(name: str, summary: str, build: str, parameters: int, *, paper: str = HE_PAPER) -> ModelSpec:
    return ModelSpec(
        name=name,
        summary=f"residual network: {summary}",
        build=f"zoo_resnet.{build}",
        size=(32, 32),
        channels=3,
        parameters=parameters,
        recipe=SGD,
        recipes={"paper-3": PAPER_3},
        standardize=True,
        paper=paper,
        tags=("convolution", "residual", "colour"),
    )


@hookimpl
def zoo_models() -> list[ModelSpec]:
    """Return the models."""
    return [
        _make_spec("resnet-18", "8 blocks of two 3 x 3 convolutions, small-image stem", "nets:resnet_18", 11_173_962),
        _make_spec("resnet-34", "16 blocks of two 3 x 3 convolutions, small-image stem", "nets:resnet_34", 21_282_122),
        _make_spec("resnet-50", "16 bottleneck blocks, small-image stem", "nets:resnet_50", 23_520_842),
        _make_spec("resnet-101", "33 bottleneck blocks, small-image stem", "nets:resnet_101", 42_512_970),
        _make_spec("resnet-20", "9 narrow blocks in three stages, for 32 x 32 images", "cifar:resnet_20", 269_722),
        _make_spec("resnet-56", "27 narrow blocks in three stages, for 32 x 32 images", "cifar:resnet_56", 853_018),
        _make_spec(
            "wrn-16-4", "6 wide pre-activation blocks in three stages", "wide:wrn_16_4", 2_748_890, paper=WIDE_PAPER
        ),
    ]
