"""The input and output of a model as values that are stored with its weights: preprocessing and classes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Real

from zoo.errors import ConfigError, LabelError


@dataclass(frozen=True, kw_only=True)
class Classes:
    """The classes of a data set: the labels in the data, and names for people.

    Args:
        values: The label of each class index, which `predict` returns; an int or a str.
        names: The name of each class index.
    """

    values: tuple[int | str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that each class has one value and one name, and that values are unique."""
        if len(self.values) != len(self.names) or len(set(self.values)) != len(self.values):
            raise LabelError(f"{len(self.values)} class values and {len(self.names)} names; each class has one of each")
        if not all(isinstance(value, int | str) for value in self.values):
            raise LabelError(f"class values are whole numbers or strings, not {self.values!r}")

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(cls, values: Sequence[int | str], names: Sequence[str] | None = None) -> Classes:
        """Return classes with these values, named by `names` or by the values themselves."""
        return cls(values=tuple(values), names=tuple(str(n) for n in (values if names is None else names)))

    @classmethod
    def numbered(cls, num_classes: int) -> Classes:
        """Return the classes 0 to `num_classes` - 1."""
        return cls.of(range(num_classes))


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How images are prepared for a net; stored with its weights.

    Images are converted to floats in [0, 1], resized to `size`, and normalised to (x - mean) / std by channel.

    Args:
        size: Height and width in pixels.
        channels: 1 (grey), 3 (red, green, blue), or another number that the model was made for.
        mean: Mean of each channel, for images in [0, 1].
        std: Standard deviation of each channel, for images in [0, 1].
        resize: `area` averages when shrinking (bilinear with anti-aliasing); `sample` takes bilinear samples with the
            corners aligned, as `scipy.ndimage.zoom(order=1)` does, which paper 1 uses.
    """

    size: tuple[int, int]
    channels: int = 1
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    resize: str = "area"

    def __post_init__(self) -> None:
        """Check all fields; one mean or std is for every channel."""
        original_size = self.size
        for name in ("size", "mean", "std"):
            value = getattr(self, name)
            object.__setattr__(self, name, tuple(value) if isinstance(value, Iterable) else (value,))
        if len(self.size) != 2 or any(not isinstance(n, int) or n < 1 for n in self.size):
            raise ConfigError(f"size is two positive whole numbers (height, width), not {original_size!r}")
        if not isinstance(self.channels, int) or self.channels < 1:
            raise ConfigError(f"channels is a positive whole number, not {self.channels!r}")
        if self.resize not in ("area", "sample"):
            raise ConfigError(f"resize is 'area' or 'sample', not {self.resize!r}")
        for name in ("mean", "std"):
            if len(getattr(self, name)) not in (1, self.channels):
                raise ConfigError(f"{name} has {len(getattr(self, name))} numbers for {self.channels} channels")
            if not all(isinstance(n, Real) and math.isfinite(n) for n in getattr(self, name)):
                raise ConfigError(f"{name} is a finite number for each channel, not {getattr(self, name)!r}")
        if any(s <= 0 for s in self.std):
            raise ConfigError(f"std is above 0, not {self.std!r}")
