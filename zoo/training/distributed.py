"""accelerate's `Accelerator`, through which processes that were launched together find each other."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

from zoo.training.group import TIMEOUT, check_distributed_type, check_launch


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
