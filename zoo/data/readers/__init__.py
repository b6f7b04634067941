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
from zoo.data.readers.iterables import from_items, from_samples
from zoo.data.transforms import Prepare
from zoo.errors import SourceError

PARTS = {"train": ("train", "training"), "test": ("test", "val", "validation")}


def dataset_at(path: str | Path, prepare: Prepare | None = None) -> Dataset:
    """Return the data set in a folder or file.

    A folder holds IDX files (also below `raw`), Parquet shards `train*.parquet`, or a sub-folder a class, with or
    without `train` and `test` above them. A file is `.npz`, `.parquet` or `.safetensors`.

    Args:
        path: The folder or file.
        prepare: Brings pictures to one size as they are read one by one; sets that have one size are left as they are.

    Raises:
        SourceError: There is nothing at `path`, or nothing that zoo reads.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return _file(place, prepare)
    if not place.is_dir():
        raise SourceError(f"no folder or file {place}; zoo.dataset(name) gives a data set by its name")
    inner = next((each for each in (place, place / "raw") if idx.has_idx(each)), None)
    if inner is not None:
        return _parts(lambda part: idx.read_folder(inner, part), place)
    if parquet.shards(place, "train") or parquet.shards(place, "test"):
        return _parts(lambda part: parquet.read_shards(_shards(place, part), prepare), place)
    return _parts(lambda part: folder.read_folder(_class_root(place, part), prepare), place)


def open_lazy_dataset(path: str | Path, prepare: Prepare | None = None) -> Dataset:
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
        return disk.packed(place)
    if place.is_file() and place.suffix.lower() == ".parquet":
        return _parts(lambda _: disk.shards([place], prepare), place)
    if not place.is_dir():
        raise SourceError(f"{place} is no folder, .parquet or .safetensors that can stay on the disk")
    if parquet.shards(place, "train") or parquet.shards(place, "test"):
        return _parts(lambda part: disk.shards(_shards(place, part), prepare), place)
    return _parts(lambda part: disk.pictures(_class_root(place, part), prepare), place)


def _parts(read: Any, place: Path) -> Dataset:
    return Dataset(train=lambda: read("train"), test=lambda: read("test"), name=place.name)


def _file(path: Path, prepare: Prepare | None) -> Dataset:
    readers: dict[str, Any] = {
        ".npz": packed.read_npz,
        ".safetensors": packed.read_safetensors,
        ".parquet": lambda shard: _parts(lambda _: parquet.read_shards([shard], prepare), shard),
    }
    if path.suffix.lower() not in readers:
        raise SourceError(
            f"{path} is none of {', '.join(readers)}; a folder may hold images, IDX files or Parquet shards"
        )
    return readers[path.suffix.lower()](path)  # type: ignore[no-any-return]


def _shards(place: Path, part: str) -> list[Path]:
    found = parquet.shards(place, part)
    if not found:
        raise SourceError(f"{place} has no {part}*.parquet")
    return found


def _class_root(place: Path, part: str) -> Path:
    """Return `place/train` or `place/test` where there is one; a folder without parts is its own training part."""
    named = next((place / name for name in PARTS[part] if (place / name).is_dir()), None)
    if named is not None:
        return named
    has_parts = any((place / name).is_dir() for names in PARTS.values() for name in names)
    if part == "test" or has_parts:
        raise SourceError(f"{place} has no {part} part; it would be the folder {place / part}")
    return place


def images_of(source: Any, *, prepare: Prepare | None = None) -> Images:
    """Return anything that holds labelled images as `Images`, read whole; of a data set, the training images.

    Args:
        source: `Images`, `Dataset`, `Loader`; a folder or file; `(X, y)`; a torch `Dataset`, read once through its
            transforms; an iterable of `(image, label)` or `(images, labels)` that ends.
        prepare: Brings pictures to one size as they are read one by one; what is in memory is left as it is.

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
        return dataset_at(source, prepare).train
    if isinstance(source, tuple) and len(source) == 2 and all(hasattr(each, "__len__") for each in source):
        return packed.from_pair(*source)
    if isinstance(source, Mapping):
        raise SourceError(f"a {type(source).__name__} is no images; give (X, y), such as (d['images'], d['labels'])")
    if hasattr(source, "__getitem__") and hasattr(source, "__len__") and not isinstance(source, IterableDataset):
        return from_samples(source, what=f"the {type(source).__name__}", prepare=prepare)
    if hasattr(source, "__iter__"):
        return from_items(source, what=f"the {type(source).__name__}", prepare=prepare)
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
