"""Run a training in the processes that were launched together, and exchange small values among them. Door: accelerate."""

from __future__ import annotations

import atexit
import gc
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs
from torch import Tensor
from torch.nn import Module

from zoo.errors import ConfigError, TrainingError, ZooError
from zoo.files import safetensors as tensors
from zoo.files.checked_json import parse_json
from zoo.files.state_codec import decode_state, encode_state

ONE_NET_EACH = "zoo trains with a whole net in each process"
TIMEOUT = 600.0
"""Seconds that a process waits for another one before it gives up."""
DISTRIBUTED_TYPES = ("NO", "MULTI_CPU", "MULTI_GPU")
"""Ways of accelerate to train in several processes that keep a whole net in each."""
SHARDED_TYPES = {"FSDP": "FSDP", "DEEPSPEED": "DeepSpeed", "MEGATRON_LM": "Megatron-LM"}
"""Ways of accelerate to cut a net into pieces, as the variables `ACCELERATE_USE_...` ask for them."""
LOST_PROCESS_WORDS = ("gloo", "nccl", "connection", "timed out", "peer", "socket")
"""Words of errors that tell of another process."""
SYNC_EVERY = 8
"""Steps between two agreements of several processes on stopping and saving: each costs a round trip."""


def make_accelerator(device: torch.device) -> Accelerator:
    """Return the accelerator of a training on a device.

    Raises:
        ConfigError: They were launched to share a net in a way that zoo does not know.
    """
    check_launch(os.environ)
    is_group_on_cpu = device.type == "cpu" and int(os.environ.get("WORLD_SIZE", "1")) > 1
    patience = InitProcessGroupKwargs(timeout=timedelta(seconds=TIMEOUT))
    engine = Accelerator(mixed_precision="no", device_placement=False, cpu=is_group_on_cpu, kwargs_handlers=[patience])
    check_distributed_type(engine.distributed_type.value)
    return engine


def check_launch(environ: Mapping[str, str]) -> None:
    """Raise if `accelerate launch` was asked to cut the net into pieces, which on CPUs it would not even do.

    Raises:
        ConfigError: It was.
    """
    for word, name in SHARDED_TYPES.items():
        if environ.get(f"ACCELERATE_USE_{word}", "false").lower() in ("true", "1"):
            raise ConfigError(f"{ONE_NET_EACH}, and accelerate was launched with {name}; launch it without")


def check_distributed_type(distributed_type: str) -> None:
    """Raise for a way to share a net among processes that zoo does not know.

    Raises:
        ConfigError: It is one of them, such as a TPU's.
    """
    if distributed_type not in DISTRIBUTED_TYPES:
        raise ConfigError(
            f"{ONE_NET_EACH}, not with accelerate's {distributed_type}; launch it on CPUs or GPUs of NVIDIA or AMD"
        )


def _destroy_process_group() -> None:
    """Part from the group: a process that ends without it may be aborted by threads that still serve the others."""
    if torch.distributed.is_initialized():
        gc.collect()  # what still holds the group, such as a wrapped net, would keep its threads alive
        torch.distributed.destroy_process_group()


@contextmanager
def detect_lost_process(group: ProcessGroup) -> Iterator[None]:
    """Say plainly when another process of the group is gone.

    Raises:
        TrainingError: It is.
    """
    try:
        yield
    except RuntimeError as error:
        told = str(error).lower()
        if group.world_size == 1 or isinstance(error, ZooError) or not any(word in told for word in LOST_PROCESS_WORDS):
            raise
        raise TrainingError(
            f"process {group.rank} of {group.world_size} has lost another one, which died or was silent for {TIMEOUT:g} s; "
            f"start them all again, with resume=True where checkpoints are kept ({str(error).splitlines()[0][:200]})"
        ) from error


class ProcessGroup:
    """The processes of one training.

    Args:
        accelerator: accelerate's `Accelerator`, which carries what they tell.
        device: Where this process trains.
    """

    def __init__(self, accelerator: Any, device: torch.device) -> None:
        self._accelerator = accelerator
        self.rank: int = accelerator.process_index
        self.world_size: int = accelerator.num_processes
        self.device = device
        if self.world_size > 1:
            atexit.unregister(_destroy_process_group)
            atexit.register(_destroy_process_group)

    def any_process(self, *claims: bool) -> tuple[bool, ...]:
        """Return each claim as true if any process makes it."""
        if self.world_size == 1:
            return claims
        told = torch.tensor([float(claim) for claim in claims], device=self.device)
        return tuple(value > 0 for value in self._accelerator.reduce(told, "sum").tolist())

    def first_problem(self, problem: str, step: int) -> str:
        """Return the problem of the process that had one at the earliest step, for all to raise; empty if none has."""
        if not self.any_process(bool(problem))[0] or self.world_size == 1:
            return problem
        told = self.gather_states({"problem": problem, "step": torch.tensor(step)})
        _, rank, first = min(
            (int(each["step"]), rank, each["problem"]) for rank, each in enumerate(told) if each["problem"]
        )
        return f"in process {rank} of {self.world_size}, {first}"

    def check_same(self, label: str, number: int, advice: str = "give all the same seed=") -> None:
        """Raise unless all processes have the same number.

        Raises:
            ConfigError: They do not.
        """
        if self.world_size == 1:
            return
        told = self._accelerator.gather(torch.tensor([number], dtype=torch.int64, device=self.device)).tolist()
        if len(set(told)) > 1:
            raise ConfigError(f"the {self.world_size} processes have another {label} each ({told}); {advice}")

    def reduce_sum(self, numbers: Tensor) -> Tensor:
        """Return the sum of the processes' tensors."""
        total: Tensor = self._accelerator.reduce(numbers, "sum")
        return total

    def sync_buffers(self, net: Module) -> None:
        """Give all processes the first one's running statistics, so that they score one and the same net."""
        for buffer in net.buffers() if self.world_size > 1 else ():
            torch.distributed.broadcast(buffer, 0)

    def reduce_max(self, number: int) -> int:
        """Return the largest of the processes' numbers."""
        if self.world_size == 1:
            return number
        return int(self._accelerator.gather(torch.tensor([number], device=self.device)).max())

    def gather_states(self, state: Mapping[str, Any]) -> list[Any]:
        """Return every process's state, by rank; tensors in it come back on the CPU."""
        if self.world_size == 1:
            return [state]
        data = _pack(state)
        sizes = self._accelerator.gather(torch.tensor([len(data)], device=self.device)).tolist()
        room = torch.zeros(1, max(sizes), dtype=torch.uint8)
        room[0, : len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        rows = self._accelerator.gather(room.to(self.device)).cpu()
        return [_unpack(bytes(row[:size].numpy())) for row, size in zip(rows, sizes, strict=True)]


def _pack(state: Mapping[str, Any]) -> bytes:
    named: dict[str, Any] = {}
    text = json.dumps(encode_state(state, named))
    return tensors.to_bytes(named, text)


def _unpack(data: bytes) -> Any:
    named, text = tensors.from_bytes(data, name="a process's state")
    return decode_state(parse_json(text, name="a process's state"), named)
