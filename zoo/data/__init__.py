"""Data sets as one tensor: `Images`, the `Loader` that draws batches from them, and what can be read as them."""

from zoo.data.augment import AUGMENTATIONS, Augment
from zoo.data.dataset import Dataset
from zoo.data.images import Images
from zoo.data.loader import Batch, Loader
from zoo.data.mixing import changed, cropped, mix
from zoo.data.sources import images_of
from zoo.data.stream import Stream

__all__ = [
    "AUGMENTATIONS",
    "Augment",
    "Batch",
    "Dataset",
    "Images",
    "Loader",
    "Stream",
    "changed",
    "cropped",
    "images_of",
    "mix",
]
