"""Train paper 2's networks by a plain loop, skorch and Lightning."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator

import lightning
import skorch
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

BATCH, LR = 64, 1e-3


class FixedOrder(Sampler[int]):
    """A sampler that gives the images in zoo's order, epoch after epoch."""

    def __init__(self, make_order: Callable[[], Tensor], length: int) -> None:
        self._make_order, self._length = make_order, length

    def __iter__(self) -> Iterator[int]:
        return iter(self._make_order().tolist())

    def __len__(self) -> int:
        return self._length


def train_plain(net: nn.Module, loader: DataLoader[tuple[Tensor, ...]]) -> float:
    """Train one epoch in a loop as in the tutorial; return the mean loss."""
    optimizer = torch.optim.Adam(net.parameters(), lr=LR)
    net.train()
    total, count = 0.0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        count += len(labels)
    return total / count


def train_with_skorch(net: nn.Module, data: TensorDataset, order: Sampler[int]) -> Callable[[], float]:
    """Return a function that trains one epoch by skorch, without callbacks, and returns the mean loss."""

    def train_epoch() -> float:
        classifier = skorch.NeuralNetClassifier(
            net,
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=LR,
            max_epochs=1,
            batch_size=BATCH,
            iterator_train__sampler=order,
            train_split=None,
            callbacks="disable",
            verbose=0,
        )
        classifier.fit(data, y=None)
        losses = [(row["train_loss"], row["train_batch_size"]) for row in classifier.history[-1, "batches"]]
        return float(sum(loss * num for loss, num in losses) / sum(num for _, num in losses))

    return train_epoch


class LitClassifier(lightning.LightningModule):
    """A net with cross-entropy and Adam."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.total, self.count = torch.zeros(()), 0

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of a batch."""
        images, labels = batch
        loss = F.cross_entropy(self.net(images), labels)
        self.total, self.count = self.total + loss.detach() * len(labels), self.count + len(labels)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.net.parameters(), lr=LR)


def train_with_lightning(net: nn.Module, loader: DataLoader[tuple[Tensor, ...]]) -> float:
    """Train one epoch by Lightning without logger, checkpoints or progress bar; return the mean loss."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        module = LitClassifier(net)
        trainer.fit(module, loader)
    return float(module.total / module.count)


def make_loader(data: TensorDataset, make_order: Callable[[], Tensor]) -> DataLoader[tuple[Tensor, ...]]:
    """Return torch's loader, in zoo's order."""
    return DataLoader(data, batch_size=BATCH, sampler=FixedOrder(make_order, len(data)))
