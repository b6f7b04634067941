"""Data sets as one tensor: `Images`, the `Loader` that draws batches from them, and what can be read as them."""

from zoo.data.augment import AUGMENTATIONS, Augment
from zoo.data.combine import changed, cropped, mix
from zoo.data.dataset import Dataset
from zoo.data.external_loader import Stream
from zoo.data.images import Images
from zoo.data.loader import Batch, Loader
from zoo.data.readers import images_of

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
