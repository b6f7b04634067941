"""Write the features of images, with the names of their files, as one file that other programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.errors import ConfigError
from zoo.files import atomic
from zoo.files.safetensors import to_bytes

FeatureArray = NDArray[np.float32]
FeatureWriter = Callable[[FeatureArray, Sequence[str], str], bytes]


def _to_npz(features: FeatureArray, names: Sequence[str], model: str) -> bytes:
    """Return a file for `numpy.load` with the arrays `features`, `files` and `model`, without pickle."""
    buffer = io.BytesIO()
    np.savez(buffer, features=features, files=np.array(names, dtype=np.str_), model=np.array(model))
    return buffer.getvalue()


def _to_csv(features: FeatureArray, names: Sequence[str], model: str) -> bytes:
    """Return one line per image: its file, then its features with enough digits to restore float32 exactly."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["file", *(f"feature_{column}" for column in range(features.shape[1]))])
    lines.writerows([name, *(f"{value:.9g}" for value in row)] for name, row in zip(names, features, strict=True))
    return text.getvalue().encode("utf-8", "surrogateescape")


def _to_safetensors(features: FeatureArray, names: Sequence[str], model: str) -> bytes:
    """Return a file with the tensor `features`; the metadata `zoo` of its header has model and files as JSON."""
    return to_bytes({"features": torch.from_numpy(features)}, json.dumps({"model": model, "files": list(names)}))


WRITERS: dict[str, FeatureWriter] = {".npz": _to_npz, ".csv": _to_csv, ".safetensors": _to_safetensors}
"""The writer of each format, by suffix."""


def check_suffix(path: Path) -> None:
    """Raise a `ConfigError` unless the suffix of a path is in `WRITERS`."""
    if path.suffix.lower() not in WRITERS:
        raise ConfigError(f"{path} ends in {path.suffix or 'nothing'}; features are written to {', '.join(WRITERS)}")


def write_features(path: Path, features: FeatureArray, names: Sequence[str], *, model: str) -> None:
    """Write features float32 (N, D) and the names (N) of their images, whole or not at all.

    Args:
        path: Where to write; its suffix, one of `WRITERS`, sets the format.
        features: What `Model.features` returns.
        names: The file of each row.
        model: The model that the features are from, stored in the file; not stored in a CSV file.

    Raises:
        ConfigError: The suffix is another one, or the file cannot be written.
    """
    check_suffix(path)
    data = WRITERS[path.suffix.lower()](features, names, model)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(path, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; write to another path") from error
