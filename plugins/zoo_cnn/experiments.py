"""Define paper 2's runs as experiments."""

from __future__ import annotations

from zoo import Experiment, Row

AUGMENTATION_TEXT = """\
Paper 2 proposes augmentation by rotation and mirroring, and a remedy for shirts, which are predicted as T-shirts
(section 3.2). Here its simple network is trained with its Adam recipe for 8 epochs: without augmentation, with each of
the two, and with both. Each image is augmented differently in each epoch, and the confusion of the two classes is
measured. A difference is called *better* or *worse* if it is larger than twice its standard error over the seeds.
Eight epochs are few, so gains that need longer training are not measured here."""


def _make_augmented_row(label: str, *augment: str) -> Row:
    return Row(
        label=label,
        model="cnn-simple",
        recipe="adam",
        changes={"epochs": 8, "augment": augment},
        score="zoo_cnn.pairs:shirts",
    )


EXPERIMENTS = (
    Experiment(
        name="paper2-cnn",
        summary="simple and deep CNN on Fashion-MNIST, SGD and Adam (paper 2, section 2.2)",
        source="Min and Wang 2024, section 2.2",
        dataset="fashion-mnist",
        seeds=(0, 1, 2),
        rows=(
            Row(label="simple, SGD 0.01", model="cnn-simple", recipe="sgd-0.01", paper={"accuracy": 0.8711}),
            Row(label="deep, SGD 0.01", model="cnn-deep", recipe="sgd-0.01", paper={"accuracy": 0.8619}),
            Row(
                label="simple, Adam",
                model="cnn-simple",
                recipe="adam",
                paper={"accuracy": 0.8977},
                note="The paper uses Adam on the simple network (figure 2.9) and states no rate; here it is 0.001.",
            ),
            Row(
                label="deep, Adam 0.0003",
                model="cnn-deep",
                recipe="adam",
                changes={"lr": 3e-4},
                paper={"accuracy": 0.8977},
                note="The code published with the paper uses Adam on the deep network instead, at 0.0003.",
            ),
            Row(label="simple, SGD 0.1", model="cnn-simple", recipe="sgd-0.1"),
            Row(label="deep, SGD 0.1", model="cnn-deep", recipe="sgd-0.1"),
            Row(
                label="simple, SGD 0.5",
                model="cnn-simple",
                recipe="sgd-0.5",
                note="The paper reports that the loss oscillates and does not settle.",
            ),
        ),
    ),
    Experiment(
        name="paper2-augmentation",
        summary="effect of mirroring and rotation on accuracy and on shirts and T-shirts (paper 2, section 3.2)",
        source="Min and Wang 2024, section 3.2, which proposes it",
        dataset="fashion-mnist",
        seeds=(0, 1, 2),
        metrics=("accuracy", "shirts as T-shirts", "T-shirts as shirts", "shirt recall", "T-shirt recall"),
        rows=(
            _make_augmented_row("as it is"),
            _make_augmented_row("mirrored", "flip"),
            _make_augmented_row("turned by up to 10 degrees", "rotate:10"),
            _make_augmented_row("mirrored and turned", "flip", "rotate:10"),
        ),
        text=AUGMENTATION_TEXT,
        verdict="zoo_cnn.pairs:verdict",
        figures=("table", "table:shirts as T-shirts", "curves", "confusion:as it is", "confusion:mirrored"),
    ),
)
