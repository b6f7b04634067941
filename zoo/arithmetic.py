"""How numbers behave while a net trains: autocast, and denormal numbers taken as zero."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context in which a forward pass runs at `fp32`, `bf16` or `fp16`."""
    return torch.autocast(device.type, DTYPES.get(precision), enabled=precision in DTYPES)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat numbers below 1e-38 as zero meanwhile: Adam's moments of dead units fall there and slow a CPU sixfold."""
    was_on = bool(torch.tensor(1e-40) * 1.0 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(was_on)
