"""torchvision's data sets by name: the one door to `torchvision.datasets`, which can also download them."""

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
    """Return a torchvision data set, read from `root` in torchvision's own layout, or downloaded there.

    Args:
        name: A class of `torchvision.datasets`, such as `CIFAR10`.
        root: Where torchvision keeps it.
        download: Fetch it when it is missing.
        transform: Brings pictures to one size as they are read.

    Raises:
        SourceError: torchvision is not installed, the files are missing, or the download fails.
    """
    maker = _find_dataset_class(name)
    return Dataset(
        train=lambda: _read_part(maker, name, root, "train", download, transform),
        test=lambda: _read_part(maker, name, root, "test", download, transform),
        name=name,
    )


def _find_dataset_class(name: str) -> Any:
    try:
        from torchvision import datasets
    except ImportError as error:
        raise SourceError("torchvision's data sets need torchvision: pip install 'zoo-models[torchvision]'") from error
    maker = getattr(datasets, name, None) if name in datasets.__all__ else None
    if maker is None:
        raise UnknownNameError(f"torchvision has no data set {name!r}{did_you_mean(name, datasets.__all__)}")
    return maker


def _check_root_is_enough(name: str, parameters: Mapping[str, inspect.Parameter], arguments: Mapping[str, Any]) -> None:
    """Raise for a data set that takes no folder, or more than one."""
    needed = [each for each, parameter in parameters.items() if parameter.default is parameter.empty]
    more = [
        each for each in needed if each != "root" and each not in arguments and parameters[each].kind in KEYWORD_KINDS
    ]
    if "root" not in parameters or more:
        wants = f"also needs {join_names(more)}" if more else "takes no folder"
        raise SourceError(f"torchvision:{name} {wants}; make it yourself and give it to zoo.data.images_of, or to fit")


def _read_part(
    dataset_class: Any, name: str, root: Path, part: str, download: bool, transform: Transform | None
) -> Images:
    accepted = inspect.signature(dataset_class).parameters
    chosen: dict[str, Any] = (
        {"train": part == "train"} if "train" in accepted else {"split": part} if "split" in accepted else {}
    )
    if "download" in accepted:
        chosen["download"] = download
    _check_root_is_enough(name, accepted, chosen)
    try:
        return read_samples(dataset_class(str(root), **chosen), source_name=f"torchvision:{name}", transform=transform)
    except (RuntimeError, OSError, ValueError, EOFError, ImportError, HTTPException) as error:
        how = "the download failed" if download else f"zoo.dataset('torchvision:{name}', download=True) fetches it"
        raise SourceError(
            f"torchvision:{name} cannot be read from {root} ({str(error).splitlines()[0]}); {how}"
        ) from error
