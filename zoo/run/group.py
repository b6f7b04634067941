"""The processes that train together: who they are, and small things they tell each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch

from zoo import tensors
from zoo.plainjson import parsed
from zoo.run.tree import apart, together

AGREE = 8
"""Steps between two agreements of several processes on stopping and saving: each costs a round trip."""


class Group:
    """The processes of one training.

    Args:
        engine: accelerate's `Accelerator`, which carries what they tell.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.rank: int = engine.process_index
        self.size: int = engine.num_processes

    def agreed(self, *claims: bool) -> tuple[bool, ...]:
        """Return each claim as true if any process makes it."""
        if self.size == 1:
            return claims
        told = torch.tensor([float(claim) for claim in claims], device=self._engine.device)
        return tuple(value > 0 for value in self._engine.reduce(told, "sum").tolist())

    def largest(self, number: int) -> int:
        """Return the largest of the processes' numbers."""
        if self.size == 1:
            return number
        return int(self._engine.gather(torch.tensor([number], device=self._engine.device)).max())

    def gathered(self, state: Mapping[str, Any]) -> list[Any]:
        """Return every process's state, by rank; tensors in it come back on the CPU."""
        if self.size == 1:
            return [state]
        data = _packed(state)
        sizes = self._engine.gather(torch.tensor([len(data)], device=self._engine.device)).tolist()
        room = torch.zeros(1, max(sizes), dtype=torch.uint8)
        room[0, : len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        rows = self._engine.gather(room.to(self._engine.device)).cpu()
        return [_unpacked(bytes(row[:size].numpy())) for row, size in zip(rows, sizes, strict=True)]


def _packed(state: Mapping[str, Any]) -> bytes:
    named: dict[str, Any] = {}
    text = json.dumps(apart(state, named))
    return tensors.to_bytes(named, text)


def _unpacked(data: bytes) -> Any:
    named, text = tensors.from_bytes(data, name="a process's state")
    return together(parsed(text, name="a process's state"), named)
