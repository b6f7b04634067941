"""Read a folder of image files with one sub-folder per class, as torchvision's `ImageFolder` does."""

from __future__ import annotations

from pathlib import Path

import torch

from zoo.data.image_files import list_image_files, open_image, stack_images
from zoo.data.images import Images
from zoo.data.transforms import Transform
from zoo.errors import SourceError
from zoo.signature import Classes


def list_class_folders(folder: Path) -> list[Path]:
    """Return the sub-folders that hold image files, sorted by name."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and list_image_files(child))


def read_image_folder(folder: Path, transform: Transform | None = None) -> Images:
    """Read the image set `folder/<class>/<name>.png`; labels are the names of the sub-folders.

    One colour file makes the whole set colour. Images of several sizes need `transform`, which brings each to one size.

    Raises:
        SourceError: The folder has no sub-folder with images.
        ImageError: A file cannot be read, or sizes differ.
    """
    folders = list_class_folders(folder)
    if not folders:
        raise SourceError(f"{folder} has no sub-folder with images; make one sub-folder per class")
    files = [(path, index) for index, child in enumerate(folders) for path in list_image_files(child)]
    images = [open_image(path, transform=transform) for path, _ in files]
    if len({image.shape[0] for image in images}) > 1:
        images = [image.expand(3, -1, -1) for image in images]
    labels = torch.tensor([index for _, index in files])
    return Images(
        stack_images(images, [path for path, _ in files]), labels, Classes.of([child.name for child in folders])
    )
