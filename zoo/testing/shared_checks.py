"""Check what must hold of models, encoders and data sets alike.

`Subject` is what every check here needs; `NetSubject` adds building a net. Each docstring of a
check is printed as the claim that it tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch.nn import Module

from zoo.errors import ConfigError
from zoo.plugins.spec import DatasetSpec, EncoderSpec, ModelSpec
from zoo.seeding import use_seed
from zoo.testing.report import CheckFailure, require
from zoo.testing.state import copy_state, find_shared_tensors, get_random_states, is_equal

MAX_SUMMARY_LENGTH = 120
UNUSUAL_SEED = 6_180_339
"""A seed that no other code uses, so that a call to a global `seed` function changes the state visibly."""


class Subject(Protocol):
    """Something that a spec describes and that can be used."""

    @property
    def spec(self) -> Any:
        """The `ModelSpec`, `EncoderSpec` or `DatasetSpec`."""

    def prepare_use(self) -> Callable[[], object]:
        """Return a function that builds the subject and does with it what users do."""


class NetSubject(Subject, Protocol):
    """Something whose builder returns a net."""

    def build_net(self, seed: int = 0, **changes: Any) -> Module:
        """Return a new net."""


def described(subject: Subject) -> None:
    """The spec has a summary of one line."""
    spec: ModelSpec | EncoderSpec | DatasetSpec = subject.spec
    summary = spec.summary
    is_line = bool(summary.strip()) and "\n" not in summary and len(summary) <= MAX_SUMMARY_LENGTH
    fix = f"give {type(spec).__name__}(summary=...) one line of at most {MAX_SUMMARY_LENGTH} letters"
    require(is_line, f"the summary is {summary!r}", fix)


def paper_named(subject: NetSubject) -> None:
    """The spec cites the paper, or says that it is unpublished."""
    spec: ModelSpec | EncoderSpec = subject.spec
    fix = f"give {type(spec).__name__}(paper=...) a citation, or 'unpublished'"
    require(bool(spec.paper.strip()), "the spec names no paper", fix)


def same_seed_same_weights(subject: NetSubject) -> None:
    """Equal seeds give equal weights, and another seed gives other weights."""
    first, repeated, other = (copy_state(subject.build_net(seed)) for seed in (3, 3, 4))
    fix = "draw them with torch's default generator"
    require(is_equal(first, repeated), "the same seed gave two sets of weights", fix)
    require(not first or not is_equal(first, other), "two seeds gave the same weights", fix)


def weights_not_shared(subject: NetSubject) -> None:
    """Two nets do not share memory."""
    shared = find_shared_tensors(subject.build_net(), subject.build_net())
    require(not shared, f"two nets share the memory of {', '.join(shared)}", "create tensors in the builder")


def unknown_option_refused(subject: NetSubject) -> None:
    """An unknown option raises an error."""
    try:
        subject.build_net(no_such_option=1)
    except ConfigError:
        return
    raise CheckFailure("an unknown option was accepted; give the builder named parameters and no **kwargs")


def random_state_untouched(subject: Subject) -> None:
    """Building and using it leaves the global random states as they were."""
    use = subject.prepare_use()
    with use_seed(UNUSUAL_SEED):
        before = get_random_states()
        use()
        after = get_random_states()
    require(after == before, "a global random state changed", "use a generator of your own, and seed no global one")
