"""Randomness is handed in, and the global states are left alone."""

import random

import numpy as np
import pytest
import torch

from zoo.errors import ConfigError
from zoo.seeding import check_seed, derive_seed, draw_seed, isolate_rng, make_generator, use_seed


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def test_isolated_blocks_of_one_seed_draw_the_same_and_others_do_not():
    drawn = []
    for seed in (1, 1, 2):
        with use_seed(seed):
            drawn.append(draws())
    assert drawn[0] == drawn[1]
    assert all(first != second for first, second in zip(drawn[0], drawn[2], strict=True))


@pytest.mark.parametrize("block", [isolate_rng, lambda: use_seed(5)], ids=["preserved", "isolated"])
def test_the_global_states_go_on_as_if_nothing_had_been_drawn(block):
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = draws()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    with block():
        draws()
    assert draws() == expected


def test_the_states_are_restored_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), use_seed(5):
        raise RuntimeError(float(torch.rand(1)))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeds_for_other_purposes_differ_and_for_the_same_agree():
    seeds = {derive_seed(seed, *parts) for seed in (0, 1) for parts in (("order", 0), ("order", 1), ("augment", 0))}
    assert len(seeds) == 6
    assert derive_seed(7, "order", 3) == derive_seed(7, "order", 3)
    assert torch.equal(torch.rand(3, generator=make_generator(1, "a")), torch.rand(3, generator=make_generator(1, "a")))


def test_fresh_seeds_differ_and_move_no_state():
    before = torch.get_rng_state(), random.getstate()
    assert len({draw_seed() for _ in range(20)}) == 20
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, "0", True, None])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ConfigError, match="seed is a whole number"):
        check_seed(seed)
