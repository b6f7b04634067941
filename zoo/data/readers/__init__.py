"""What can be read as images: told apart by what it is, never by trying one reader after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch.utils.data import IterableDataset

from zoo.data.dataset import Dataset
from zoo.data.images import Images
from zoo.data.loader import Loader
from zoo.data.readers import archives as packed
from zoo.data.readers import idx, parquet
from zoo.data.readers import image_folder as folder
from zoo.data.readers import on_disk as disk
from zoo.data.readers.iterables import read_items, read_samples
from zoo.data.transforms import Transform
from zoo.errors import SourceError

PART_FOLDERS = {"train": ("train", "training"), "test": ("test", "val", "validation")}


def read_dataset(path: str | Path, transform: Transform | None = None) -> Dataset:
    """Return the data set in a folder or file.

    A folder holds IDX files (also below `raw`), Parquet shards `train*.parquet`, or a sub-folder a class, with or
    without `train` and `test` above them. A file is `.npz`, `.parquet` or `.safetensors`.

    Args:
        path: The folder or file.
        transform: Brings pictures to one size as they are read one by one; sets that have one size are left as they are.

    Raises:
        SourceError: There is nothing at `path`, or nothing that zoo reads.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return _read_file(place, transform)
    if not place.is_dir():
        raise SourceError(f"no folder or file {place}; zoo.dataset(name) gives a data set by its name")
    inner = next((each for each in (place, place / "raw") if idx.has_idx_files(each)), None)
    if inner is not None:
        return _make_dataset(lambda part: idx.read_idx_folder(inner, part), place)
    if parquet.find_shards(place, "train") or parquet.find_shards(place, "test"):
        return _make_dataset(lambda part: parquet.read_shards(_find_shards(place, part), transform), place)
    return _make_dataset(lambda part: folder.read_image_folder(_find_class_root(place, part), transform), place)


def open_lazy_dataset(path: str | Path, prepare: Transform | None = None) -> Dataset:
    """Return the data set in a folder or file as images that stay there and are read batch by batch.

    The rows of a `.safetensors` file are read; a folder of pictures and Parquet shards are decoded as they are needed.

    Args:
        path: The folder or file.
        prepare: Brings pictures to one size as they are read.

    Raises:
        SourceError: There is nothing at `path`, or nothing that can be read so.
    """
    place = Path(path).expanduser()
    if place.is_file() and place.suffix.lower() == ".safetensors":
        return disk.open_safetensors(place)
    if place.is_file() and place.suffix.lower() == ".parquet":
        return _make_dataset(lambda _: disk.open_shards([place], prepare), place)
    if not place.is_dir():
        raise SourceError(f"{place} is no folder, .parquet or .safetensors that can stay on the disk")
    if parquet.find_shards(place, "train") or parquet.find_shards(place, "test"):
        return _make_dataset(lambda part: disk.open_shards(_find_shards(place, part), prepare), place)
    return _make_dataset(lambda part: disk.open_image_folder(_find_class_root(place, part), prepare), place)


def _make_dataset(read: Any, path: Path) -> Dataset:
    return Dataset(train=lambda: read("train"), test=lambda: read("test"), name=path.name)


def _read_file(path: Path, transform: Transform | None) -> Dataset:
    readers: dict[str, Any] = {
        ".npz": packed.read_npz,
        ".safetensors": packed.read_safetensors,
        ".parquet": lambda shard: _make_dataset(lambda _: parquet.read_shards([shard], transform), shard),
    }
    if path.suffix.lower() not in readers:
        raise SourceError(
            f"{path} is none of {', '.join(readers)}; a folder may hold images, IDX files or Parquet shards"
        )
    return readers[path.suffix.lower()](path)  # type: ignore[no-any-return]


def _find_shards(root: Path, part: str) -> list[Path]:
    found = parquet.find_shards(root, part)
    if not found:
        raise SourceError(f"{root} has no {part}*.parquet")
    return found


def _find_class_root(root: Path, part: str) -> Path:
    """Return `place/train` or `place/test` where there is one; a folder without parts is its own training part."""
    named = next((root / name for name in PART_FOLDERS[part] if (root / name).is_dir()), None)
    if named is not None:
        return named
    has_parts = any((root / name).is_dir() for names in PART_FOLDERS.values() for name in names)
    if part == "test" or has_parts:
        raise SourceError(f"{root} has no {part} part; it would be the folder {root / part}")
    return root


def as_images(source: Any, *, transform: Transform | None = None) -> Images:
    """Return anything that holds labelled images as `Images`, read whole; of a data set, the training images.

    Args:
        source: `Images`, `Dataset`, `Loader`; a folder or file; `(X, y)`; a torch `Dataset`, read once through its
            transforms; an iterable of `(image, label)` or `(images, labels)` that ends.
        transform: Brings pictures to one size as they are read one by one; what is in memory is left as it is.

    Raises:
        SourceError, ImageError, LabelError: It is none of these, or what it holds cannot be used.
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
        return packed.pair_to_images(*source)
    if isinstance(source, Mapping):
        raise SourceError(f"a {type(source).__name__} is no images; give (X, y), such as (d['images'], d['labels'])")
    if hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, IterableDataset):
        return read_samples(source, source_name=f"the {type(source).__name__}", transform=transform)
    if hasattr(source, "__iter__"):
        return read_items(source, source_name=f"the {type(source).__name__}", transform=transform)
    raise SourceError(
        f"a {type(source).__name__} is no images; give a folder, (X, y), a torch data set or loader, or Images"
    )


def is_restartable(source: Any) -> bool:
    """Return whether `source` is a loader: it has a length and starts anew at each `iter`, and has no random access."""
    is_sequence = hasattr(source, "__getitem__")
    return _has_length(source) and hasattr(source, "__iter__") and not is_sequence and not isinstance(source, Iterator)


def _has_length(source: Any) -> bool:
    try:
        len(source)
    except TypeError:  # no length; torch's DataLoader says so over an iterable data set
        return False
    return True
