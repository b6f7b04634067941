"""The processes that train together: who they are, and small things they tell each other."""

from __future__ import annotations

import atexit
import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError, TrainingError, ZooError
from zoo.files import safetensors as tensors
from zoo.files.checked_json import parsed
from zoo.files.state_codec import apart, together

WHOLE = "zoo trains with a whole net in each process"
PATIENCE = 600.0
"""Seconds that a process waits for another one before it gives up."""
KINDS = ("NO", "MULTI_CPU", "MULTI_GPU")
"""Ways of accelerate to train in several processes that keep a whole net in each."""
CUT = {"FSDP": "FSDP", "DEEPSPEED": "DeepSpeed", "MEGATRON_LM": "Megatron-LM"}
"""Ways of accelerate to cut a net into pieces, as the variables `ACCELERATE_USE_...` ask for them."""
LOST = ("gloo", "nccl", "connection", "timed out", "peer", "socket")
"""Words of errors that tell of another process."""
AGREE = 8
"""Steps between two agreements of several processes on stopping and saving: each costs a round trip."""


def check_launch(environ: Mapping[str, str]) -> None:
    """Raise if `accelerate launch` was asked to cut the net into pieces, which on CPUs it would not even do.

    Raises:
        ConfigError: It was.
    """
    for word, name in CUT.items():
        if environ.get(f"ACCELERATE_USE_{word}", "false").lower() in ("true", "1"):
            raise ConfigError(f"{WHOLE}, and accelerate was launched with {name}; launch it without")


def check_kind(kind: str) -> None:
    """Raise for a way to share a net among processes that zoo does not know.

    Raises:
        ConfigError: It is one of them, such as a TPU's.
    """
    if kind not in KINDS:
        raise ConfigError(f"{WHOLE}, not with accelerate's {kind}; launch it on CPUs or GPUs of NVIDIA or AMD")


def _leave() -> None:
    """Part from the group: a process that ends without it may be aborted by threads that still serve the others."""
    if torch.distributed.is_initialized():
        gc.collect()  # what still holds the group, such as a wrapped net, would keep its threads alive
        torch.distributed.destroy_process_group()


@contextmanager
def losing_nobody(group: Group) -> Iterator[None]:
    """Say plainly when another process of the group is gone.

    Raises:
        TrainingError: It is.
    """
    try:
        yield
    except RuntimeError as error:
        told = str(error).lower()
        if group.size == 1 or isinstance(error, ZooError) or not any(word in told for word in LOST):
            raise
        raise TrainingError(
            f"process {group.rank} of {group.size} has lost another one, which died or was silent for {PATIENCE:g} s; "
            f"start them all again, with resume=True where checkpoints are kept ({str(error).splitlines()[0][:200]})"
        ) from error


class Group:
    """The processes of one training.

    Args:
        engine: accelerate's `Accelerator`, which carries what they tell.
        device: Where this process trains.
    """

    def __init__(self, engine: Any, device: torch.device) -> None:
        self._engine = engine
        self.rank: int = engine.process_index
        self.size: int = engine.num_processes
        self.device = device
        if self.size > 1:
            atexit.unregister(_leave)
            atexit.register(_leave)

    def agreed(self, *claims: bool) -> tuple[bool, ...]:
        """Return each claim as true if any process makes it."""
        if self.size == 1:
            return claims
        told = torch.tensor([float(claim) for claim in claims], device=self.device)
        return tuple(value > 0 for value in self._engine.reduce(told, "sum").tolist())

    def shared(self, problem: str, step: int) -> str:
        """Return the problem of the process that had one at the earliest step, for all to raise; empty if none has."""
        if not self.agreed(bool(problem))[0] or self.size == 1:
            return problem
        told = self.gathered({"problem": problem, "step": torch.tensor(step)})
        _, rank, first = min(
            (int(each["step"]), rank, each["problem"]) for rank, each in enumerate(told) if each["problem"]
        )
        return f"in process {rank} of {self.size}, {first}"

    def check_same(self, what: str, number: int, mend: str = "give all the same seed=") -> None:
        """Raise unless all processes have the same number.

        Raises:
            ConfigError: They do not.
        """
        if self.size == 1:
            return
        told = self._engine.gather(torch.tensor([number], dtype=torch.int64, device=self.device)).tolist()
        if len(set(told)) > 1:
            raise ConfigError(f"the {self.size} processes have another {what} each ({told}); {mend}")

    def summed(self, numbers: Tensor) -> Tensor:
        """Return the sum of the processes' tensors."""
        total: Tensor = self._engine.reduce(numbers, "sum")
        return total

    def even(self, net: Module) -> None:
        """Give all processes the first one's running statistics, so that they score one and the same net."""
        for buffer in net.buffers() if self.size > 1 else ():
            torch.distributed.broadcast(buffer, 0)

    def largest(self, number: int) -> int:
        """Return the largest of the processes' numbers."""
        if self.size == 1:
            return number
        return int(self._engine.gather(torch.tensor([number], device=self.device)).max())

    def gathered(self, state: Mapping[str, Any]) -> list[Any]:
        """Return every process's state, by rank; tensors in it come back on the CPU."""
        if self.size == 1:
            return [state]
        data = _packed(state)
        sizes = self._engine.gather(torch.tensor([len(data)], device=self.device)).tolist()
        room = torch.zeros(1, max(sizes), dtype=torch.uint8)
        room[0, : len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        rows = self._engine.gather(room.to(self.device)).cpu()
        return [_unpacked(bytes(row[:size].numpy())) for row, size in zip(rows, sizes, strict=True)]


def _packed(state: Mapping[str, Any]) -> bytes:
    named: dict[str, Any] = {}
    text = json.dumps(apart(state, named))
    return tensors.to_bytes(named, text)


def _unpacked(data: bytes) -> Any:
    named, text = tensors.from_bytes(data, name="a process's state")
    return together(parsed(text, name="a process's state"), named)
