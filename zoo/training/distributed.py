"""Train in several processes: find each other at the launch, and exchange small values. Door: accelerate.

`make_accelerator` returns accelerate's `Accelerator`, which joins the process group. A `ProcessGroup` wraps it with the
few exchanges that training needs.
"""

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
from zoo.files import safetensors
from zoo.files.checked_json import parse_json
from zoo.files.state_codec import decode_state, encode_state

WHOLE_NET_ONLY = "zoo trains with a whole net in each process"
TIMEOUT = 600.0
"""Seconds that a process waits for another one before it gives up."""
DISTRIBUTED_TYPES = ("NO", "MULTI_CPU", "MULTI_GPU")
"""accelerate's distributed types in which each process has a whole net."""
SHARDED_TYPES = {"FSDP": "FSDP", "DEEPSPEED": "DeepSpeed", "MEGATRON_LM": "Megatron-LM"}
"""accelerate's ways to shard a net among processes, by the end of their variable `ACCELERATE_USE_...`."""
LOST_PROCESS_WORDS = ("gloo", "nccl", "connection", "timed out", "peer", "socket")
"""Words in the errors that torch raises when another process is gone."""
SYNC_EVERY = 8
"""Steps between two agreements of several processes on stopping and saving; each one costs a round trip."""


def make_accelerator(device: torch.device) -> Accelerator:
    """Return the accelerator of a training on a device.

    Raises:
        ConfigError: The processes were launched to share a net in a way that zoo does not support.
    """
    check_launch(os.environ)
    use_cpu = device.type == "cpu" and int(os.environ.get("WORLD_SIZE", "1")) > 1
    timeout = InitProcessGroupKwargs(timeout=timedelta(seconds=TIMEOUT))
    accelerator = Accelerator(mixed_precision="no", device_placement=False, cpu=use_cpu, kwargs_handlers=[timeout])
    check_distributed_type(accelerator.distributed_type.value)
    return accelerator


def check_launch(environ: Mapping[str, str]) -> None:
    """Raise if `accelerate launch` was set to shard the net; on CPUs accelerate itself would ignore that.

    Raises:
        ConfigError: It was.
    """
    for word, name in SHARDED_TYPES.items():
        if environ.get(f"ACCELERATE_USE_{word}", "false").lower() in ("true", "1"):
            raise ConfigError(f"{WHOLE_NET_ONLY}, and accelerate was launched with {name}; launch it without")


def check_distributed_type(distributed_type: str) -> None:
    """Raise for a distributed type that zoo does not support, such as a TPU's.

    Raises:
        ConfigError: The type is not in `DISTRIBUTED_TYPES`.
    """
    if distributed_type not in DISTRIBUTED_TYPES:
        raise ConfigError(
            f"{WHOLE_NET_ONLY}, not with accelerate's {distributed_type}; launch it on CPUs or GPUs of NVIDIA or AMD"
        )


def _destroy_process_group() -> None:
    """Destroy the process group at exit; otherwise live backend threads can abort this process."""
    if torch.distributed.is_initialized():
        gc.collect()  # an object that refers to the group, such as a wrapped net, would keep its threads alive
        torch.distributed.destroy_process_group()


@contextmanager
def detect_lost_process(group: ProcessGroup) -> Iterator[None]:
    """Turn torch's errors about a lost process into one clear error.

    Raises:
        TrainingError: Another process of the group is gone.
    """
    try:
        yield
    except RuntimeError as error:
        message = str(error).lower()
        is_about_process = any(word in message for word in LOST_PROCESS_WORDS)
        if group.world_size == 1 or isinstance(error, ZooError) or not is_about_process:
            raise
        raise TrainingError(
            f"process {group.rank} of {group.world_size} has lost another one, which died or was silent for "
            f"{TIMEOUT:g} s; start them all again, with resume=True where checkpoints are kept "
            f"({str(error).splitlines()[0][:200]})"
        ) from error


class ProcessGroup:
    """The processes of one training.

    Args:
        accelerator: accelerate's `Accelerator`; it carries the exchanges.
        device: Where this process trains.

    Attributes:
        rank: Index of this process.
        world_size: Number of processes.
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

    def any_process(self, *flags: bool) -> tuple[bool, ...]:
        """Return for each flag whether it is set in any process."""
        if self.world_size == 1:
            return flags
        values = torch.tensor([float(flag) for flag in flags], device=self.device)
        return tuple(value > 0 for value in self._accelerator.reduce(values, "sum").tolist())

    def first_problem(self, problem: str, step: int) -> str:
        """Return, in all processes, the problem with the earliest step in any of them; empty if there is none."""
        if not self.any_process(bool(problem))[0] or self.world_size == 1:
            return problem
        reports = self.gather_states({"problem": problem, "step": torch.tensor(step)})
        _, rank, text = min(
            (int(each["step"]), rank, each["problem"]) for rank, each in enumerate(reports) if each["problem"]
        )
        return f"in process {rank} of {self.world_size}, {text}"

    def check_same(self, label: str, number: int, advice: str = "give all the same seed=") -> None:
        """Raise unless all processes have the same number.

        Raises:
            ConfigError: They have different numbers.
        """
        if self.world_size == 1:
            return
        numbers = self._accelerator.gather(torch.tensor([number], dtype=torch.int64, device=self.device)).tolist()
        if len(set(numbers)) > 1:
            raise ConfigError(f"the {self.world_size} processes have another {label} each ({numbers}); {advice}")

    def reduce_sum(self, numbers: Tensor) -> Tensor:
        """Return the sum of the processes' tensors."""
        total: Tensor = self._accelerator.reduce(numbers, "sum")
        return total

    def sync_buffers(self, net: Module) -> None:
        """Copy the first process's buffers, such as running statistics, to all, so that all score the same net."""
        for buffer in net.buffers() if self.world_size > 1 else ():
            torch.distributed.broadcast(buffer, 0)

    def reduce_max(self, number: int) -> int:
        """Return the largest of the processes' numbers."""
        if self.world_size == 1:
            return number
        return int(self._accelerator.gather(torch.tensor([number], device=self.device)).max())

    def gather_states(self, state: Mapping[str, Any]) -> list[Any]:
        """Return every process's state, by rank; the tensors in it are on the CPU."""
        if self.world_size == 1:
            return [state]
        data = _pack(state)
        sizes = self._accelerator.gather(torch.tensor([len(data)], device=self.device)).tolist()
        buffer = torch.zeros(1, max(sizes), dtype=torch.uint8)
        buffer[0, : len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        rows = self._accelerator.gather(buffer.to(self.device)).cpu()
        return [_unpack(bytes(row[:size].numpy())) for row, size in zip(rows, sizes, strict=True)]


def _pack(state: Mapping[str, Any]) -> bytes:
    tensors_by_name: dict[str, Any] = {}
    text = json.dumps(encode_state(state, tensors_by_name))
    return safetensors.to_bytes(tensors_by_name, text)


def _unpack(data: bytes) -> Any:
    tensors_by_name, text = safetensors.from_bytes(data, name="a process's state")
    return decode_state(parse_json(text, name="a process's state"), tensors_by_name)
