"""List the trained weights that ship with zoo, the registry `zoo.trained`. No torch here."""

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
"""Folders beside the package: of the weights in a wheel, and in a checkout."""


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """Trained weights that ship with zoo; `zoo.load(name)` returns the model.

    Args:
        name: The reference, `model/tag`.
        model: The name of the model in `zoo.models`.
        data: Images that it was trained on.
        scored_on: Images that its accuracy was measured on.
        accuracy: Accuracy on those images, between 0 and 1; None if it was not scored.
        parameters: Number of weights.
        num_bytes: Size of the weights file.
        license: Identifier of the licence of the weights.
        folder: The folder of the saved model.
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
        """One line for a listing."""
        return f"{self.model} trained on {self.data}"

    @property
    def manifest(self) -> Manifest:
        """The manifest: config, classes, recipe, scores, versions."""
        return read_manifest(self.folder)


def list_folders() -> dict[str, Path]:
    """Return the folder of each of the weights that ship with zoo, by reference `model/tag`."""
    parent = Path(__file__).parents[2]
    folders = [path.parent for root in BUNDLED_FOLDERS for path in sorted((parent / root).glob(f"*/*/{CONFIG}"))]
    return {f"{folder.parent.name}/{folder.name}": folder for folder in folders}


def get_reference(folder: Path) -> str:
    """Return the reference of a folder among the weights that ship with zoo, existing or not; else an empty text."""
    path, parent = resolve_path(folder), Path(__file__).parents[2].resolve()
    is_bundled = path.parent.parent in [parent / root for root in BUNDLED_FOLDERS]
    return f"{path.parent.name}/{path.name}" if is_bundled else ""


@cache
def list_trained() -> tuple[tuple[str, TrainedWeights], ...]:
    """Return plugin and value of each of the weights that ship with zoo; damaged ones are left out with a warning."""
    trained = []
    for name, folder in list_folders().items():
        try:
            trained.append(("zoo", _describe(name, folder)))
        except WeightsError as error:
            warnings.warn(f"{name} is left out of zoo.trained: {error}", stacklevel=2)
    return tuple(trained)


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
