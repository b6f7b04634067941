"""Set how a net computes while it trains: autocast to a lower precision, and denormal numbers flushed to zero."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from zoo.fused.openmp import load_openmp

AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_OMP_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a forward pass runs at `fp32`, `bf16` or `fp16`."""
    return torch.autocast(device.type, AUTOCAST_DTYPES.get(precision), enabled=precision in AUTOCAST_DTYPES)


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Flush numbers below 1e-38 to zero inside the block, in every thread that torch computes with.

    Weights of dead units decay into that range, where a CPU computes up to six times slower.
    """
    was_on = bool(torch.tensor(1e-40) * 1.0 == 0)
    _set_flush_denormal(True)
    try:
        yield
    finally:
        _set_flush_denormal(was_on)


def _set_flush_denormal(enabled: bool) -> None:
    """Set the mode in this thread and in torch's OpenMP threads; each thread has its own mode."""
    torch.set_flush_denormal(enabled)
    runtime, num_threads = load_openmp(), torch.get_num_threads()
    if runtime is not None and num_threads > 1:
        call = _OMP_CALLBACK(lambda _: torch.set_flush_denormal(enabled) and None)
        runtime.GOMP_parallel(call, None, num_threads, 0)  # runs `call` once in each thread of the pool
