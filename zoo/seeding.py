"""Derive seeds, and seed a block of code without changing the global random states."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from zoo.errors import ConfigError


def draw_seed() -> int:
    """Return a seed from the operating system; no random state changes."""
    return secrets.randbits(31)


def derive_seed(seed: int, *parts: int | str) -> int:
    """Return a seed for one purpose, such as `derive_seed(seed, "order", epoch)`; equal parts give equal seeds."""
    text = repr((seed, *parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def make_generator(seed: int, *parts: int | str) -> torch.Generator:
    """Return a CPU generator with the seed of one purpose; see `derive_seed`."""
    return torch.Generator().manual_seed(derive_seed(seed, *parts))


def check_seed(seed: object) -> None:
    """Raise unless `seed` is an integer from 0 to 2**63 - 1.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise ConfigError(f"seed is a whole number of at least 0, not {seed!r}")


def get_rng_states() -> dict[str, Any]:
    """Return the global random states of Python, numpy and torch (CPU, and CUDA once it has started)."""
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)
    return {
        "python": (version, torch.tensor(numbers), gauss),
        "numpy": (name, torch.tensor(np.asarray(keys).astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }


def set_rng_states(states: dict[str, Any]) -> None:
    """Restore what `get_rng_states` returned; CUDA's states only if the number of devices is the same."""
    version, numbers, gauss = states["python"]
    name, keys, *rest = states["numpy"]
    random.setstate((version, tuple(numbers.tolist()), gauss))
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_initialized() and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])


@contextmanager
def isolate_rng() -> Iterator[None]:
    """Restore the global random states of Python, numpy and torch (CPU and CUDA) after the block."""
    before = get_rng_states()
    try:
        yield
    finally:
        set_rng_states(before)


@contextmanager
def use_seed(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed every global random state for the block, and restore the states afterwards.

    With a CUDA `device`, CUDA is initialized first, so that its states are restored too.

    Args:
        seed: The seed.
        device: Where the block computes, or None.
    """
    if device is not None and device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
    with isolate_rng():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        yield
