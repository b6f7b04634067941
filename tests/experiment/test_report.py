"""The report tells what was run and what that shows, and nothing else."""

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
        zoo.Row(label="lands", model="gcn-7x7", paper={"accuracy": 0.50, "loss": (2.0, 1.5)}),
        zoo.Row(label="misses", model="gcn-7x7", paper={"accuracy": 0.90}),
        zoo.Row(label="above", model="gcn-7x7", paper={"accuracy": 0.10}),
        zoo.Row(label="waits", model="gcn-7x7"),
    ),
)


def cell(row, seed, accuracy):
    (planned,) = [each for each in TABLE.rows if each.label == row]
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
        recipe=resolve_row_recipe(planned, quick=False).to_json(),
        inputs=compute_inputs(TABLE, planned),
    )


CELLS = [cell(row, seed, 0.49 + seed / 50) for row in ("lands", "misses", "above") for seed in (0, 1)]


def row_of(text, label):
    return next(line for line in text.splitlines() if line.startswith(f"| {label} "))


def test_the_report_gives_mean_spread_number_and_range():
    assert "| 0.5000 | 0.5000 ± 0.0141 | 2 | 0.4900 to 0.5100 | reproduced |" in row_of(
        to_markdown(TABLE, CELLS), "lands"
    )


def test_the_report_marks_what_misses_and_what_is_above():
    text = to_markdown(TABLE, CELLS)
    assert "| not reproduced |" in row_of(text, "misses")
    assert "| beaten |" in row_of(text, "above")
    assert "| not yet run | 0 |" in row_of(text, "waits")


def test_the_report_lays_losses_beside_the_papers_and_says_whether_they_bracket_it():
    text = to_markdown(TABLE, CELLS)
    assert "| 1 | 2.0000 | 2.0000 | 1.9000 to 2.1000 | yes |" in text
    assert "| 2 | 1.5000 | 1.7000 | 1.6000 to 1.8000 | no |" in text


def test_quick_cells_are_said_to_be_quick():
    quick = replace(CELLS[0], quick=True, recipe=CELLS[0].recipe | {"epochs": 1})
    text = to_markdown(TABLE, [quick])
    assert "Quick cells" in text
    assert "reproduced |" not in row_of(text, "lands")


def test_cells_of_a_row_that_has_changed_since_are_left_out_and_counted():
    changed = replace(TABLE, rows=(replace(TABLE.rows[0], changes={"lr": 0.1}), *TABLE.rows[1:]))
    text = to_markdown(changed, CELLS)
    assert "2 cells of rows as they were before are left out" in text
    assert "| not yet run | 0 |" in row_of(text, "lands")


def test_each_row_has_a_sentence_of_verdict_from_its_numbers():
    said = {row.row.label: row.sentence for row in summarize_rows(replace(TABLE, seeds=(0, 1)), CELLS)}
    assert said["lands"].startswith("**reproduced**: the paper has 0.5000, ours is 0.5000 ± 0.0141 (n = 2,")
    assert said["misses"].endswith("our best seed is worse by 0.3900.")
    assert said["above"].startswith("**beaten**")
    assert said["above"].endswith("better by 0.3900.")
    assert said["waits"] == "not yet run: `zoo experiment run tiny --row waits`."


@pytest.mark.parametrize(
    ("values", "paper", "word"),
    [
        ((0.50, 0.52), 0.515, "reproduced"),  # the means are near
        ((0.30, 0.90), 0.85, "reproduced"),  # it lies among the seeds
        ((0.60, 0.62), 0.50, "beaten"),
        ((0.40, 0.42), 0.50, "not reproduced"),
        ((0.40, 0.42), None, ""),
    ],
)
def test_the_word_comes_from_the_numbers(values, paper, word):
    assert Stat(name="accuracy", values=values, paper=paper).judge(0.02) == word


