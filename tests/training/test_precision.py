"""Denormal numbers are zero while training, in every thread of torch, and are restored afterwards."""

import os
import subprocess
import sys

import torch

from zoo.training.precision import autocast, flush_denormals

SCRIPT = """
import torch
from zoo.training.precision import flush_denormals

tiny = torch.full((4_000_000,), 1e-40)
assert torch.get_num_threads() == 2
def nonzero_fraction():
    return float(((tiny * 1.0) != 0).double().mean())
print(nonzero_fraction())
with flush_denormals():
    print(nonzero_fraction())
print(nonzero_fraction())
"""


def test_every_thread_flushes_inside_the_block_only():
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=env)
    assert [float(line) for line in done.stdout.split()] == [1.0, 0.0, 1.0]


def test_a_caller_that_flushes_already_still_does_so_afterwards():
    torch.set_flush_denormal(True)
    try:
        with flush_denormals():
            pass
        assert float(torch.tensor(1e-40) * 1.0) == 0
    finally:
        torch.set_flush_denormal(False)


def test_autocast_sets_the_precision_of_a_forward_pass():
    first, second = torch.ones(2, 2), torch.ones(2, 2)
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(torch.device("cpu"), precision):
            assert (first @ second).dtype == dtype
