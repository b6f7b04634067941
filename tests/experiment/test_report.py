"""The report shows the numbers of the cells and the verdicts that follow from them."""

import csv
import importlib.util
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

import zoo
from zoo.cli.options import parse_seeds
from zoo.experiment import Cell, to_markdown
from zoo.experiment.figures import draw_figures
from zoo.experiment.freshness import compute_inputs, resolve_row_recipe
from zoo.experiment.report import to_csv, to_json
from zoo.experiment.summary import Stat, summarize_rows

DOCS = Path(__file__).parents[2] / "docs"
TABLE = zoo.Experiment(
    name="tiny",
    summary="a tiny table",
    source="nowhere",
    dataset="fashion-mnist-7x7",
    tolerance=0.02,
    rows=(
        zoo.Row(label="near", model="gcn-7x7", paper={"accuracy": 0.50, "loss": (2.0, 1.5)}),
        zoo.Row(label="below", model="gcn-7x7", paper={"accuracy": 0.90}),
        zoo.Row(label="above", model="gcn-7x7", paper={"accuracy": 0.10}),
        zoo.Row(label="unrun", model="gcn-7x7"),
    ),
)


def make_cell(row, seed, accuracy):
    (spec,) = [each for each in TABLE.rows if each.label == row]
    return Cell(
        row=row,
        seed=seed,
        metrics={"accuracy": accuracy},
        history=[{"epoch": 1, "loss": 1.9 + seed / 5}, {"epoch": 2, "loss": 1.6 + seed / 5}],
        parameters=906,
        seconds=2.0,
        device="a CPU",
        versions={"zoo-models": "1"},
        weights="00",
        recipe=resolve_row_recipe(spec, quick=False).to_json(),
        inputs=compute_inputs(TABLE, spec),
    )


CELLS = [make_cell(row, seed, 0.49 + seed / 50) for row in ("near", "below", "above") for seed in (0, 1)]


def find_row(text, label):
    return next(line for line in text.splitlines() if line.startswith(f"| {label} "))


def test_the_report_gives_mean_spread_number_and_range():
    assert "| 0.5000 | 0.5000 ± 0.0141 | 2 | 0.4900 to 0.5100 | reproduced |" in find_row(
        to_markdown(TABLE, CELLS), "near"
    )


def test_the_report_marks_rows_above_and_below_the_paper():
    text = to_markdown(TABLE, CELLS)
    assert "| not reproduced |" in find_row(text, "below")
    assert "| beaten |" in find_row(text, "above")
    assert "| not yet run | 0 |" in find_row(text, "unrun")


def test_the_report_compares_losses_and_marks_whether_they_bracket_the_papers():
    text = to_markdown(TABLE, CELLS)
    assert "| 1 | 2.0000 | 2.0000 | 1.9000 to 2.1000 | yes |" in text
    assert "| 2 | 1.5000 | 1.7000 | 1.6000 to 1.8000 | no |" in text


def test_quick_cells_are_marked_as_quick():
    quick = replace(CELLS[0], quick=True, recipe=CELLS[0].recipe | {"epochs": 1})
    text = to_markdown(TABLE, [quick])
    assert "Quick cells" in text
    assert "reproduced |" not in find_row(text, "near")


def test_cells_of_a_row_that_has_changed_since_are_left_out_and_counted():
    changed = replace(TABLE, rows=(replace(TABLE.rows[0], changes={"lr": 0.1}), *TABLE.rows[1:]))
    text = to_markdown(changed, CELLS)
    assert "2 cells are left out, because their rows have changed since" in text
    assert "| not yet run | 0 |" in find_row(text, "near")


def test_each_row_has_a_verdict_sentence():
    sentences = {row.row.label: row.sentence for row in summarize_rows(replace(TABLE, seeds=(0, 1)), CELLS)}
    assert sentences["near"].startswith("**reproduced**: the paper has 0.5000, zoo has 0.5000 ± 0.0141 (n = 2,")
    assert sentences["below"].endswith("zoo's best seed is worse by 0.3900.")
    assert sentences["above"].startswith("**beaten**")
    assert sentences["above"].endswith("better by 0.3900.")
    assert sentences["unrun"] == "not yet run: `zoo experiment run tiny --row unrun`."


