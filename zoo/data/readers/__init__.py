"""Choose the reader for a source of images by what the source is, never by trying one reader after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from zoo.data.dataset import Dataset
from zoo.data.images import Images
from zoo.data.loader import Loader
from zoo.data.readers import archives, idx, image_folder, on_disk, parquet
from zoo.data.readers.iterables import read_items, read_samples
from zoo.data.transforms import Transform
from zoo.errors import SourceError

PART_FOLDERS = {"train": ("train", "training"), "test": ("test", "val", "validation")}


def read_dataset(path: str | Path, transform: Transform | None = None) -> Dataset:
    """Return the data set in a folder or file.

    A folder holds IDX files (also in a sub-folder `raw`), Parquet shards `train*.parquet`, or one sub-folder per
    class, with or without `train` and `test` above them. A file is `.npz`, `.parquet` or `.safetensors`.

    Args:
        path: The folder or file.
        transform: Brings image files to one size as they are read; sets of one size are left unchanged.

    Raises:
        SourceError: There is nothing at `path`, or nothing that zoo reads.
    """
    root = Path(path).expanduser()
    if root.is_file():
        return _read_file(root, transform)
    if not root.is_dir():
        raise SourceError(f"no folder or file {root}; zoo.dataset(name) loads a data set by its name")
    idx_folder = next((each for each in (root, root / "raw") if idx.has_idx_files(each)), None)
    if idx_folder is not None:
        return _make_dataset(lambda part: idx.read_idx_folder(idx_folder, part), root)
    if parquet.find_shards(root, "train") or parquet.find_shards(root, "test"):
        return _make_dataset(lambda part: parquet.read_shards(_find_shards(root, part), transform), root)
    return _make_dataset(lambda part: image_folder.read_image_folder(_find_class_root(root, part), transform), root)


def open_lazy_dataset(path: str | Path, transform: Transform | None = None) -> Dataset:
    """Return the data set in a folder or file as images that stay on disk and are read batch by batch.

    Rows of a `.safetensors` file are read as they are; image files and Parquet shards are decoded when needed.

    Args:
        path: The folder or file.
        transform: Brings image files to one size as they are read.

    Raises:
        SourceError: There is nothing at `path`, or nothing that can be read lazily.
    """
    root = Path(path).expanduser()
    if root.is_file() and root.suffix.lower() == ".safetensors":
        return on_disk.open_safetensors(root)
    if root.is_file() and root.suffix.lower() == ".parquet":
        return _make_dataset(lambda _: on_disk.open_shards([root], transform), root)
    if not root.is_dir():
        raise SourceError(f"{root} is not a folder, .parquet or .safetensors file, so it cannot be read lazily")
    if parquet.find_shards(root, "train") or parquet.find_shards(root, "test"):
        return _make_dataset(lambda part: on_disk.open_shards(_find_shards(root, part), transform), root)
    return _make_dataset(lambda part: on_disk.open_image_folder(_find_class_root(root, part), transform), root)


def _make_dataset(read: Any, path: Path) -> Dataset:
    return Dataset(train=lambda: read("train"), test=lambda: read("test"), name=path.name)


def _read_file(path: Path, transform: Transform | None) -> Dataset:
    readers: dict[str, Any] = {
        ".npz": archives.read_npz,
        ".safetensors": archives.read_safetensors,
        ".parquet": lambda shard: _make_dataset(lambda _: parquet.read_shards([shard], transform), shard),
    }
    if path.suffix.lower() not in readers:
        raise SourceError(
            f"{path} is not one of {', '.join(readers)}; a folder may hold images, IDX files or Parquet shards"
        )
    return readers[path.suffix.lower()](path)  # type: ignore[no-any-return]


def _find_shards(root: Path, part: str) -> list[Path]:
    shards = parquet.find_shards(root, part)
    if not shards:
        raise SourceError(f"{root} has no {part}*.parquet")
    return shards


def _find_class_root(root: Path, part: str) -> Path:
    """Return `root/train` or `root/test` if it exists; a folder without parts is its own training part."""
    folder = next((root / name for name in PART_FOLDERS[part] if (root / name).is_dir()), None)
    if folder is not None:
        return folder
    has_parts = any((root / name).is_dir() for names in PART_FOLDERS.values() for name in names)
    if part == "test" or has_parts:
        raise SourceError(f"{root} has no {part} part; put it into the folder {root / part}")
    return root


def as_images(source: Any, *, transform: Transform | None = None) -> Images:
    """Return any source of labelled images as `Images`, read whole; of a data set, the training images.

    Args:
        source: `Images`, `Dataset`, `Loader`; a folder or file; `(X, y)`; a torch `Dataset`, read once through its
            transforms; a finite iterable of `(image, label)` or `(images, labels)`.
        transform: Brings images to one size as they are read one by one; arrays in memory are left unchanged.

    Raises:
        SourceError, ImageError, LabelError: The source is none of these, or its images or labels cannot be used.
    """
    if isinstance(source, Images):
        return source
    if isinstance(source, Dataset):
        return source.train
    if isinstance(source, Loader):
        return source.images
    if isinstance(source, str | Path):
        return read_dataset(source, transform).train
    if isinstance(source, tuple) and len(source) == 2 and all(hasattr(each, "__len__") for each in source):
        return archives.pair_to_images(*source)
    if isinstance(source, Mapping):
        raise SourceError(f"a {type(source).__name__} is not images; give (X, y), such as (d['images'], d['labels'])")
    if hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, IterableDataset):
        return read_samples(source, source_name=f"the {type(source).__name__}", transform=transform)
    if hasattr(source, "__iter__"):
        return read_items(source, source_name=f"the {type(source).__name__}", transform=transform)
    raise SourceError(
        f"a {type(source).__name__} is not images; give a folder, (X, y), a torch data set or loader, or Images"
    )


def is_restartable(source: Any) -> bool:
    """Return whether `source` is a loader: it has a length, restarts at each `iter`, and is not indexable."""
    is_sequence = hasattr(source, "__getitem__")
    return _has_length(source) and hasattr(source, "__iter__") and not is_sequence and not isinstance(source, Iterator)


def _has_length(source: Any) -> bool:
    try:
        len(source)
    except TypeError:  # no length; torch's DataLoader says so over an iterable data set
        return False
    return True
