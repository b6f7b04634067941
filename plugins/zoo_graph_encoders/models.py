"""Define the specs of the models: one net, each time with another encoder."""

from __future__ import annotations

from typing import Any

from zoo import ModelSpec, Recipe

PLAIN = Recipe(epochs=20, batch_size=256, optimizer="adamw", lr=0.01, weight_decay=0.01, schedule="one-cycle")
DEEP = PLAIN.replace(epochs=10, lr=0.005, weight_decay=0.05)
GREY = ("graph", "grey")


def _make_spec(name: str, summary: str, paper: str, **fields: Any) -> ModelSpec:
    common = {"build": "zoo_graph_encoders.classifier:GraphClassifier", "size": (7, 7), "resize": "sample"}
    return ModelSpec(name=name, summary=summary, paper=paper, standardize=True, **{**common, **fields})


MODELS = (
    _make_spec(
        "graph-classifier",
        "any graph encoder over the pixel grid, with a choice of positions and readout",
        "that of its encoder",
        parameters=3_562,
        recipe=PLAIN,
        tags=GREY,
    ),
    _make_spec(
        "gcn-pos-7x7",
        "three graph convolutions with pixel coordinates as features",
        "Kipf and Welling 2017",
        config={"encoder": "gcn", "positions": "coordinates"},
        parameters=3_626,
        recipe=PLAIN.replace(lr=0.02),
        tags=(*GREY, "gcn"),
    ),
    _make_spec(
        "gcn-plus-7x7",
        "graph convolutions with residuals and feed-forward (GCN+), invariant under the square's symmetries",
        "Luo, Shi and Wu 2025, Can classic GNNs be strong baselines for graph-level tasks?",
        config={"encoder": "gcn-plus", "readout": "mean+max"},
        parameters=16_842,
        symmetry="D4",
        recipe=DEEP,
        tags=(*GREY, "gcn", "invariant"),
    ),
    _make_spec(
        "rgcn-7x7",
        "graph convolutions with a weight matrix for each direction",
        "Schlichtkrull et al. 2018, Modeling relational data with graph convolutional networks",
        config={"encoder": "rgcn", "readout": "flatten"},
        parameters=56_458,
        recipe=DEEP,
        tags=GREY,
    ),
    _make_spec(
        "gps-7x7",
        "directed messages plus global attention with relative positions",
        "Rampasek et al. 2022, Recipe for a general, powerful, scalable graph transformer",
        config={"encoder": "gps", "options": {"heads": 2}, "readout": "flatten"},
        parameters=70_336,
        recipe=DEEP.replace(epochs=8),
        tags=(*GREY, "attention"),
    ),
    _make_spec(
        "vig-7x7",
        "messages from the nearest nodes in feature space, a new graph for each image",
        "Han et al. 2022, Vision GNN: an image is worth graph of nodes",
        config={"encoder": "vig", "positions": "coordinates", "readout": "mean+max"},
        parameters=26_698,
        recipe=DEEP,
        tags=(*GREY, "learned graph"),
    ),
    _make_spec(
        "gcn-pyramid-28x28",
        "graph convolutions (GCN+) on a pyramid of 28 x 28, 14 x 14, 7 x 7 and 4 x 4 pixels",
        "Knyazev et al. 2019, Image classification with hierarchical multigraph networks (its pyramid)",
        size=(28, 28),
        resize="area",
        config={"encoder": "gcn-plus", "positions": "coordinates", "readout": "pyramid", "blocks": 4},
        parameters=24_202,
        recipe=DEEP,
        tags=(*GREY, "gcn", "pyramid"),
    ),
)
