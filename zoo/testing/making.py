"""Checks of how a model is made: seeds, config, memory, what its spec declares."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zoo.api import create, load
from zoo.errors import ConfigError
from zoo.testing.subject import CheckFailure, Subject, is_equal, require, weights_of


def _random_states() -> tuple[Any, ...]:
    legacy = np.random.get_state()
    return random.getstate(), legacy[1].tobytes(), legacy[2:], torch.get_rng_state().numpy().tobytes()  # type: ignore[union-attr, index]


def same_seed_same_weights(subject: Subject) -> None:
    """The same seed gives the same weights twice, another seed others."""
    first, again, other = (weights_of(subject.make(seed)) for seed in (3, 3, 4))
    require(is_equal(first, again), "the same seed gave two sets of weights; draw them with torch's default generator")
    require(not is_equal(first, other), "two seeds gave the same weights; draw them with torch's default generator")


def random_state_untouched(subject: Subject) -> None:
    """Making, using, saving and loading leave the global random states as they were."""
    images = subject.images()
    before = _random_states()
    model = subject.make()
    model.predict(images)
    with tempfile.TemporaryDirectory() as folder:
        load(model.save(Path(folder) / "model"))
    require(_random_states() == before, "a global random state moved; do not seed or draw outside the builder")


def config_is_complete(subject: Subject) -> None:
    """The stored config rebuilds the same net, whatever the defaults become."""
    model = subject.make()
    again = create(subject.name, seed=model.seed, **model.config)
    require(again.config == model.config, f"config {model.config} became {again.config} when given back")
    require(is_equal(weights_of(model), weights_of(again)), "the stored config gives other weights than the model has")


def unknown_option_refused(subject: Subject) -> None:
    """An option the model does not take is an error, not silence."""
    try:
        subject.make(no_such_option=1)
    except ConfigError:
        return
    raise CheckFailure("an unknown option was accepted; give the builder named parameters and no **kwargs")


def parameters_counted(subject: Subject) -> None:
    """The number of weights the spec declares is true."""
    model = subject.make()
    declared = model.spec.parameters
    if declared is not None and not subject.config:
        require(
            declared == model.num_parameters,
            f"the spec declares {declared} weights, the net has {model.num_parameters}",
        )


def weights_not_shared(subject: Subject) -> None:
    """Two models do not share memory."""
    first, second = subject.make(), subject.make()
    places = {weight.data_ptr() for weight in first.net.state_dict().values() if weight.numel()}
    shared = [
        name for name, weight in second.net.state_dict().items() if weight.numel() and weight.data_ptr() in places
    ]
    require(not shared, f"two models share the memory of {', '.join(shared)}; make tensors in the builder")


def described(subject: Subject) -> None:
    """The spec says in one line what the model is."""
    spec = subject.make().spec
    require(bool(spec.summary.strip()) and "\n" not in spec.summary, "the spec has no summary of one line")
