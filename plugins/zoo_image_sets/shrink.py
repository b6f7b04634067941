"""Write the shipped 7 x 7 data set: `python -m zoo_image_sets.shrink FOLDER [OUT]`.

FOLDER has the four IDX files of Fashion-MNIST. Every image is resized from 28 x 28 to 7 x 7 as in paper 1, with
`scipy.ndimage.zoom` of order 1 (linear), and rounded to integers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom

from zoo import Images
from zoo.data.readers import idx
from zoo.data.readers.archives import write_safetensors
from zoo.signature import Classes
from zoo_image_sets import CLOTHES
from zoo_image_sets.readers import BUNDLED

METADATA = {
    "name": "fashion-mnist-7x7",
    "made by": "python -m zoo_image_sets.shrink",
    "method": "scipy.ndimage.zoom(order=1) from 28 x 28 to 7 x 7, rounded",
    "source": "Fashion-MNIST, Zalando Research",
    "license": "MIT",
}


def shrink_images(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize images, uint8 (N, 28, 28), to uint8 (N, 7, 7)."""
    small = zoom(images.astype(np.float64), (1, 7 / 28, 7 / 28), order=1)
    levels: NDArray[np.uint8] = small.round().clip(0, 255).astype(np.uint8)
    return levels


def main(arguments: list[str]) -> None:
    """Read FOLDER and write OUT (by default the file in this package)."""
    folder, out = Path(arguments[0]), Path(arguments[1]) if len(arguments) > 1 else BUNDLED
    classes = Classes.of(range(10), CLOTHES)
    parts = {}
    for part in ("train", "test"):
        full = idx.read_idx_folder(folder, part, classes)
        small = torch.from_numpy(shrink_images(full.images[:, 0].numpy()))
        parts[part] = Images(small[:, None], full.labels, classes)
    write_safetensors(parts, out, METADATA)
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
