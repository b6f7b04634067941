"""The ledger and the report tell what was run, and nothing else."""

from dataclasses import replace

import pytest

import zoo
from zoo.errors import ConfigError, WeightsError
from zoo.experiment import Cell, Ledger, markdown, run

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
        recipe={},
    )


CELLS = [cell(row, seed, 0.49 + seed / 50) for row in ("lands", "misses", "above") for seed in (0, 1)]


def row_of(text, label):
    return next(line for line in text.splitlines() if line.startswith(f"| {label} "))


def test_the_report_gives_mean_spread_number_and_range():
    assert "| 0.5000 | 0.5000 ± 0.0141 | 2 | 0.4900 to 0.5100 | yes |" in row_of(markdown(TABLE, CELLS), "lands")


def test_the_report_marks_what_misses_and_what_is_above():
    text = markdown(TABLE, CELLS)
    assert "**no**" in row_of(text, "misses")
    assert "above" in row_of(text, "above").split("|")[7]
    assert "not run" in row_of(text, "waits")


def test_the_report_lays_losses_beside_the_papers_and_says_whether_they_bracket_it():
    text = markdown(TABLE, CELLS)
    assert "| 1 | 2.0000 | 2.0000 | 1.9000 to 2.1000 | yes |" in text
    assert "| 2 | 1.5000 | 1.7000 | 1.6000 to 1.8000 | no |" in text


def test_quick_cells_are_said_to_be_quick():
    assert "Quick cells" in markdown(TABLE, [replace(CELLS[0], quick=True)])


def test_the_ledger_keeps_cells_and_names_a_damaged_line(tmp_path):
    ledger = Ledger(tmp_path / "tables" / "tiny.jsonl")
    for each in CELLS:
        ledger.add(each)
    assert ledger.cells() == CELLS
    with ledger.path.open("a") as file:
        file.write('{"row": "half')
    with pytest.raises(WeightsError, match=f"line {len(CELLS) + 1}"):
        ledger.cells()


def test_a_cell_with_another_recipe_counts_as_missing(tmp_path):
    ledger = Ledger(tmp_path / "tiny.jsonl")
    ledger.add(cell("lands", 0, 0.5))
    started = []
    cells = run(
        TABLE,
        ledger,
        seeds=(0,),
        rows=["lands"],
        quick=True,
        progress=False,
        on_start=lambda *told: started.append(told[1:]),
    )
    assert started == [(0, 1, 1)]
    assert len(cells) == 2
    assert cells[1].recipe["epochs"] == 1


def test_a_cell_from_before_a_recipe_had_a_field_still_counts(tmp_path):
    ledger = Ledger(tmp_path / "tiny.jsonl")
    recipe = zoo.models[TABLE.rows[0].model].recipe.to_json()
    ledger.add(replace(cell("lands", 0, 0.5), recipe={k: v for k, v in recipe.items() if k != "kernels"}))
    assert len(run(TABLE, ledger, seeds=(0,), rows=["lands"], progress=False)) == 1


def test_a_row_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="has no row 'other'"):
        run(TABLE, Ledger(tmp_path / "tiny.jsonl"), rows=["other"])
