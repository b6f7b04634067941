"""Convert any source of images to the size and channels a model takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.arrays import to_float_images, to_nchw
from zoo.data.dataset import Dataset
from zoo.data.external_loader import ExternalLoader
from zoo.data.image_files import is_pillow_image, list_image_files, open_image, pil_to_tensor
from zoo.data.images import Images
from zoo.data.loader import Loader
from zoo.data.readers import is_restartable
from zoo.data.readers.image_folder import list_class_folders
from zoo.data.transforms import resize_images
from zoo.errors import ImageError, SourceError
from zoo.signature import Preprocessing


def resize_images_to_model(images: Images, preprocessing: Preprocessing) -> Images:
    """Return labelled images at the model's size.

    Raises:
        ImageError: The images have another number of channels than the model.
    """
    return Images(resize_to_model(images.images, preprocessing), images.labels, images.classes, name=images.name)


def as_inputs(source: Any, preprocessing: Preprocessing) -> Tensor:
    """Return images (N, C, H, W), uint8 or float in [0, 1], at the model's size and in the given order.

    Args:
        source: A tensor or array in any layout of `zoo.data.arrays.to_nchw`; a Pillow image; the path of an image
            file, or of a folder of them (sorted by name, sub-folders one after another); a list of those; `Images`;
            a loader, whose labels are ignored.
        preprocessing: What the model takes. Image files and Pillow images are also converted to its channels.

    Raises:
        ImageError: There are no images, or they cannot be converted to what the model takes.
        SourceError: A loader yields more batches than its length.
    """
    if isinstance(source, Dataset):
        raise ImageError("a data set has two parts; give its .train or .test")
    if isinstance(source, Images):
        return resize_to_model(source.images, preprocessing)
    if isinstance(source, Loader):
        return resize_to_model(source.images.images, preprocessing)
    if isinstance(source, str | Path) or is_pillow_image(source):
        return _concatenate(_read_images(source, preprocessing))
    if isinstance(source, ExternalLoader) or is_restartable(source):
        return _concatenate(
            _array_to_inputs(_get_batch_images(batch), preprocessing) for batch in _check_num_batches(source)
        )
    if isinstance(source, list | tuple) and not _is_numeric(source):
        return _concatenate(each for item in source for each in _read_item(item, preprocessing))
    return _array_to_inputs(source, preprocessing)


def _check_num_batches(batches: Any) -> Iterator[Any]:
    """Yield batches; raise SourceError when a loader yields more of them than its length."""
    for number, batch in enumerate(batches, start=1):
        if number > len(batches):
            raise SourceError(f"the loader says it has {len(batches)} batches and yields more; correct its length")
        yield batch


def _read_item(item: Any, preprocessing: Preprocessing) -> Iterable[Tensor]:
    if isinstance(item, str | Path) or is_pillow_image(item):
        return _read_images(item, preprocessing)
    return [_array_to_inputs(item, preprocessing)]


def find_image_files(source: str | Path) -> list[Path]:
    """Return the image files of a path: the file itself, or those in the folder or its sub-folders, sorted by name.

    Raises:
        ImageError: The folder holds no image files.
    """
    path = Path(source).expanduser()
    if not path.is_dir():
        return [path]
    files = list_image_files(path) or [file for child in list_class_folders(path) for file in list_image_files(child)]
    if not files:
        raise ImageError(f"{path} holds no image files")
    return files


def _read_images(source: Any, preprocessing: Preprocessing) -> list[Tensor]:
    if is_pillow_image(source):
        return [resize_to_model(pil_to_tensor(source, preprocessing.channels)[None], preprocessing)]
    return [
        resize_to_model(open_image(file, preprocessing.channels)[None], preprocessing)
        for file in find_image_files(source)
    ]


def _array_to_inputs(source: Any, preprocessing: Preprocessing) -> Tensor:
    images = to_nchw(source, channels=preprocessing.channels, size=preprocessing.size)
    return resize_to_model(images if images.dtype == torch.uint8 else to_float_images(images), preprocessing)


def _get_batch_images(batch: Any) -> Any:
    """Return the images of a batch `(images, labels)`, or the batch itself if it is only images."""
    return batch[0] if isinstance(batch, list | tuple) else batch


def _is_numeric(values: Any) -> bool:
    """Return whether a list is nested numbers (an array) and not a list of images."""
    first = values[0] if len(values) else None
    return isinstance(first, int | float) or (isinstance(first, list | tuple) and _is_numeric(first))


def _concatenate(parts: Iterable[Tensor]) -> Tensor:
    images = list(parts)
    if not images:
        raise ImageError("there are no images to predict")
    if len({image.dtype for image in images}) > 1:
        images = [to_float_images(image) for image in images]
    return torch.cat(images)


def resize_to_model(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return images (N, C, H, W) at the model's size.

    Raises:
        ImageError: The images have another number of channels than the model.
    """
    if images.shape[1] != preprocessing.channels:
        hint = (
            "to_grayscale() makes one channel of three"
            if preprocessing.channels == 1
            else f"create the model with channels={images.shape[1]}"
        )
        raise ImageError(
            f"these images have {images.shape[1]} channels, the model takes {preprocessing.channels}; {hint}"
        )
    return resize_images(images, preprocessing.size, preprocessing.resize)
