"""Paper 1's table as a value."""

from __future__ import annotations

from zoo import Experiment, Row

LOSS_GCN = (1.9971, 1.7574, 1.6182, 1.5801, 1.5654, 1.5569, 1.5475, 1.5390, 1.5289, 1.5208)
LOSS_CNN = (1.0032, 0.6801, 0.6288, 0.5969, 0.5746, 0.5583, 0.5441, 0.5323, 0.5222, 0.5145)

EXPERIMENTS = (
    Experiment(
        name="paper1-7x7",
        summary="GCN and CNN on Fashion-MNIST at 7 x 7 (paper 1, table 1)",
        source="Yin 2024, table 1 and section 3.4",
        dataset="fashion-mnist-7x7",
        seeds=tuple(range(8)),
        rows=(
            Row(label="GCN 16, 32", model="gcn-7x7", paper={"accuracy": 0.4728, "loss": LOSS_GCN, "seconds": 50.78}),
            Row(label="CNN", model="cnn-7x7", paper={"accuracy": 0.8219, "loss": LOSS_CNN, "seconds": 17.94}),
            Row(
                label="GCN 8, 32, 30 epochs",
                model="gcn-7x7",
                recipe="tuned",
                config={"hidden": (8, 32)},
                paper={"accuracy": 0.6425, "seconds": 166.08},
            ),
        ),
    ),
)
