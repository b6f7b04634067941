"""Define an experiment, a paper's table as a frozen value, and its rows. No torch here."""

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
    """A row of a paper's table: a model, how it is trained and scored, and the numbers that the paper reports.

    Args:
        label: The paper's name of the row; `arm: model` if the rows are grouped into arms.
        model: A name in `zoo.models`.
        recipe: One of the model's recipes by name; the default recipe if None.
        config: Options of the model.
        changes: Fields of the recipe to replace.
        dataset: A name in `zoo.datasets`, if it differs from the experiment's.
        train: Import string of a function `(dataset, *, seed, quick)` that returns the `Images` to train on; if empty,
            the data set's training images.
        score: Import string of a function `(model, dataset, *, seed, quick)` that returns more metrics by name: a
            number, or a uint8 tensor with one value for each test image, by which rows are compared image by image. A
            generator has only these metrics.
        needs: `gpu` for a row that is skipped without one, unless it is selected by its label.
        paper: Numbers of the paper: metrics by name, `loss` by epoch, `seconds`.
        note: A remark that the report shows beside the row's verdict.
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
        for field_name in ("train", "score"):
            if getattr(self, field_name) != "":
                check_import_string(getattr(self, field_name), f"row {self.label!r}", field_name)
        if self.needs not in NEEDS:
            raise ConfigError(f"row {self.label!r}: needs is 'gpu' or left out, not {self.needs!r}")
        freeze_mappings(self, config=self.config, changes=self.changes, paper=self.paper)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A paper's table as a value: rows that are run over several seeds, on one data set unless a row names its own.

    Args:
        name: Such as `paper1-7x7`.
        summary: One line for `zoo list experiments`.
        source: The paper, and its section or table.
        dataset: A name in `zoo.datasets`.
        rows: The rows, each with a different label.
        seeds: The seeds that each row is run with.
        tolerance: Largest distance of a mean from the paper's number that still counts as met.
        metrics: The metrics that the report shows; the first is compared with the paper's.
        text: The question and the method, as Markdown, for the report.
        verdict: Import string of a function `(cells)` that returns sentences which compare the rows, computed from the
            cells' numbers.
        figures: The figures to plot: `table`, `table:METRIC`, `curves`, `confusion:LABEL of a row`, or
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
        """Check the name, the labels, the metrics and the figures."""
        check_name(self.name, "experiment")
        labels = [row.label for row in self.rows]
        if len(set(labels)) != len(labels):
            raise ConfigError(f"{self.name}: two rows share a label in {join_names(labels)}")
        if not self.metrics:
            raise ConfigError(f"{self.name}: metrics is empty; name at least one, such as accuracy")
        if self.verdict != "":
            check_import_string(self.verdict, self.name, "verdict")
        for kind, _, label in (figure.partition(":") for figure in self.figures):
            if kind not in FIGURES:
                raise ConfigError(f"{self.name}: a figure begins with one of {join_names(FIGURES)}, not {kind!r}")
            if kind == "confusion" and label not in labels:
                raise ConfigError(f"{self.name}: confusion:{label} names no row; the rows are {join_names(labels)}")
