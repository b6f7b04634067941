"""Read batches from another library's loader: in its own order and size, split among processes that train together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import nullcontext
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from zoo.data.arrays import to_float_images, to_label_tensor, to_nchw
from zoo.data.images import Images
from zoo.data.loader import Batch, Loader
from zoo.data.readers import is_restartable
from zoo.errors import ConfigError, ImageError, LabelError, SourceError
from zoo.seeding import derive_seed, use_seed
from zoo.signature import Classes


class ExternalLoader:
    """Batches from another library's loader of `(images, labels)`, such as a torch `DataLoader`.

    The loader decides order, batch size and augmentation. Images are checked and converted batch by batch: uint8 0 to
    255, or floats 0 to 1; labels are class indices. Of several processes each takes its part of every batch, unless
    the loader shards them itself: it has a `DistributedSampler`, or accelerate prepared it.

    Args:
        batches: An iterable with a length, which starts a new epoch at every `iter`.
        classes: The classes; by default those of `batches.dataset.classes`, else those of the model.
        transform: Converts the images of a batch to what the model takes.
        seed: Seed of each epoch's order, if the loader uses global random states; these are left unchanged. Without
            a seed the order comes from the states.
    """

    def __init__(
        self,
        batches: Iterable[Any],
        *,
        classes: Classes | None = None,
        transform: Callable[[Tensor], Tensor] | None = None,
        seed: int | None = None,
    ) -> None:
        names = getattr(getattr(batches, "dataset", None), "classes", None)
        is_named = isinstance(names, list | tuple) and len(names) > 0
        self.batches = batches
        self.transform = transform
        self.seed = seed
        self.classes = (
            Classes.of(range(len(names)), names) if classes is None and names is not None and is_named else classes
        )
        self._last_batch_size = 0

    def num_batches(self, world_size: int = 1) -> int:
        """Return the number of batches per epoch; a last one smaller than `world_size` joins the one before it."""
        num: int = len(self.batches)  # type: ignore[arg-type]
        return num - int(
            num > 1 and 0 < _last_partial_size(self.batches) < world_size and not self.is_sharded(world_size)
        )

    def __len__(self) -> int:
        return self.num_batches()

    def is_sharded(self, world_size: int) -> bool:
        """Return whether the loader itself gives each of several processes its own batches."""
        samplers = (getattr(self.batches, name, None) for name in ("sampler", "batch_sampler"))
        is_sampled = any(getattr(each, "num_replicas", 1) == world_size for each in samplers)
        return world_size > 1 and (is_sampled or type(self.batches).__module__.startswith("accelerate."))

    def iter_epoch(
        self,
        epoch: int,
        *,
        rank: int = 0,
        world_size: int = 1,
        on_first_batch: Callable[[Tensor], None] = lambda labels: None,
    ) -> Iterator[Batch]:
        """Yield the batches of one epoch for process `rank` of `world_size`.

        Args:
            epoch: Number of the epoch.
            rank: Index of the process.
            world_size: Number of processes.
            on_first_batch: Called with the labels of the first batch before it is split, to check that all processes
                have the same.

        Raises:
            SourceError, ImageError, LabelError: A batch is not images and labels, or there are no batches.
            ConfigError: A batch has fewer images than there are processes.
        """
        batches = self._start_epoch(epoch)
        if world_size == 1 or self.is_sharded(world_size):
            for batch in batches:
                self._last_batch_size = 0 if world_size > 1 else len(batch.targets)
                yield batch
            return
        for number, batch in enumerate(_merge_small_batches(batches, world_size)):
            if number == 0:
                on_first_batch(batch.targets)
            self._last_batch_size = len(batch.targets)
            yield Batch(*(each.tensor_split(world_size)[rank] for each in batch))

    def global_batch_size(self, step: int, world_size: int = 1) -> int:
        """Return the size of the last yielded batch over all processes; 0 where that is not known."""
        return self._last_batch_size

    def state_dict(self) -> dict[str, Any]:
        """Return the states of the loader's own random generators; call it between two epochs."""
        return {"generators": [each.get_state() for each in self._find_generators()]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ConfigError: The loader has another number of generators now.
        """
        generators, states = self._find_generators(), state["generators"]
        if len(generators) != len(states):
            raise ConfigError(
                f"the loader had {len(states)} random generators and has {len(generators)}; give the same loader"
            )
        for generator, each in zip(generators, states, strict=True):
            generator.set_state(each)

    def _find_generators(self) -> list[torch.Generator]:
        batched = getattr(self.batches, "batch_sampler", None)
        owners = (self.batches, getattr(self.batches, "sampler", None), batched, getattr(batched, "sampler", None))
        generators = (getattr(owner, "generator", None) for owner in owners)
        return list({id(each): each for each in generators if isinstance(each, torch.Generator)}.values())

    def _start_epoch(self, epoch: int) -> Iterator[Batch]:
        """Return the batches of an epoch; the first is read under the seed, since the loader then samples its order."""
        batches = self._iter_batches(epoch)
        with nullcontext() if self.seed is None else use_seed(derive_seed(self.seed, "order", epoch)):
            first = next(batches)
        return chain([first], batches)

    def _iter_batches(self, epoch: int) -> Iterator[Batch]:
        set_epoch = getattr(getattr(self.batches, "sampler", None), "set_epoch", None)
        if set_epoch is not None:
            set_epoch(epoch)
        number = 0
        for number, item in enumerate(self.batches, start=1):
            if number > len(self):
                raise SourceError(f"the loader says it has {len(self)} batches and yields more; correct its length")
            batch = _to_batch(item, self.classes)
            yield batch if self.transform is None else Batch(self.transform(batch.images), batch.targets)
        if number == 0:
            raise SourceError("the loader yields no batch: it is empty, or an iterator that is used up after one epoch")

    def __iter__(self) -> Iterator[Batch]:
        return self.iter_epoch(0)

    def __repr__(self) -> str:
        return f"<stream of {len(self)} batches from {type(self.batches).__name__}>"


def _last_partial_size(loader: Any) -> int:
    """Return the size of a torch loader's last batch, or 0 if it is full."""
    size, sampler = getattr(loader, "batch_size", None), getattr(loader, "sampler", None)
    if not isinstance(size, int) or getattr(loader, "drop_last", False) or not isinstance(sampler, Sized):
        return 0
    return len(sampler) % size


def _merge_small_batches(batches: Iterator[Batch], world_size: int) -> Iterator[Batch]:
    """Yield batches of at least `world_size` images: smaller ones join the one before.

    Raises:
        ConfigError: The first one is smaller.
    """
    pending = next(batches)
    if len(pending.targets) < world_size:
        raise ConfigError(
            f"the loader's batches of {len(pending.targets)} images are smaller than the {world_size} processes; "
            "use larger batches or fewer processes"
        )
    for batch in batches:
        if len(batch.targets) < world_size:
            pending = Batch(*(torch.cat(pair) for pair in zip(pending, batch, strict=True)))
            continue
        yield pending
        pending = batch
    yield pending


def _to_batch(item: Any, classes: Classes | None) -> Batch:
    if not isinstance(item, list | tuple) or len(item) != 2:
        kind = f"{len(item)} values" if isinstance(item, list | tuple) else type(item).__name__
        raise SourceError(f"a loader yields (images, labels), not {kind}")
    labels = to_label_tensor(item[1])
    images = to_nchw(item[0], num_images=len(labels))
    if len(images) != len(labels):
        raise LabelError(f"a batch has {len(images)} images and {len(labels)} labels; each image has one")
    if len(images) == 0:
        raise ImageError("a batch is empty")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or (classes is not None and high >= len(classes)):
        limits = f"{len(classes)} classes have 0..{len(classes) - 1}" if classes is not None else "they begin at 0"
        raise LabelError(
            f"a batch has labels {low}..{high}; {limits}. A loader yields class indices; for other labels give fit the "
            "data set itself, which zoo reads whole"
        )
    return Batch(images if images.dtype == torch.uint8 else to_float_images(images), labels)


def is_external_loader(source: Any) -> bool:
    """Return whether a source is a loader of another library, which is read batch by batch in its own order."""
    return isinstance(source, ExternalLoader) or (not isinstance(source, Images | Loader) and is_restartable(source))


def as_external_loader(source: Any) -> ExternalLoader:
    """Return a loader of another library as an `ExternalLoader`."""
    return source if isinstance(source, ExternalLoader) else ExternalLoader(source)
