"""A folder of image files: one sub-folder a class, as torchvision's `ImageFolder` has it."""

from __future__ import annotations

from pathlib import Path

import torch

from zoo.data.image_files import opened, pictures_in, stacked
from zoo.data.images import Images
from zoo.data.transforms import Prepare
from zoo.errors import SourceError
from zoo.signature import Classes


def class_folders(folder: Path) -> list[Path]:
    """Return the sub-folders that hold image files, in the order of their names."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and pictures_in(child))


def read_folder(folder: Path, prepare: Prepare | None = None) -> Images:
    """Read one image set: `folder/<class>/<name>.png`. Labels are the sub-folders' names.

    One colour file makes the set colour. Pictures of several sizes need `prepare`, which brings each to one size.
    """
    folders = class_folders(folder)
    if not folders:
        raise SourceError(f"{folder} has no sub-folder with images; each class is a sub-folder")
    files = [(path, index) for index, child in enumerate(folders) for path in pictures_in(child)]
    images = [opened(path, prepare=prepare) for path, _ in files]
    if len({image.shape[0] for image in images}) > 1:
        images = [image.expand(3, -1, -1) for image in images]
    labels = torch.tensor([index for _, index in files])
    return Images(stacked(images, [path for path, _ in files]), labels, Classes.of([child.name for child in folders]))
