"""The OpenMP runtime that torch computes with on the CPU: load it, and run a function in one thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch


@cache
def load_openmp() -> ctypes.CDLL | None:
    """Return the GNU OpenMP runtime of the installed torch, or None where torch uses another one."""
    package = Path(torch.__file__).parent
    paths = [
        path for folder in (package / "lib", package.parent / "torch.libs") for path in folder.glob("libgomp*.so*")
    ]
    return ctypes.CDLL(str(paths[0])) if paths else None


def run_single_threaded(function: Callable[[], object]) -> None:
    """Run a function in the calling thread alone.

    A call that takes a microsecond is slower if it waits for a second thread.
    """
    runtime, num_threads = load_openmp(), torch.get_num_threads()
    if runtime is None or num_threads == 1:
        function()
        return
    runtime.omp_set_num_threads(1)
    try:
        function()
    finally:
        runtime.omp_set_num_threads(num_threads)
