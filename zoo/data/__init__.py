"""Read labelled images from anything a user has, and serve them in batches.

`as_images` reads files, arrays and data sets of other libraries as one `Images`; a `Dataset` is its training and test
`Images`. A `Loader` serves `Images` in batches. An `ExternalLoader` wraps another library's loader.
"""

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
