"""Convert image files and Pillow images to uint8 tensors; no other module imports Pillow."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from zoo.data.transforms import Transform
from zoo.errors import ImageError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
PILLOW_MODES = {1: "L", 3: "RGB"}


def is_pillow_image(value: object) -> bool:
    """Return whether `value` is a Pillow image."""
    return isinstance(value, Image.Image)


def pil_to_tensor(image: Image.Image, channels: int) -> Tensor:
    """Return a Pillow image as uint8 (C, H, W), rotated as its EXIF tag says; 16-bit levels are scaled to 8.

    Raises:
        ImageError: `channels` is not 1 or 3.
    """
    if channels not in PILLOW_MODES:
        raise ImageError(f"image files have 1 or 3 channels, not {channels}; give an array of {channels} channels")
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        levels = np.asarray(upright, dtype=np.float64)
        scale = 257 if upright.mode.startswith("I;16") or levels.max(initial=0) > 255 else 1
        upright = Image.fromarray((levels / scale).round().clip(0, 255).astype(np.uint8))
    upright.info.pop("transparency", None)  # only the colours matter, and Pillow warns when it drops transparency
    array = np.array(upright.convert(PILLOW_MODES[channels]))
    return torch.from_numpy(array).reshape(*array.shape[:2], channels).permute(2, 0, 1).contiguous()


def open_image(
    source: Path | bytes, channels: int | None = None, *, name: str = "", transform: Transform | None = None
) -> Tensor:
    """Read an image file as uint8 (C, H, W).

    Args:
        source: The path of the file, or its bytes.
        channels: 1 or 3; None keeps grey images grey and converts all others to colour.
        name: Name of the source for messages.
        transform: Applied to the image, such as a resize.

    Raises:
        ImageError: The file is missing, not an image, damaged or too large.
    """
    label = name or (str(source) if isinstance(source, Path) else "an image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
                image = pil_to_tensor(picture, channels or _count_channels(picture))
    except FileNotFoundError as error:
        raise ImageError(f"no file {label}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{label} is too large: {error}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(f"{label} is not an image that can be read: {error}") from error
    return image if transform is None else transform(image[None])[0]


def _count_channels(picture: Image.Image) -> int:
    """Return 1 for a grey picture, 3 for any other."""
    return 1 if picture.mode in ("L", "1", "I", "F", "LA") or picture.mode.startswith("I;") else 3


def list_image_files(folder: Path) -> list[Path]:
    """Return the image files directly in a folder, sorted by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())


def stack_images(images: Iterable[Tensor], names: Iterable[object]) -> Tensor:
    """Stack images (C, H, W) of one size into (N, C, H, W).

    Raises:
        ImageError: Two images differ in size or channels; the message names the first that does.
    """
    pairs = list(zip(images, names, strict=True))
    first, first_name = pairs[0]
    for image, name in pairs:
        if image.shape != first.shape:
            raise ImageError(
                f"{name} is {_describe_shape(image)} and {first_name} is {_describe_shape(first)}; "
                "read them at one size with zoo.dataset(..., size=28)"
            )
    return torch.stack([image for image, _ in pairs])


def _describe_shape(image: Tensor) -> str:
    channels, height, width = image.shape
    return f"{height} x {width} with {channels} channel{'s' if channels > 1 else ''}"


def write_grid(images: Tensor, path: Path, *, columns: int = 10, scale: int = 4) -> None:
    """Write uint8 images (N, C, H, W) as one PNG with `columns` images per row, each pixel `scale` pixels wide."""
    num, channels, height, width = images.shape
    rows = -(-num // columns)
    sheet = torch.full((channels, rows * (height + 1) + 1, columns * (width + 1) + 1), 255, dtype=torch.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * (height + 1) + 1, index % columns * (width + 1) + 1
        sheet[:, top : top + height, left : left + width] = image
    array = sheet.permute(1, 2, 0).squeeze(2).numpy()
    picture = Image.fromarray(array)
    picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST).save(path)
