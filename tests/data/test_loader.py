from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from zoo import Images, Loader
from zoo.data import Stream
from zoo.data.augment import Augment
from zoo.errors import ConfigError, ImageError, LabelError, SourceError


def numbered(num: int) -> Images:
    """Return images that each hold their own number as label."""
    return Images(torch.zeros(num, 1, 2, 2, dtype=torch.uint8), torch.arange(num))


def seen(loader: Loader, epoch: int = 0, world: int = 1) -> list[list[int]]:
    """Return the labels of every batch of every rank."""
    return [b.targets.tolist() for rank in range(world) for b in loader.epoch(epoch, rank=rank, world=world)]


@pytest.mark.parametrize("world", [1, 2, 3, 4])
@pytest.mark.parametrize("num", [4, 7, 16, 17, 33, 50])
@pytest.mark.parametrize("batch_size", [1, 4, 16])
def test_all_ranks_together_see_each_image_once_an_epoch(num, batch_size, world):
    loader = Loader(numbered(num), batch_size=batch_size)

    times = Counter(number for batch in seen(loader, world=world) for number in batch)

    assert times == dict.fromkeys(range(num), 1)


@pytest.mark.parametrize("world", [1, 2, 3, 4])
@pytest.mark.parametrize("num", [4, 9, 17, 33, 49])
def test_every_rank_takes_the_same_number_of_batches_and_none_is_empty(num, world):
    loader = Loader(numbered(num), batch_size=4)

    batches = [[len(b.images) for b in loader.epoch(0, rank=rank, world=world)] for rank in range(world)]

    assert {len(sizes) for sizes in batches} == {loader.steps(world)}
    assert min(size for sizes in batches for size in sizes) >= 1


def test_fewer_images_than_processes_are_refused():
    with pytest.raises(ConfigError, match="3 images"):
        next(Loader(numbered(3), batch_size=4).epoch(0, rank=0, world=4))


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
    assert len(batches) == loader.steps(world) * world == 50 // (8 * world) * world


def test_drop_last_with_less_than_a_batch_says_so():
    with pytest.raises(ConfigError, match="drop_last"):
        next(iter(Loader(numbered(5), batch_size=8, drop_last=True)))


def test_len_is_the_number_of_batches():
    assert len(Loader(numbered(17), batch_size=4)) == len(list(Loader(numbered(17), batch_size=4))) == 5


def test_augmentation_depends_on_seed_and_epoch_alone(small):
    loader = Loader(small, batch_size=64, seed=1, augment=Augment(("noise", "shift")))

    first, again, other = (next(loader.epoch(epoch)).images for epoch in (0, 0, 1))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_an_epoch_leaves_the_global_random_state_alone(small):
    before = torch.get_rng_state()

    list(Loader(small, augment=Augment(("noise",))))

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "8"])
def test_a_batch_size_that_cannot_be_is_refused(small, batch_size):
    with pytest.raises(ConfigError, match="batch_size"):
        Loader(small, batch_size=batch_size)


def test_a_loader_of_something_else_says_how_to_read_it():
    with pytest.raises(SourceError, match="images_of"):
        Loader([1, 2, 3])


class Batches:
    """A loader of somebody else: `given` batches, and a length it claims."""

    def __init__(self, given, length=None):
        self.given, self.length = given, length

    def __len__(self):
        return len(self.given) if self.length is None else self.length

    def __iter__(self):
        return iter(self.given)


class Endless(Batches):
    def __iter__(self):
        while True:
            yield self.given[0]


def batch(num=4, low=0, images=None):
    return (torch.rand(num, 1, 5, 5) if images is None else images), torch.arange(low, low + num)


def test_a_data_loader_streams_anew_each_epoch():
    source = DataLoader(TensorDataset(torch.rand(10, 1, 5, 5), torch.arange(10)), batch_size=4)
    stream = Stream(source)

    epochs = [[b.targets.tolist() for b in stream.epoch(epoch)] for epoch in range(2)]

    assert epochs == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]] * 2


def test_a_distributed_sampler_hears_of_the_epoch():
    heard = []

    class Sampler:
        def set_epoch(self, epoch):
            heard.append(epoch)

    source = Batches([batch()])
    source.sampler = Sampler()
    list(Stream(source).epoch(7))

    assert heard == [7]


@pytest.mark.parametrize("source", [Batches([batch()] * 3, length=2), Endless([batch()], length=2)])
def test_more_batches_than_the_length_says_are_an_error(source):
    with pytest.raises(SourceError, match="says it has 2 batches and gives more"):
        list(Stream(source))


def test_a_used_up_iterator_is_an_error():
    class Once(Batches):
        def __iter__(self):
            return self.given

    source = Once(iter([batch()]), length=1)
    list(Stream(source))

    with pytest.raises(SourceError, match="used up"):
        list(Stream(source))


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (batch(low=8), LabelError, "labels 8..11; 10 classes have 0..9"),
        (batch(low=-1), LabelError, "labels -1..2"),
        ((torch.rand(4, 1, 5, 5), torch.zeros(3).long()), LabelError, "4 images and 3 labels"),
        ((torch.rand(4, 1, 5, 5), torch.rand(4)), LabelError, "one class an image"),
        ((torch.rand(4, 1, 5, 5), ["a"] * 4), LabelError, "whole numbers"),
        (batch(images=torch.full((4, 1, 5, 5), float("nan"))), ImageError, "NaN"),
        (batch(images=torch.randn(4, 1, 5, 5)), ImageError, "leave Normalize out"),
        (batch(images=torch.rand(4, 1, 0, 5)), ImageError, "no images"),
        (torch.rand(4, 1, 5, 5), SourceError, "yields (images, labels)"),
        ({"image": 1}, SourceError, "not dict"),
        ((torch.rand(4, 1, 5, 5), torch.zeros(4).long(), 1), SourceError, "yields (images, labels)"),
    ],
)
def test_each_batch_of_a_stream_is_checked(item, error, words):
    stream = Stream(Batches([item]), classes=numbered(10).classes)

    with pytest.raises(error) as raised:
        list(stream)

    assert words in str(raised.value)


def test_a_stream_takes_its_class_names_from_the_data_set():
    source = Batches([batch()])
    source.dataset = type("Named", (), {"classes": ["a", "b", "c", "d"]})()

    assert Stream(source).classes.names == ("a", "b", "c", "d")


def test_a_stream_gives_floats_in_0_to_1_and_leaves_levels_alone():
    floats, levels = torch.rand(4, 1, 5, 5), torch.randint(256, (4, 1, 5, 5), dtype=torch.uint8)

    first, second = (b.images for b in Stream(Batches([batch(images=floats), batch(images=levels)])))

    assert torch.equal(first, floats)
    assert second.dtype == torch.uint8
