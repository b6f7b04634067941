"""Features of pictures beside the names of their files, as one file that other programs read."""

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
    """Return what `numpy.load` reads: the arrays `features`, `files` and `model`; none is pickled."""
    buffer = io.BytesIO()
    np.savez(buffer, features=features, files=np.array(names, dtype=np.str_), model=np.array(model))
    return buffer.getvalue()


def _to_csv(features: FeatureArray, names: Sequence[str], model: str) -> bytes:
    """Return a line a picture: its file, then its features, which come back to the same bits as float32."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["file", *(f"feature_{column}" for column in range(features.shape[1]))])
    lines.writerows([name, *(f"{value:.9g}" for value in row)] for name, row in zip(names, features, strict=True))
    return text.getvalue().encode("utf-8", "surrogateescape")


def _to_safetensors(features: FeatureArray, names: Sequence[str], model: str) -> bytes:
    """Return the tensor `features`; under `zoo` in the header's metadata stand the model and the files as JSON."""
    return to_bytes({"features": torch.from_numpy(features)}, json.dumps({"model": model, "files": list(names)}))


WRITERS: dict[str, FeatureWriter] = {".npz": _to_npz, ".csv": _to_csv, ".safetensors": _to_safetensors}
"""How each kind of file is made, by its ending."""


def check_suffix(path: Path) -> None:
    """Raise a `ConfigError` unless a path ends in one of `FORMS`."""
    if path.suffix.lower() not in WRITERS:
        raise ConfigError(f"{path} ends in {path.suffix or 'nothing'}; features are written to {', '.join(WRITERS)}")


def write_features(path: Path, features: FeatureArray, names: Sequence[str], *, model: str) -> None:
    """Write features float32 (N, D) and the names (N) of the pictures they are of, whole or not at all.

    Args:
        path: Where to; its ending says how: one of `FORMS`.
        features: What `Model.features` returns.
        names: The picture of each row.
        model: Which model found them, for whoever reads the file; a CSV file does not say it.

    Raises:
        ConfigError: The ending is another one, or the file cannot be written.
    """
    check_suffix(path)
    data = WRITERS[path.suffix.lower()](features, names, model)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(path, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}; write to another place") from error
