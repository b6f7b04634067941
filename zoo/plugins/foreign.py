"""What another library says of weights it publishes for one of its nets, as a value. No torch here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PretrainedConfig:
    """Weights of another library: the images they were made for, and where they are published.

    Args:
        size: Height and width of the images.
        channels: Channels of the images.
        mean: Mean of each channel that was taken off, for images in [0, 1].
        std: Standard deviation of each channel that it was divided by.
        license: Identifier of the weights' licence, or empty.
        repo_id: Repository `owner/name` on a Hub that holds them as `model.safetensors`; empty where there is none.
        hint: What to do where there is none.
        ignored_prefixes: Beginnings of the names of tensors that the net of zoo has no use for, such as heads for training.
    """

    size: tuple[int, int]
    channels: int = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    license: str = ""
    repo_id: str = ""
    hint: str = ""
    ignored_prefixes: tuple[str, ...] = ()
