"""Compare a training that is interrupted inside an epoch and resumed with one that is not."""

import os
import tempfile
from pathlib import Path

import pytest
import torch

from zoo.training.checkpoint.store import CheckpointStore

MEMORY = Path("/dev/shm")


class Stop:
    """Interrupts training at a step of an epoch, as a second Ctrl-C does."""

    def __init__(self, epoch, step):
        self.step = (epoch, step)

    def on_step(self, training):
        if (training.epoch, training.step) == self.step:
            raise KeyboardInterrupt

    def on_epoch(self, training):
        pass


def check_resume_inside_an_epoch(fresh, data, **how):
    """Train a new model, and another that is interrupted at the third step of its second epoch and resumed.

    Weights and losses must be equal bit for bit. Checkpoints are in memory if possible, since disks can be slow.
    """
    expected = fresh().fit(data, **how)
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        with pytest.raises(KeyboardInterrupt):
            fresh().fit(data, checkpoint=folder, checkpoint_every="2 steps", callbacks=[Stop(2, 3)], **how)
        assert CheckpointStore(Path(folder)).list_names()[-1] == "00001-00000002"
        resumed = fresh().fit(data, checkpoint=folder, resume=True, **how)
    actual, state = resumed.net.state_dict(), expected.net.state_dict()
    assert all(torch.equal(actual[name], state[name]) for name in state)
    names = [name for name in expected.history.columns if "second" not in name]
    assert all(resumed.history[name] == expected.history[name] for name in names)
