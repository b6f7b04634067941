"""Inference keeps the order of images and the modes of modules; devices are checked by name."""

import pytest
import torch
from torch import nn

from zoo.data.transforms import Normalize
from zoo.device import resolve_device
from zoo.errors import DeviceError
from zoo.inference.runner import run_batches, top_predictions
from zoo.signature import Classes, Preprocessing
from zoo.tasks import Classification

TASK = Classification(Normalize(Preprocessing(size=(2, 2))))


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, images):
        return self.drop(images.flatten(1).sum(1, keepdim=True)) * self.scale


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_outputs_are_in_order_for_any_batch_size(batch_size):
    images = torch.arange(10.0).view(10, 1, 1, 1).expand(-1, -1, 2, 2) / 10
    outputs = run_batches(Sum(), TASK, images, batch_size=batch_size)
    torch.testing.assert_close(outputs[:, 0], torch.arange(10.0) / 10 * 4)
    assert not outputs.requires_grad


def test_each_module_keeps_its_mode():
    net = nn.Sequential(Sum(), nn.Dropout(0.1))
    net.train()
    net[0].drop.eval()
    run_batches(net, TASK, torch.zeros(2, 1, 2, 2))
    assert (net.training, net[0].training, net[0].drop.training, net[1].training) == (True, True, False, True)


def test_predictions_are_the_most_probable_classes_by_name():
    predictions = top_predictions(torch.tensor([[0.0, 2.0, 1.0]]), Classes.of(["a", "b", "c"]), top_k=5)
    assert [each.name for each in predictions[0]] == ["b", "c", "a"]
    assert sum(each.probability for each in predictions[0]) == pytest.approx(1)


@pytest.mark.parametrize(
    "name", ["gpu", "cuda:77", "meta", "cpu:x", "mps" if not torch.backends.mps.is_available() else "x"]
)
def test_an_unavailable_device_is_refused(name):
    with pytest.raises(DeviceError, match=r"'cpu'"):
        resolve_device(name)
