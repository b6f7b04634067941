"""What is on the shelf `zoo.trained`: weights that ship with zoo, as values. No torch here."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zoo.errors import WeightsError
from zoo.files.paths import resolve_path
from zoo.saving.folder import CONFIG, WEIGHTS, read_manifest
from zoo.saving.manifest import Manifest

BUNDLED_FOLDERS = ("zoo_weights", "weights")
"""Beside the package: where a wheel puts the weights, and where a checkout has them."""


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """Trained weights: `zoo.load(name)` returns the model.

    Args:
        name: The reference, `model/tag`.
        model: The model's name on `zoo.models`.
        data: What it was trained on.
        scored_on: What its accuracy was measured on.
        accuracy: Share of those images it gets right; None if it was not scored.
        parameters: How many weights it has.
        num_bytes: Size of the weights file.
        license: Identifier of the weights' licence.
        folder: Where it lies.
        tags: Words to search by.
    """

    name: str
    model: str
    data: str
    scored_on: str
    accuracy: float | None
    parameters: int
    num_bytes: int
    license: str
    folder: Path
    tags: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """One line for a list."""
        return f"{self.model} trained on {self.data}"

    @property
    def manifest(self) -> Manifest:
        """Everything that is stored with the weights: config, classes, recipe, scores, versions."""
        return read_manifest(self.folder)


def list_folders() -> dict[str, Path]:
    """Return where the weights that ship with zoo lie, by reference `model/tag`."""
    beside = Path(__file__).parents[2]
    found = [path.parent for root in BUNDLED_FOLDERS for path in sorted((beside / root).glob(f"*/*/{CONFIG}"))]
    return {f"{folder.parent.name}/{folder.name}": folder for folder in found}


def get_reference(folder: Path) -> str:
    """Return the reference that a folder has, or will have, among the weights that ship with zoo; else nothing."""
    place = resolve_path(folder)
    is_shipped = place.parent.parent in [Path(__file__).parents[2].resolve() / root for root in BUNDLED_FOLDERS]
    return f"{place.parent.name}/{place.name}" if is_shipped else ""


@cache
def list_trained() -> tuple[tuple[str, TrainedWeights], ...]:
    """Return what is whole; a damaged folder takes itself off the shelf, not the others."""
    found = []
    for name, folder in list_folders().items():
        try:
            found.append(("zoo", _describe(name, folder)))
        except WeightsError as error:
            warnings.warn(f"{name} is left off the shelf: {error}", stacklevel=2)
    return tuple(found)


def _describe(name: str, folder: Path) -> TrainedWeights:
    manifest = read_manifest(folder)
    score = manifest.scores[0] if manifest.scores else None
    return TrainedWeights(
        name=name,
        model=manifest.model,
        data=manifest.data,
        scored_on=score.data if score else "",
        accuracy=score.metrics.get("accuracy") if score else None,
        parameters=manifest.parameters,
        num_bytes=(folder / WEIGHTS).stat().st_size,
        license=manifest.license,
        folder=folder,
        tags=(name.partition("/")[2], manifest.model),
    )
