"""The learning rate of each schedule, at the epochs where it is known."""

import math

import pytest

from zoo.recipe import Recipe
from zoo.training.schedule import Schedule, lr_factor


def compute_factors(recipe, points):
    return [lr_factor(recipe, epoch) for epoch in points]


def test_constant_does_not_change():
    assert compute_factors(Recipe(epochs=4), (0, 1.5, 4)) == [1, 1, 1]


def test_step_drops_by_gamma_every_step_size():
    recipe = Recipe(epochs=9, schedule="step", step_size=3, gamma=0.5)
    assert compute_factors(recipe, (0, 2.99, 3, 6, 8.9)) == [1, 1, 0.5, 0.25, 0.25]


def test_cosine_falls_from_one_to_zero():
    recipe = Recipe(epochs=8, schedule="cosine")
    assert compute_factors(recipe, (0, 4, 8)) == pytest.approx([1, 0.5, 0], abs=1e-12)


def test_one_cycle_peaks_after_three_tenths_and_falls_to_almost_zero():
    recipe = Recipe(epochs=10, schedule="one-cycle")
    assert compute_factors(recipe, (0, 3, 10)) == pytest.approx([1 / 25, 1, 1e-4])
    rates = compute_factors(recipe, [k / 10 for k in range(101)])
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


def test_plateau_lowers_the_rate_after_step_size_epochs_without_improvement():
    recipe = Recipe(lr=1.0, schedule="plateau", step_size=2, gamma=0.5)
    schedule = Schedule(recipe, steps_per_epoch=1)
    rates = []
    for loss in (3.0, 2.0, 2.5, 2.1, 2.0, 2.0, 1.0, 1.5):
        schedule.update_plateau(loss)
        rates.append(schedule.lr)
    assert rates == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_warm_up_is_linear_and_the_schedule_follows_it():
    recipe = Recipe(epochs=6, schedule="cosine", warmup=2)
    assert compute_factors(recipe, (0, 0.5, 1, 2, 4, 6)) == pytest.approx([0, 0.25, 0.5, 1, 0.5, 0], abs=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "one-cycle", "plateau"])
def test_every_factor_is_between_zero_and_one(schedule):
    recipe = Recipe(epochs=5, schedule=schedule, warmup=1)
    assert all(
        0 <= factor <= 1 and math.isfinite(factor) for factor in compute_factors(recipe, [k / 7 for k in range(36)])
    )
