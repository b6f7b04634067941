"""Data sets as one tensor: `Images`, the `Loader` that draws batches from them, and what can be read as them."""

from zoo.data.augment import AUGMENTATIONS, Augment
from zoo.data.combine import augment_once, center_crop, mix
from zoo.data.dataset import Dataset
from zoo.data.external_loader import ExternalLoader
from zoo.data.images import Images
from zoo.data.loader import Batch, Loader
from zoo.data.readers import as_images

__all__ = [
    "AUGMENTATIONS",
    "Augment",
    "Batch",
    "Dataset",
    "ExternalLoader",
    "Images",
    "Loader",
    "as_images",
    "augment_once",
    "center_crop",
    "mix",
]