def test_a_smaller_distance_is_better():
    assert Stat(name="distance", values=(0.1, 0.2), paper=0.5).judge(0.02) == "beaten"
    assert Stat(name="distance", values=(0.8, 0.9), paper=0.5).judge(0.02) == "not reproduced"


def test_seeds_that_are_missing_are_told_with_the_command_that_runs_them():
    gpu = replace(TABLE, rows=(replace(TABLE.rows[0], needs="gpu"),))
    (row,) = summarize_rows(gpu, CELLS[:1])
    assert row.rest_command == "zoo experiment run tiny --row lands --seeds 1,2,3,4 --device cuda"
    (row,) = summarize_rows(replace(gpu, seeds=(0, 7)), CELLS[:1])
    assert row.rest_command == "zoo experiment run tiny --row lands --seeds 7, --device cuda"
    assert parse_seeds(None, None, "7,") == (7,)  # the command line reads it so
    assert parse_seeds(None, None, "1,2,3,4") == (1, 2, 3, 4)


def test_csv_and_json_have_the_numbers_and_leave_what_is_not_run_empty():
    lines = list(csv.DictReader(io.StringIO(to_csv(TABLE, CELLS))))
    assert [(line["row"], line["n"], line["mean"]) for line in lines] == [
        *(("lands", "2", "0.5"), ("misses", "2", "0.5"), ("above", "2", "0.5"), ("waits", "0", "")),
    ]
    told = json.loads(to_json(TABLE, CELLS))
    assert told["rows"][1]["verdict"] == "not reproduced"
    assert set(told["not_yet_run"]) == {"lands", "misses", "above", "waits"}
    assert told["rows"][3]["mean"] is None


def test_metrics_that_are_asked_for_are_columns_and_the_rows_are_told_together():
    table = replace(TABLE, metrics=("accuracy", "recall"), text="Why.", verdict="test_report:counted")
    cells = [replace(each, metrics={**each.metrics, "recall": 0.25}) for each in CELLS]
    text = to_markdown(table, cells)
    assert "| verdict | recall | seconds, median |" in text
    assert row_of(text, "lands").endswith("| reproduced | 0.2500 ± 0.0000 | 2.0 |")
    assert "\nWhy.\n" in text
    assert "- 6 cells were seen." in text


def counted(cells):
    return [f"{len(cells)} cells were seen."]


def test_pictures_are_drawn_of_what_the_cells_have():
    arms = tuple(replace(row, label=f"upright: {row.label}") for row in TABLE.rows)
    asked = ("table", "table:recall", "curves", "confusion:upright: lands", "robustness:turn:degrees")
    table = replace(TABLE, rows=arms, figures=asked, dataset="fashion-mnist-7x7")
    counts = [[9 if i == j else 1 for j in range(10)] for i in range(10)]
    cells = [
        replace(
            each, row=f"upright: {each.row}", confusion=counts, metrics={**each.metrics, "turn@0": 0.5, "turn@15": 0.4}
        )
        for each in CELLS
    ]
    drawn = draw_figures(table, cells)
    assert list(drawn) == ["tiny-table", "tiny-curves", "tiny-confusion-upright-lands", "tiny-turn-upright"]
    assert [line.get_label() for line in drawn["tiny-turn-upright"].axes[0].lines] == [
        *("lands (n=2)", "misses (n=2)", "above (n=2)")
    ]
    assert drawn["tiny-curves"].axes[0].lines[0].get_ydata()[0] == pytest.approx(2.0)  # the mean of two seeds
    assert "upright: lands, paper" in [line.get_label() for line in drawn["tiny-curves"].axes[0].lines]


def test_the_pages_of_the_papers_are_what_the_ledgers_say():
    spec = importlib.util.spec_from_file_location("papers", DOCS / "papers.py")
    papers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(papers)
    for place, text in {papers.PAGE: papers.page(), **papers.tables()}.items():
        assert place.read_text() == text, f"{place.name} is old; run: python docs/papers.py"
