"""Single files: `.npz` without pickle, and zoo's own `.safetensors` of images."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo.data.arrays import encode_labels, to_nchw, to_uint8_images
from zoo.data.dataset import Dataset
from zoo.data.images import Images
from zoo.errors import SourceError, WeightsError
from zoo.files import safetensors as tensors
from zoo.signature import Classes

ARRAY_NAMES = {
    "train": ("x_train", "y_train", "train_images", "train_labels"),
    "test": ("x_test", "y_test", "test_images", "test_labels"),
}
DAMAGE_ERRORS = (zipfile.BadZipFile, zlib.error, MemoryError)
UNSPLIT_ARRAY_NAMES = ("x", "y", "images", "labels", "data", "target")


def read_npz(path: Path) -> Dataset:
    """Read `x_train, y_train, x_test, y_test` (Keras), `train_images, ...` (MedMNIST), or one part `x, y`.

    Raises:
        SourceError: It is no `.npz`, needs pickle, or names its arrays otherwise.
    """
    arrays = _load_npz(path)

    def part(name: str) -> Images:
        pair = _find_pair(arrays, ARRAY_NAMES[name]) or (
            _find_pair(arrays, UNSPLIT_ARRAY_NAMES) if name == "train" else None
        )
        if pair is None:
            raise SourceError(
                f"{path} has no {name} part; it has {', '.join(arrays)}; zoo knows {', '.join(ARRAY_NAMES[name])}"
            )
        return pair_to_images(*pair)

    return Dataset(train=lambda: part("train"), test=lambda: part("test"), name=path.stem)


def _load_npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name.lower(): file[name] for name in file.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, RuntimeError, *DAMAGE_ERRORS) as error:
        raise SourceError(f"{path} is no .npz file of plain arrays: {error}") from error


def _find_pair(arrays: dict[str, Any], names: tuple[str, ...]) -> tuple[Any, Any] | None:
    return next(
        ((arrays[x], arrays[y]) for x, y in zip(names[::2], names[1::2], strict=True) if x in arrays and y in arrays),
        None,
    )


def pair_to_images(images: Any, labels: Any, class_names: list[str] | None = None) -> Images:
    """Return scikit-learn style `(X, y)` as images: X in any layout of `zoo.data.arrays.shaped`, y of any kind."""
    flat = (
        labels.reshape(-1) if isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.shape[1] == 1 else labels
    )
    numbers, classes = encode_labels(flat, class_names)
    return Images(to_uint8_images(to_nchw(images, num_images=len(numbers))), numbers, classes)


def write_safetensors(parts: dict[str, Images], path: Path, metadata: dict[str, str]) -> None:
    """Write image sets as one safetensors file: `<part>.images`, `<part>.labels`, and the classes in its header."""
    classes = next(iter(parts.values())).classes
    told = json.dumps({**metadata, "values": classes.values, "names": classes.names})
    named = {f"{part}.{what}": tensor for part, images in parts.items() for what, tensor in _to_tensors(images).items()}
    path.write_bytes(tensors.to_bytes(named, told))


def _to_tensors(images: Images) -> dict[str, torch.Tensor]:
    return {
        "images": images.images,
        "labels": images.labels.to(torch.uint8 if len(images.classes) < 256 else torch.int64),
    }


def read_safetensors(path: Path) -> Dataset:
    """Read what `write_safetensors` wrote.

    Raises:
        SourceError: The file is damaged, or holds something else.
    """
    try:
        named, told = tensors.read_tensors(path)
    except WeightsError as error:
        raise SourceError(str(error)) from error
    try:
        about = json.loads(told)
        classes = Classes.of(about["values"], about["names"])
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path} is no image set: its header names no classes") from error

    def part(name: str) -> Images:
        if f"{name}.images" not in named or f"{name}.labels" not in named:
            raise SourceError(f"{path} has no {name} part; it has {', '.join(sorted(named))}")
        return Images(named[f"{name}.images"], named[f"{name}.labels"].long(), classes)

    return Dataset(train=lambda: part("train"), test=lambda: part("test"), name=path.stem)
