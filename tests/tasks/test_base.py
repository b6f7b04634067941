"""The example of the contract of a task is a task."""

import textwrap

import pytest
import torch
from torch import nn

from zoo.data import Batch
from zoo.data.transforms import Normalize
from zoo.signature import Preprocessing
from zoo.tasks import Task

IMPORTS = """
from collections.abc import Iterator, Mapping
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Module
from zoo.data import Batch
from zoo.data.transforms import Normalize
from zoo.tasks import Loss, Tally
"""


@pytest.fixture
def task():
    """Return the task of the example in the docstring of `Task`."""
    code = Task.__doc__.partition("::\n\n")[2].partition("\n        `zoo.task_info`")[0]
    names = {}
    exec(IMPORTS + textwrap.dedent(code), names)
    return names["Reconstruction"](Normalize(Preprocessing(size=(2, 2))))


def test_the_example_has_a_loss_and_scores(task):
    batch = Batch(torch.full((3, 1, 2, 2), 255, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64))
    nets = task.players(nn.Conv2d(1, 1, 1))
    (loss,) = task.losses(nets, batch)
    loss.value.backward()
    assert loss.player == "net"
    assert nets["net"].weight.grad is not None
    total, count = task.tally(nets, batch)["loss"]
    assert (float(total) / count, count) == (pytest.approx(loss.value.item()), 3)
