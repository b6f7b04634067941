"""Offer every image classifier of timm as a model `timm:NAME`. timm's own registry is only read."""

from __future__ import annotations

from zoo import Source, hookimpl

zoo_api = 1


@hookimpl
def zoo_sources() -> list[Source]:
    """Return the source."""
    return [
        Source(
            name="timm",
            summary="image classifiers of timm, for small images",
            names="zoo_timm.names:list_names",
            model="zoo_timm.names:make_spec",
            examples=("test_resnet", "test_convnext", "test_vit", "test_efficientnet", "mobilenetv3_small_050"),
        )
    ]
