"""The command that began a training, as `run.json` stores it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from zoo.errors import WeightsError

STORED_KEYS = {"checkpoint_every": "every", "trackers": "track", "lazy": "is_on_disk"}
"""Fields that `run.json` stores by another key."""


@dataclass(frozen=True, kw_only=True)
class FitCommand:
    """All that a training in the shell was begun with.

    `run.json` stores it, so that `zoo fit --resume FOLDER` needs no other argument.

    Args:
        model: Name of the model.
        config: Options of the model, complete.
        seed: Seed of the model.
        dtype: Data type of the weights.
        license: Identifier of the licence of the weights.
        data: Name of a data set, or a folder or file.
        recipe: Name of one of the model's recipes; None for its default.
        changes: Changed fields of the recipe.
        device: Device to train on; None for the default.
        checkpoint_every: Interval between checkpoints, such as `epoch` or `500 steps`, or `never`.
        on_nan: `stop` or `skip`; see `Model.fit`.
        lazy: Read the images of a folder or file batch by batch.
        trackers: Names of trackers.
        callbacks: Names of callbacks of plugins.
        grids: Folder for grids of a generator's samples, or None.
    """

    model: str
    config: Mapping[str, Any]
    seed: int
    dtype: str
    license: str
    data: str
    recipe: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None
    checkpoint_every: str = "epoch"
    on_nan: str = "stop"
    lazy: bool = False
    trackers: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    grids: str | None = None

    def replace(self, **changes: Any) -> FitCommand:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the command as `run.json` stores it."""
        return {STORED_KEYS.get(each.name, each.name): getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], *, name: str) -> FitCommand:
        """Return the command that `run.json` stores; lists become tuples, and unknown keys are ignored.

        Args:
            stored: The stored values.
            name: The path of the file, for messages.

        Raises:
            WeightsError: A value is missing.
        """
        values = {
            each.name: _to_tuples(stored[key])
            for each in fields(cls)
            if (key := STORED_KEYS.get(each.name, each.name)) in stored
        }
        try:
            return cls(**values)
        except TypeError as error:
            raise WeightsError(f"{name} does not describe a whole training: {error}") from error


def _to_tuples(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _to_tuples(each) for key, each in value.items()}
    return tuple(_to_tuples(each) for each in value) if isinstance(value, list | tuple) else value
