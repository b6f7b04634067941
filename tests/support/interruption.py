"""A training that is stopped inside an epoch and gone on with, beside one that never was."""

import os
import tempfile
from pathlib import Path

import pytest
import torch

from zoo.training.checkpoint.store import CheckpointStore

MEMORY = Path("/dev/shm")


class Stop:
    """Ends training at a step of an epoch, as a second Ctrl-C does."""

    def __init__(self, epoch, step):
        self.place = (epoch, step)

    def on_step(self, training):
        if (training.epoch, training.step) == self.place:
            raise KeyboardInterrupt

    def on_epoch(self, training):
        pass


def check_resume_inside_an_epoch(fresh, data, **how):
    """Train a fresh model whole, and another that stops at the third step of its second epoch and goes on.

    Weights and losses of both must be equal to the last bit. The checkpoints lie in memory where they can: this is not
    about the disk's speed.
    """
    whole = fresh().fit(data, **how)
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        with pytest.raises(KeyboardInterrupt):
            fresh().fit(data, checkpoint=folder, checkpoint_every="2 steps", callbacks=[Stop(2, 3)], **how)
        assert CheckpointStore(Path(folder)).list_names()[-1] == "00001-00000002"
        resumed = fresh().fit(data, checkpoint=folder, resume=True, **how)
    ours, theirs = resumed.net.state_dict(), whole.net.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    names = [name for name in whole.history.columns if "second" not in name]
    assert all(resumed.history[name] == whole.history[name] for name in names)
