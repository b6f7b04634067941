"""Wrap players for training (fused, compiled, channels last, shared among processes) and unwrap them afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import Module

from zoo.errors import ConfigError
from zoo.fused import fuse_training, unfuse
from zoo.recipe import Recipe
from zoo.tasks import Task


@contextmanager
def wrap_players(
    net: Module, players: Mapping[str, Module], task: Task, recipe: Recipe, accelerator: Any
) -> Iterator[dict[str, Module]]:
    """Yield the players as the loop runs them; afterwards `net` has its plain parameters again.

    Args:
        net: The module with all players.
        players: The task's players.
        task: What is learned.
        recipe: How to train.
        accelerator: accelerate's `Accelerator`.

    Raises:
        ConfigError: `kernels='fused'` is not possible here.
    """
    if recipe.channels_last:
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    nets = {name: _wrap_player(player, task, recipe, accelerator) for name, player in players.items()}
    try:
        yield nets
    finally:
        for each in nets.values():
            unfuse(each)
        if recipe.channels_last:
            net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def _wrap_player(player: Module, task: Task, recipe: Recipe, accelerator: Any) -> Module:
    obstacle = _find_fused_obstacle(task, recipe, accelerator)
    if not obstacle:
        player = fuse_training(player, recipe.kernels)
    elif recipe.kernels == "fused":
        raise ConfigError(f"kernels='fused' is not possible {obstacle}; use kernels='auto'")
    if recipe.compile:
        player = torch.compile(player)  # type: ignore[assignment]
    prepared: Module = accelerator.prepare_model(player, device_placement=False)
    return prepared


def _find_fused_obstacle(task: Task, recipe: Recipe, accelerator: Any) -> str:
    """Return why no net can be trained fused here, or an empty string."""
    obstacles = {
        "for a task that is not cross-entropy": not getattr(task, "is_cross_entropy", False),
        "in several processes": accelerator.num_processes > 1,
        f"with precision={recipe.precision!r}": recipe.precision != "fp32",
        "with compile=True": recipe.compile,
    }
    return next((obstacle for obstacle, is_present in obstacles.items() if is_present), "")
