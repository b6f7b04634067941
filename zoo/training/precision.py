"""How numbers behave while a net trains: autocast, and denormal numbers taken as zero."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

AUTOCAST_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_OMP_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a forward pass runs at `fp32`, `bf16` or `fp16`."""
    return torch.autocast(device.type, AUTOCAST_DTYPES.get(precision), enabled=precision in AUTOCAST_DTYPES)


@contextmanager
def flush_denormals() -> Iterator[None]:
    """Treat numbers below 1e-38 as zero meanwhile: weights of dead units fall there and slow a CPU sixfold."""
    was_on = bool(torch.tensor(1e-40) * 1.0 == 0)
    _set_flush_denormal(True)
    try:
        yield
    finally:
        _set_flush_denormal(was_on)


def _set_flush_denormal(enabled: bool) -> None:
    """Set the mode in this thread and in torch's OpenMP threads: it belongs to each thread by itself."""
    torch.set_flush_denormal(enabled)
    runtime, threads = load_openmp(), torch.get_num_threads()
    if runtime is not None and threads > 1:
        call = _OMP_CALLBACK(lambda _: torch.set_flush_denormal(enabled) and None)
        runtime.GOMP_parallel(call, None, threads, 0)  # runs `call` once in each thread of the pool


def run_single_threaded(function: Callable[[], object]) -> None:
    """Do work in this thread alone: what is done in a microsecond must not wait for another thread."""
    runtime, threads = load_openmp(), torch.get_num_threads()
    if runtime is None or threads == 1:
        function()
        return
    runtime.omp_set_num_threads(1)
    try:
        function()
    finally:
        runtime.omp_set_num_threads(threads)


@cache
def load_openmp() -> ctypes.CDLL | None:
    """Return the GNU OpenMP runtime that this torch computes with, or None where it uses another."""
    package = Path(torch.__file__).parent
    found = [
        path for folder in (package / "lib", package.parent / "torch.libs") for path in folder.glob("libgomp*.so*")
    ]
    return ctypes.CDLL(str(found[0])) if found else None
