"""Everything that zoo knows about a task besides its code, in one table: words, names and defaults. No torch here.

A new task needs one entry here, one module in `zoo.tasks` (its losses), one in `zoo.inference` (what `predict`,
`sample` and `evaluate` do), one class in `zoo.export.modules` and one module in `zoo.testing.models` (its checks). Each
of these packages has a dict from the name of a task to its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """Words, names and defaults of one task.

    Args:
        name: The name in specs, manifests and messages.
        pipeline_tag: The Hub's name of the task.
        headline: How a card begins, before `grey images of 28 x 28 pixels`.
        usage: A line of Python for a card, with `model` as the loaded model.
        limits: The text of a card about limits; may contain `{num_classes}`, `{size}`, `{resize}` and `{scored}`.
        command: A command that uses a model; contains `{model}`.
        is_generative: Whether a model makes images from codes (`sample`) instead of reading images (`predict`).
        has_accuracy: Whether `evaluate` compares predictions with labels.
        has_own_augmentation: Whether the task augments its batches, so that the loader must not.
        mean: Mean that a fresh model normalises with.
        std: Standard deviation that a fresh model normalises with.
        image_prefix: Prefix of the tensor names of the part that makes images; empty if no part does.
        input_name: Name of the input of an exported model.
        output_name: Name of the output of an exported model.
    """

    name: str
    pipeline_tag: str
    headline: str
    usage: str
    limits: str
    command: str
    is_generative: bool
    has_accuracy: bool
    has_own_augmentation: bool
    mean: float
    std: float
    image_prefix: str
    input_name: str
    output_name: str


CLASSIFICATION = TaskInfo(
    name="classification",
    pipeline_tag="image-classification",
    headline="An image classifier for",
    usage='labels = model.predict("picture.png")  # a file, a folder, an array, a tensor or Pillow images',
    limits=(
        "It labels any image with one of the {num_classes} classes above, whatever the image shows. Images of another "
        "size are resized to {size} (`{resize}`), which loses details smaller than a pixel. Scores are valid only for "
        "images like those it was trained on.{scored}"
    ),
    command="zoo predict {model} picture.png",
    is_generative=False,
    has_accuracy=True,
    has_own_augmentation=False,
    mean=0.0,  # images in [0, 1]
    std=1.0,
    image_prefix="",
    input_name="images",
    output_name="logits",
)
GENERATION = TaskInfo(
    name="generation",
    pipeline_tag="unconditional-image-generation",
    headline="A generator of",
    usage="images = model.sample(16)  # 16 labelled images, each class in turn; or pass a list of labels",
    limits=(
        "It generates images like its training images, with their faults and gaps, and may nearly copy some of them. "
        "`zoo evaluate` measures how far its images are from real ones."
    ),
    command="zoo sample {model}",
    is_generative=True,
    has_accuracy=False,
    has_own_augmentation=True,
    mean=0.5,  # images in [-1, 1], the range of the tanh that a generator ends in
    std=0.5,
    image_prefix="generator.",
    input_name="codes",
    output_name="images",
)
TASK_INFO: Mapping[str, TaskInfo] = MappingProxyType({info.name: info for info in (CLASSIFICATION, GENERATION)})
"""Every task of zoo by name."""