@pytest.mark.parametrize(
    ("values", "paper", "verdict"),
    [
        ((0.50, 0.52), 0.515, "reproduced"),  # within the tolerance
        ((0.30, 0.90), 0.85, "reproduced"),  # between two seeds
        ((0.60, 0.62), 0.50, "beaten"),
        ((0.40, 0.42), 0.50, "not reproduced"),
        ((0.40, 0.42), None, ""),
    ],
)
def test_the_verdict_follows_from_the_numbers(values, paper, verdict):
    assert Stat(name="accuracy", values=values, paper=paper).judge(0.02) == verdict


def test_a_smaller_distance_is_better():
    assert Stat(name="distance", values=(0.1, 0.2), paper=0.5).judge(0.02) == "beaten"
    assert Stat(name="distance", values=(0.8, 0.9), paper=0.5).judge(0.02) == "not reproduced"


def test_missing_seeds_have_the_command_that_runs_them():
    gpu = replace(TABLE, rows=(replace(TABLE.rows[0], needs="gpu"),))
    (row,) = summarize_rows(gpu, CELLS[:1])
    assert row.rest_command == "zoo experiment run tiny --row near --seeds 1,2,3,4 --device cuda"
    (row,) = summarize_rows(replace(gpu, seeds=(0, 7)), CELLS[:1])
    assert row.rest_command == "zoo experiment run tiny --row near --seeds 7, --device cuda"
    assert parse_seeds(None, None, "7,") == (7,)  # the command line parses it the same
    assert parse_seeds(None, None, "1,2,3,4") == (1, 2, 3, 4)


def test_csv_and_json_have_the_numbers_and_leave_rows_without_cells_empty():
    lines = list(csv.DictReader(io.StringIO(to_csv(TABLE, CELLS))))
    assert [(line["row"], line["n"], line["mean"]) for line in lines] == [
        *(("near", "2", "0.5"), ("below", "2", "0.5"), ("above", "2", "0.5"), ("unrun", "0", "")),
    ]
    report = json.loads(to_json(TABLE, CELLS))
    assert report["rows"][1]["verdict"] == "not reproduced"
    assert set(report["not_yet_run"]) == {"near", "below", "above", "unrun"}
    assert report["rows"][3]["mean"] is None


def test_metrics_are_columns_and_the_verdict_function_compares_the_rows():
    table = replace(TABLE, metrics=("accuracy", "recall"), text="Why.", verdict="test_report:count_cells")
    cells = [replace(each, metrics={**each.metrics, "recall": 0.25}) for each in CELLS]
    text = to_markdown(table, cells)
    assert "| verdict | recall | seconds, median |" in text
    assert find_row(text, "near").endswith("| reproduced | 0.2500 ± 0.0000 | 2.0 |")
    assert "\nWhy.\n" in text
    assert "- 6 cells were counted." in text


def count_cells(cells):
    return [f"{len(cells)} cells were counted."]


def test_figures_are_plotted_where_the_cells_have_data():
    arms = tuple(replace(row, label=f"upright: {row.label}") for row in TABLE.rows)
    figures = ("table", "table:recall", "curves", "confusion:upright: near", "robustness:turn:degrees")
    table = replace(TABLE, rows=arms, figures=figures, dataset="fashion-mnist-7x7")
    counts = [[9 if i == j else 1 for j in range(10)] for i in range(10)]
    cells = [
        replace(
            each, row=f"upright: {each.row}", confusion=counts, metrics={**each.metrics, "turn@0": 0.5, "turn@15": 0.4}
        )
        for each in CELLS
    ]
    plotted = draw_figures(table, cells)
    assert list(plotted) == ["tiny-table", "tiny-curves", "tiny-confusion-upright-near", "tiny-turn-upright"]
    assert [line.get_label() for line in plotted["tiny-turn-upright"].axes[0].lines] == [
        *("near (n=2)", "below (n=2)", "above (n=2)")
    ]
    assert plotted["tiny-curves"].axes[0].lines[0].get_ydata()[0] == pytest.approx(2.0)  # the mean of two seeds
    assert "upright: near, paper" in [line.get_label() for line in plotted["tiny-curves"].axes[0].lines]


def test_the_pages_of_the_papers_match_the_ledgers():
    spec = importlib.util.spec_from_file_location("papers", DOCS / "papers.py")
    papers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(papers)
    for path, text in {papers.PAGE: papers.render_page(), **papers.render_tables()}.items():
        assert path.read_text() == text, f"{path.name} is outdated; run: python docs/papers.py"
