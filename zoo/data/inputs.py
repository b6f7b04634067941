"""Anything a person may call images, brought to what a model takes, or an error that says why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.arrays import float_images, shaped
from zoo.data.dataset import Dataset
from zoo.data.external_loader import Stream
from zoo.data.image_files import decoded, is_picture, opened, pictures_in
from zoo.data.images import Images
from zoo.data.loader import Loader
from zoo.data.readers import is_restartable
from zoo.data.readers.image_folder import class_folders
from zoo.data.transforms import resized
from zoo.errors import ImageError, SourceError
from zoo.signature import Preprocessing


def suited(images: Images, wants: Preprocessing) -> Images:
    """Return labelled images at the model's size; another number of channels is an error."""
    return Images(fitted(images.images, wants), images.labels, images.classes, name=images.name)


def inputs_of(source: Any, wants: Preprocessing) -> Tensor:
    """Return images (N, C, H, W), uint8 or float in [0, 1], at the model's size and in the order given.

    Args:
        source: A tensor or array in any layout of `zoo.data.arrays.shaped`; a Pillow image; a path of an image file,
            or of a folder of them (in the order of names, sub-folders one after another); a list of those; `Images`;
            a loader, whose labels are left aside.
        wants: What the model takes. Picture files and Pillow images are also converted to its channels.

    Raises:
        ImageError: There are no images, or they cannot be brought to what the model takes.
    """
    if isinstance(source, Dataset):
        raise ImageError("a data set has two parts; give its .train or .test")
    if isinstance(source, Images):
        return fitted(source.images, wants)
    if isinstance(source, Loader):
        return fitted(source.images.images, wants)
    if isinstance(source, str | Path) or is_picture(source):
        return _joined(_pictures(source, wants))
    if isinstance(source, Stream) or is_restartable(source):
        return _joined(_from_array(_first(batch), wants) for batch in _counted(source))
    if isinstance(source, list | tuple) and not _is_numeric(source):
        return _joined(each for item in source for each in _of_item(item, wants))
    return _from_array(source, wants)


def _counted(batches: Any) -> Iterator[Any]:
    """Yield batches, and raise when a loader gives more of them than its length says."""
    for number, batch in enumerate(batches, start=1):
        if number > len(batches):
            raise SourceError(f"the loader says it has {len(batches)} batches and gives more; mend its length")
        yield batch


def _of_item(item: Any, wants: Preprocessing) -> Iterable[Tensor]:
    if isinstance(item, str | Path) or is_picture(item):
        return _pictures(item, wants)
    return [_from_array(item, wants)]


def files_of(source: str | Path) -> list[Path]:
    """Return the image files a path stands for: itself, or those in a folder or its sub-folders, by name."""
    path = Path(source).expanduser()
    if not path.is_dir():
        return [path]
    files = pictures_in(path) or [file for child in class_folders(path) for file in pictures_in(child)]
    if not files:
        raise ImageError(f"{path} holds no image files")
    return files


def _pictures(source: Any, wants: Preprocessing) -> list[Tensor]:
    if is_picture(source):
        return [fitted(decoded(source, wants.channels)[None], wants)]
    return [fitted(opened(file, wants.channels)[None], wants) for file in files_of(source)]


def _from_array(source: Any, wants: Preprocessing) -> Tensor:
    images = shaped(source, channels=wants.channels, size=wants.size)
    return fitted(images if images.dtype == torch.uint8 else float_images(images), wants)


def _first(batch: Any) -> Any:
    """Return the images of a batch `(images, labels)`, or the batch itself where it is only images."""
    return batch[0] if isinstance(batch, list | tuple) else batch


def _is_numeric(values: Any) -> bool:
    """Return whether a list is nested numbers, and so an array, rather than a list of images."""
    first = values[0] if len(values) else None
    return isinstance(first, int | float) or (isinstance(first, list | tuple) and _is_numeric(first))


def _joined(parts: Iterable[Tensor]) -> Tensor:
    images = list(parts)
    if not images:
        raise ImageError("there are no images to predict")
    if len({image.dtype for image in images}) > 1:
        images = [float_images(image) for image in images]
    return torch.cat(images)


def fitted(images: Tensor, wants: Preprocessing) -> Tensor:
    """Return images (N, C, H, W) at the model's size; another number of channels is an error."""
    if images.shape[1] != wants.channels:
        mend = (
            "grayscale() makes one channel of three"
            if wants.channels == 1
            else f"create the model with channels={images.shape[1]}"
        )
        raise ImageError(f"these images have {images.shape[1]} channels, the model takes {wants.channels}; {mend}")
    return resized(images, wants.size, wants.resize)
