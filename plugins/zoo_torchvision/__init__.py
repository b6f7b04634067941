"""Offer every image classifier of torchvision as a model `torchvision:NAME`."""

from __future__ import annotations

from zoo import Source, hookimpl

zoo_api = 1


@hookimpl
def zoo_sources() -> list[Source]:
    """Return the source."""
    return [
        Source(
            name="torchvision",
            summary="image classifiers of torchvision, for small images",
            names="zoo_torchvision.names:list_names",
            model="zoo_torchvision.names:make_spec",
            examples=("squeezenet1_0", "squeezenet1_1", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "mobilenet_v2"),
        )
    ]
