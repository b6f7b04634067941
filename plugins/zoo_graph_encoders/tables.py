"""What the named models reach, as a table that the experiment tool writes."""

from __future__ import annotations

from zoo import Experiment, Row

EXPERIMENTS = (
    Experiment(
        name="graph-encoders-7x7",
        summary="graph encoders on Fashion-MNIST at 7 x 7",
        source="no paper has these numbers; paper 1's CNN reaches 0.8219 (Yin 2024, table 1)",
        dataset="fashion-mnist-7x7",
        seeds=(0, 1, 2),
        rows=(
            Row(label="GCN with coordinates", model="gcn-pos-7x7"),
            Row(label="GCN+, D4-invariant", model="gcn-plus-7x7"),
            Row(label="relational GCN", model="rgcn-7x7"),
            Row(label="GPS", model="gps-7x7"),
            Row(label="Vision GNN", model="vig-7x7"),
        ),
    ),
)
