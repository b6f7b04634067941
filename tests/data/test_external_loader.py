"""Test loaders of other libraries: batches stay as they are, and several processes share them."""

import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from zoo.data import ExternalLoader
from zoo.errors import ConfigError, ImageError, LabelError, SourceError
from zoo.signature import Classes


class Batches:
    """A loader of another library with fixed batches and a declared length."""

    def __init__(self, batches, length=None):
        self.batches, self.length = batches, length

    def __len__(self):
        return len(self.batches) if self.length is None else self.length

    def __iter__(self):
        return iter(self.batches)


class Endless(Batches):
    def __iter__(self):
        while True:
            yield self.batches[0]


def batch(num=4, low=0, images=None):
    return (torch.rand(num, 1, 5, 5) if images is None else images), torch.arange(low, low + num)


def test_a_data_loader_restarts_each_epoch():
    source = DataLoader(TensorDataset(torch.rand(10, 1, 5, 5), torch.arange(10)), batch_size=4)
    loader = ExternalLoader(source)

    epochs = [[b.targets.tolist() for b in loader.iter_epoch(epoch)] for epoch in range(2)]

    assert epochs == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]] * 2


def test_a_distributed_sampler_gets_the_epoch():
    heard = []

    class Sampler:
        def set_epoch(self, epoch):
            heard.append(epoch)

    source = Batches([batch()])
    source.sampler = Sampler()
    list(ExternalLoader(source).iter_epoch(7))

    assert heard == [7]


@pytest.mark.parametrize("source", [Batches([batch()] * 3, length=2), Endless([batch()], length=2)])
def test_more_batches_than_the_length_says_are_an_error(source):
    with pytest.raises(SourceError, match="says it has 2 batches and yields more"):
        list(ExternalLoader(source))


def test_a_used_up_iterator_is_an_error():
    class Once(Batches):
        def __iter__(self):
            return self.batches

    source = Once(iter([batch()]), length=1)
    list(ExternalLoader(source))

    with pytest.raises(SourceError, match="used up"):
        list(ExternalLoader(source))


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (batch(low=8), LabelError, "labels 8..11; 10 classes have 0..9"),
        (batch(low=-1), LabelError, "labels -1..2"),
        ((torch.rand(4, 1, 5, 5), torch.zeros(3).long()), LabelError, "4 images and 3 labels"),
        ((torch.rand(4, 1, 5, 5), torch.rand(4)), LabelError, "one class per image"),
        ((torch.rand(4, 1, 5, 5), ["a"] * 4), LabelError, "whole numbers"),
        (batch(images=torch.full((4, 1, 5, 5), float("nan"))), ImageError, "NaN"),
        (batch(images=torch.randn(4, 1, 5, 5)), ImageError, "leave Normalize out"),
        (batch(images=torch.rand(4, 1, 0, 5)), ImageError, "not images"),
        (torch.rand(4, 1, 5, 5), SourceError, "yields (images, labels)"),
        ({"image": 1}, SourceError, "not dict"),
        ((torch.rand(4, 1, 5, 5), torch.zeros(4).long(), 1), SourceError, "yields (images, labels)"),
    ],
)
def test_each_batch_is_checked(item, error, words):
    loader = ExternalLoader(Batches([item]), classes=Classes.numbered(10))

    with pytest.raises(error) as raised:
        list(loader)

    assert words in str(raised.value)


def test_class_names_come_from_the_data_set():
    source = Batches([batch()])
    source.dataset = type("Named", (), {"classes": ["a", "b", "c", "d"]})()

    assert ExternalLoader(source).classes.names == ("a", "b", "c", "d")


def test_floats_stay_in_0_to_1_and_uint8_stays_uint8():
    floats, levels = torch.rand(4, 1, 5, 5), torch.randint(256, (4, 1, 5, 5), dtype=torch.uint8)

    first, second = (b.images for b in ExternalLoader(Batches([batch(images=floats), batch(images=levels)])))

    assert torch.equal(first, floats)
    assert second.dtype == torch.uint8


def ordered(num, batch_size, **how):
    return DataLoader(TensorDataset(torch.rand(num, 1, 5, 5), torch.arange(num)), batch_size=batch_size, **how)


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("num", [12, 13, 14, 15, 17])
@pytest.mark.parametrize("batch_size", [3, 4])
def test_each_of_several_processes_takes_its_part_of_every_batch(num, batch_size, world):
    source = ordered(num, batch_size, shuffle=True)
    ranks = [list(ExternalLoader(source, seed=0).iter_epoch(1, rank=rank, world_size=world)) for rank in range(world)]

    assert sorted(label for batches in ranks for batch in batches for label in batch.targets.tolist()) == list(
        range(num)
    )
    assert {len(batches) for batches in ranks} == {ExternalLoader(source).num_batches(world)}
    assert min(len(batch.targets) for batches in ranks for batch in batches) > 0


def test_a_batch_without_an_image_for_each_process_is_refused():
    with pytest.raises(ConfigError, match="batches of 1 images are smaller than the 2 processes"):
        list(ExternalLoader(ordered(8, 1)).iter_epoch(0, world_size=2))


def test_a_loader_that_shards_itself_is_not_split_again():
    data = TensorDataset(torch.rand(12, 1, 5, 5), torch.arange(12))
    found = []
    for rank in (0, 1):
        source = DataLoader(data, batch_size=3, sampler=DistributedSampler(data, num_replicas=2, rank=rank))
        found += [batch.targets.tolist() for batch in ExternalLoader(source).iter_epoch(0, rank=rank, world_size=2)]

    assert sorted(label for batch in found for label in batch) == list(range(12))
    assert {len(each) for each in found} == {3}


def test_the_seed_decides_the_order_of_an_epoch_and_random_states_stay():
    source, before = ordered(12, 4, shuffle=True), torch.get_rng_state()

    def order(seed, epoch):
        return torch.cat([batch.targets for batch in ExternalLoader(source, seed=seed).iter_epoch(epoch)]).tolist()

    assert order(3, 1) == order(3, 1)
    assert len({tuple(order(*which)) for which in ((3, 1), (3, 2), (4, 1))}) == 3
    assert torch.equal(torch.get_rng_state(), before)


def test_the_state_of_a_loaders_own_generator_is_restored():
    def orders(loader, num):
        return [[batch.targets.tolist() for batch in loader.iter_epoch(epoch)] for epoch in range(num)]

    def fresh():
        return ExternalLoader(ordered(12, 4, shuffle=True, generator=torch.Generator().manual_seed(5)))

    first, second = fresh(), fresh()
    whole = orders(first, 3)
    orders(second, 1)
    gone_on = fresh()
    gone_on.load_state_dict(second.state_dict())

    assert orders(gone_on, 2) == whole[1:]
    with pytest.raises(ConfigError, match="had 1 random generators and has 0"):
        ExternalLoader(ordered(12, 4)).load_state_dict(second.state_dict())
