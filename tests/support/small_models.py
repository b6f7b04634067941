"""Options that make large models small enough for tests, and fewer checks for some of them."""

import zoo
from zoo.testing import CHECKS_BY_TASK

TINY = {"size": (8, 8), "channels": 1}
OPTIONS = {
    "resnet-18": {"width": 8, **TINY},
    "resnet-34": {"width": 4, **TINY},
    "resnet-50": {"width": 4, **TINY},
    "resnet-101": {"width": 4, **TINY},
    "resnet-20": {"width": 4, **TINY},
    "resnet-56": {"width": 4, **TINY},
    "wrn-16-4": {"widen": 1, **TINY},
    "attention-gan-28x28": {"width": 16, "size": (16, 16)},
    "attention-gan-32x32": {"width": 16, "size": (16, 16)},
    "sn-gan-32x32": {"width": 16, "size": (16, 16), "channels": 1},
}
"""Options that reduce the width and keep the layers."""
SHAPES = (
    "same_seed_same_weights",
    "config_is_complete",
    "described",
    "logits_shaped",
    "any_number_of_classes",
    "sizes_work_or_are_refused",
    "batch_of_one_equals_batch_of_many",
    "finite_on_any_image",
    "gradients_reach_every_weight",
    "saved_and_loaded_bitwise",
    "exports",
)
DEEP = ("resnet-34", "resnet-50", "resnet-101", "resnet-20", "resnet-56")
"""Models whose blocks occur in other models, which pass every check."""


def list_checks(name):
    """Return the names of the checks that a model's tests run."""
    if zoo.models[name].task_info.is_generative:
        return tuple(CHECKS_BY_TASK["generation"])
    return SHAPES if name in DEEP else tuple(CHECKS_BY_TASK["classification"])
