"""A paper's table as a value: an experiment and its rows. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.errors import ConfigError, join_names
from zoo.plugins.import_string import check_import_string
from zoo.plugins.spec import check_name, freeze_mappings

NEEDS = ("", "gpu")
FIGURES = ("table", "curves", "confusion", "robustness")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a paper's table: a model, how it is trained and scored, and what the paper reports for it.

    Args:
        label: What the paper calls it; `arm: model` where the rows fall into arms.
        model: A name on `zoo.models`.
        recipe: One of the model's recipes by name; its default when left out.
        config: Options of the model.
        changes: Fields of the recipe to change.
        dataset: A name on `zoo.datasets`, where it is another than the table's.
        train: Import string of a function `(sets, *, seed, quick)` that returns the `Images` to train on; the data
            set's training images when left out.
        score: Import string of a function `(model, sets, *, seed, quick)` that returns more metrics by name: a number,
            or a uint8 tensor of one number a test image, by which rows are compared image by image. A generator has no
            others.
        needs: `gpu` for a row that is left out where there is none, unless it is asked for by its label.
        paper: What the paper reports: metrics by name, `loss` by epoch, `seconds`.
        note: What is to be said beside its verdict.
    """

    label: str
    model: str
    recipe: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    dataset: str | None = None
    train: str = ""
    score: str = ""
    needs: str = ""
    paper: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Check the import strings and freeze the mappings."""
        for what in ("train", "score"):
            if getattr(self, what) != "":
                check_import_string(getattr(self, what), f"row {self.label!r}", what)
        if self.needs not in NEEDS:
            raise ConfigError(f"row {self.label!r}: needs is 'gpu' or left out, not {self.needs!r}")
        freeze_mappings(self, config=self.config, changes=self.changes, paper=self.paper)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A paper's table as a value: rows run on one data set (a row may name its own) over several seeds.

    Args:
        name: Such as `paper1-7x7`.
        summary: One line for `zoo list experiments`.
        source: The paper, and where in it the table stands.
        dataset: A name on `zoo.datasets`.
        rows: The rows, each under a label of its own.
        seeds: The seeds each row is run with.
        tolerance: How far from the paper's number a mean may lie and still count as met.
        metrics: Which metrics the report shows; the first is the one that is compared with the paper's.
        text: What is asked and how it is answered, as Markdown, for the report.
        verdict: Import string of a function `(cells)` that returns sentences about the rows together, by the cells'
            numbers.
        figures: What is drawn: `table`, `table:METRIC`, `curves`, `confusion:LABEL of a row`, or
            `robustness:CHANGE:UNIT` over the metrics `CHANGE@STRENGTH`.
    """

    name: str
    summary: str
    source: str
    dataset: str
    rows: tuple[Row, ...]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    tolerance: float = 0.01
    metrics: tuple[str, ...] = ("accuracy",)
    text: str = ""
    verdict: str = ""
    figures: tuple[str, ...] = ("table", "curves")

    def __post_init__(self) -> None:
        """Check the name, that labels are unique, the metrics and the pictures."""
        check_name(self.name, "experiment")
        labels = [row.label for row in self.rows]
        if len(set(labels)) != len(labels):
            raise ConfigError(f"{self.name}: two rows share a label in {join_names(labels)}")
        if not self.metrics:
            raise ConfigError(f"{self.name}: metrics names at least one, such as accuracy")
        if self.verdict != "":
            check_import_string(self.verdict, self.name, "verdict")
        for kind, _, about in (picture.partition(":") for picture in self.figures):
            if kind not in FIGURES:
                raise ConfigError(f"{self.name}: a picture begins with one of {join_names(FIGURES)}, not {kind!r}")
            if kind == "confusion" and about not in labels:
                raise ConfigError(f"{self.name}: confusion:{about} is of no row; there is {join_names(labels)}")
