from __future__ import annotations

from collections import Counter

import pytest
import torch

from zoo import Images, Loader
from zoo.data.augment import Augment
from zoo.errors import ConfigError, SourceError


def numbered(num: int) -> Images:
    """Return images whose labels are their own numbers."""
    return Images(torch.zeros(num, 1, 2, 2, dtype=torch.uint8), torch.arange(num))


def seen(loader: Loader, epoch: int = 0, world: int = 1) -> list[list[int]]:
    """Return the labels of every batch of every rank."""
    return [b.targets.tolist() for rank in range(world) for b in loader.iter_epoch(epoch, rank=rank, world_size=world)]


@pytest.mark.parametrize("world", [1, 2, 3, 4])
@pytest.mark.parametrize("num", [4, 7, 16, 17, 33, 50])
@pytest.mark.parametrize("batch_size", [1, 4, 16])
def test_all_ranks_together_see_each_image_once_per_epoch(num, batch_size, world):
    loader = Loader(numbered(num), batch_size=batch_size)

    times = Counter(number for batch in seen(loader, world=world) for number in batch)

    assert times == dict.fromkeys(range(num), 1)


@pytest.mark.parametrize("world", [1, 2, 3, 4])
@pytest.mark.parametrize("num", [4, 9, 17, 33, 49])
def test_every_rank_takes_the_same_number_of_batches_and_none_is_empty(num, world):
    loader = Loader(numbered(num), batch_size=4)

    batches = [[len(b.images) for b in loader.iter_epoch(0, rank=rank, world_size=world)] for rank in range(world)]

    assert {len(sizes) for sizes in batches} == {loader.num_batches(world)}
    assert min(size for sizes in batches for size in sizes) >= 1


def test_fewer_images_than_processes_are_refused():
    with pytest.raises(ConfigError, match="3 images"):
        next(Loader(numbered(3), batch_size=4).iter_epoch(0, rank=0, world_size=4))


def test_the_same_seed_and_epoch_give_the_same_order():
    assert seen(Loader(numbered(40), batch_size=8, seed=5), 3) == seen(Loader(numbered(40), batch_size=8, seed=5), 3)


def test_another_epoch_or_seed_gives_another_order():
    first = seen(Loader(numbered(40), batch_size=8, seed=5), 3)

    assert first != seen(Loader(numbered(40), batch_size=8, seed=5), 4)
    assert first != seen(Loader(numbered(40), batch_size=8, seed=6), 3)


def test_without_shuffle_the_order_stays():
    assert seen(Loader(numbered(5), batch_size=2, shuffle=False), 9) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("world", [1, 2, 3])
def test_drop_last_leaves_full_batches_only(world):
    loader = Loader(numbered(50), batch_size=8, drop_last=True)

    batches = seen(loader, world=world)

    assert {len(batch) for batch in batches} == {8}
    assert len(batches) == loader.num_batches(world) * world == 50 // (8 * world) * world


def test_drop_last_with_less_than_a_batch_says_so():
    with pytest.raises(ConfigError, match="drop_last"):
        next(iter(Loader(numbered(5), batch_size=8, drop_last=True)))


def test_len_is_the_number_of_batches():
    assert len(Loader(numbered(17), batch_size=4)) == len(list(Loader(numbered(17), batch_size=4))) == 5


def test_augmentation_depends_on_seed_and_epoch_alone(small):
    loader = Loader(small, batch_size=64, seed=1, augment=Augment(("noise", "shift")))

    first, again, other = (next(loader.iter_epoch(epoch)).images for epoch in (0, 0, 1))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_an_epoch_leaves_the_global_random_state_alone(small):
    before = torch.get_rng_state()

    list(Loader(small, augment=Augment(("noise",))))

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "8"])
def test_an_invalid_batch_size_is_refused(small, batch_size):
    with pytest.raises(ConfigError, match="batch_size"):
        Loader(small, batch_size=batch_size)


def test_a_loader_of_another_source_says_how_to_convert_it():
    with pytest.raises(SourceError, match="as_images"):
        Loader([1, 2, 3])
