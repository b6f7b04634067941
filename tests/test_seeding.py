"""Seeded blocks are repeatable and leave the global random states unchanged."""

import random

import numpy as np
import pytest
import torch

from zoo.errors import ConfigError
from zoo.seeding import check_seed, derive_seed, draw_seed, isolate_rng, make_generator, use_seed


def draw_numbers():
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_blocks_with_one_seed_draw_the_same_numbers_and_others_do_not():
    numbers = []
    for seed in (1, 1, 2):
        with use_seed(seed):
            numbers.append(draw_numbers())
    assert numbers[0] == numbers[1]
    assert all(first != second for first, second in zip(numbers[0], numbers[2], strict=True))


@pytest.mark.parametrize("block", [isolate_rng, lambda: use_seed(5)], ids=["isolate_rng", "use_seed"])
def test_the_global_states_do_not_change(block):
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = draw_numbers()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    with block():
        draw_numbers()
    assert draw_numbers() == expected


def test_the_states_are_restored_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), use_seed(5):
        raise RuntimeError(float(torch.rand(1)))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeds_differ_by_purpose_and_are_repeatable():
    seeds = {derive_seed(seed, *parts) for seed in (0, 1) for parts in (("order", 0), ("order", 1), ("augment", 0))}
    assert len(seeds) == 6
    assert derive_seed(7, "order", 3) == derive_seed(7, "order", 3)
    assert torch.equal(torch.rand(3, generator=make_generator(1, "a")), torch.rand(3, generator=make_generator(1, "a")))


def test_new_seeds_differ_and_change_no_state():
    before = torch.get_rng_state(), random.getstate()
    assert len({draw_seed() for _ in range(20)}) == 20
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, "0", True, None])
def test_an_invalid_seed_is_refused(seed):
    with pytest.raises(ConfigError, match="seed is a whole number"):
        check_seed(seed)
