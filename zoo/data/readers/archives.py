"""Read image sets from single files: `.npz` without pickle, and zoo's own `.safetensors` of images."""

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
from zoo.files.safetensors import read_tensors, to_bytes
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
        SourceError: The file is not a `.npz`, needs pickle, or has arrays of other names.
    """
    arrays = _load_npz(path)

    def part(name: str) -> Images:
        pair = _find_pair(arrays, ARRAY_NAMES[name]) or (
            _find_pair(arrays, UNSPLIT_ARRAY_NAMES) if name == "train" else None
        )
        if pair is None:
            raise SourceError(
                f"{path} has no {name} part; it has {', '.join(arrays)}; zoo reads {', '.join(ARRAY_NAMES[name])}"
            )
        return pair_to_images(*pair)

    return Dataset(train=lambda: part("train"), test=lambda: part("test"), name=path.stem)


def _load_npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name.lower(): arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, RuntimeError, *DAMAGE_ERRORS) as error:
        raise SourceError(f"{path} is not a .npz file of plain arrays: {error}") from error


def _find_pair(arrays: dict[str, Any], names: tuple[str, ...]) -> tuple[Any, Any] | None:
    return next(
        ((arrays[x], arrays[y]) for x, y in zip(names[::2], names[1::2], strict=True) if x in arrays and y in arrays),
        None,
    )


def pair_to_images(images: Any, labels: Any, class_names: list[str] | None = None) -> Images:
    """Return scikit-learn style `(X, y)` as images: X in any layout of `zoo.data.arrays.to_nchw`, y of any kind."""
    flat = (
        labels.reshape(-1) if isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.shape[1] == 1 else labels
    )
    numbers, classes = encode_labels(flat, class_names)
    return Images(to_uint8_images(to_nchw(images, num_images=len(numbers))), numbers, classes)


def write_safetensors(parts: dict[str, Images], path: Path, metadata: dict[str, str]) -> None:
    """Write image sets as one safetensors file: `<part>.images`, `<part>.labels`, and the classes in its header."""
    classes = next(iter(parts.values())).classes
    text = json.dumps({**metadata, "values": classes.values, "names": classes.names})
    tensors = {f"{part}.{key}": tensor for part, images in parts.items() for key, tensor in _to_tensors(images).items()}
    path.write_bytes(to_bytes(tensors, text))


def _to_tensors(images: Images) -> dict[str, torch.Tensor]:
    return {
        "images": images.images,
        "labels": images.labels.to(torch.uint8 if len(images.classes) < 256 else torch.int64),
    }


def read_safetensors(path: Path) -> Dataset:
    """Read what `write_safetensors` wrote.

    Raises:
        SourceError: The file is damaged, or is not an image set.
    """
    try:
        tensors, text = read_tensors(path)
    except WeightsError as error:
        raise SourceError(str(error)) from error
    try:
        metadata = json.loads(text)
        classes = Classes.of(metadata["values"], metadata["names"])
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError(f"{path} is not an image set: its header has no classes") from error

    def part(name: str) -> Images:
        if f"{name}.images" not in tensors or f"{name}.labels" not in tensors:
            raise SourceError(f"{path} has no {name} part; it has {', '.join(sorted(tensors))}")
        return Images(tensors[f"{name}.images"], tensors[f"{name}.labels"].long(), classes)

    return Dataset(train=lambda: part("train"), test=lambda: part("test"), name=path.stem)
