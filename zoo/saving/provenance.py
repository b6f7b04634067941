"""What is known about a model's weights: how they were trained, on what, how good they are, where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zoo.recipe import Recipe
from zoo.saving.history import History
from zoo.saving.manifest import Manifest, Score

Scores = tuple[Score, ...]
"""Scores stored with weights, each with its protocol."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Everything a model knows about its weights besides the numbers; fresh weights have an empty one.

    Args:
        history: One row for each epoch trained so far.
        recipe: The recipe of the last `fit`, or None.
        data: Name of the images of the last `fit`, or empty.
        scores: Scores stored by `evaluate(..., store=True)` for the present weights.
        license: Identifier of the weights' licence, such as `mit`; needed by `push`.
        reference: Where the present weights were loaded from, with the full commit if from a Hub; empty after training.
        base: The weights that training began from; empty if from the seed.
        card: The text of the README.md that was loaded with the weights.
    """

    history: History = field(default_factory=History)
    recipe: Recipe | None = None
    data: str = ""
    scores: Scores = ()
    license: str = ""
    reference: str = ""
    base: str = ""
    card: str = ""

    @classmethod
    def from_saved(cls, manifest: Manifest, history: History, *, card: str, reference: str) -> Provenance:
        """Return the provenance of weights that were loaded from `reference`."""
        return cls(
            history=history,
            recipe=manifest.recipe,
            data=manifest.data,
            scores=manifest.scores,
            license=manifest.license,
            reference=reference,
            base=manifest.base,
            card=card,
        )

    def to_manifest(self, **fields: Any) -> Manifest:
        """Return a manifest with what the provenance knows; `fields` are its other fields."""
        return Manifest(
            recipe=self.recipe,
            data=self.data,
            base=self.base,
            scores=self.scores,
            license=self.license,
            stopped=self.history.stopped,
            **fields,
        )
