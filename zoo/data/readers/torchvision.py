"""Read torchvision's data sets by name, and download them; no other module imports `torchvision.datasets`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from zoo.data.dataset import Dataset
from zoo.data.images import Images
from zoo.data.readers.iterables import read_samples
from zoo.data.transforms import Transform
from zoo.errors import SourceError, UnknownNameError, did_you_mean, join_names

KEYWORD_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def read_torchvision(name: str, *, root: Path, download: bool = False, transform: Transform | None = None) -> Dataset:
    """Return a torchvision data set, read from torchvision's own layout in `root`, or downloaded there.

    Args:
        name: A class of `torchvision.datasets`, such as `CIFAR10`.
        root: Folder in which torchvision keeps it.
        download: Download it if it is missing.
        transform: Brings images to one size as they are read.

    Raises:
        SourceError: torchvision is not installed, the files are missing, or the download fails.
    """
    dataset_class = _find_dataset_class(name)
    return Dataset(
        train=lambda: _read_part(dataset_class, name, root, "train", download, transform),
        test=lambda: _read_part(dataset_class, name, root, "test", download, transform),
        name=name,
    )


def _find_dataset_class(name: str) -> Any:
    try:
        from torchvision import datasets
    except ImportError as error:
        raise SourceError("torchvision's data sets need torchvision: pip install 'zoo-models[torchvision]'") from error
    dataset_class = getattr(datasets, name, None) if name in datasets.__all__ else None
    if dataset_class is None:
        raise UnknownNameError(f"torchvision has no data set {name!r}{did_you_mean(name, datasets.__all__)}")
    return dataset_class


def _check_root_is_enough(name: str, parameters: Mapping[str, inspect.Parameter], arguments: Mapping[str, Any]) -> None:
    """Raise SourceError for a data set that takes no folder, or requires more than a folder."""
    needed = [each for each, parameter in parameters.items() if parameter.default is parameter.empty]
    missing = [
        each for each in needed if each != "root" and each not in arguments and parameters[each].kind in KEYWORD_KINDS
    ]
    if "root" not in parameters or missing:
        reason = f"also needs {join_names(missing)}" if missing else "takes no folder"
        raise SourceError(
            f"torchvision:{name} {reason}; create it yourself and pass it to zoo.data.as_images, or to fit"
        )


def _read_part(
    dataset_class: Any, name: str, root: Path, part: str, download: bool, transform: Transform | None
) -> Images:
    accepted = inspect.signature(dataset_class).parameters
    arguments: dict[str, Any] = (
        {"train": part == "train"} if "train" in accepted else {"split": part} if "split" in accepted else {}
    )
    if "download" in accepted:
        arguments["download"] = download
    _check_root_is_enough(name, accepted, arguments)
    try:
        dataset = dataset_class(str(root), **arguments)
        return read_samples(dataset, source_name=f"torchvision:{name}", transform=transform)
    except (RuntimeError, OSError, ValueError, EOFError, ImportError, HTTPException) as error:
        hint = (
            "the download failed" if download else f"download it with zoo.dataset('torchvision:{name}', download=True)"
        )
        raise SourceError(
            f"torchvision:{name} cannot be read from {root} ({str(error).splitlines()[0]}); {hint}"
        ) from error
