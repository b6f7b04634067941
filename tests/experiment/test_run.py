"""A cell that is done is kept, counts as long as its row is the same, and is never run again."""

import os
import signal
import time
from dataclasses import replace

import pytest
import torch

import zoo
from zoo.data.readers.archives import write_safetensors
from zoo.errors import BusyError, ConfigError, PluginError, TrainingError, WeightsError
from zoo.experiment import Cell, Ledger, find_unavailable_rows, run
from zoo.experiment.freshness import compute_inputs, is_fresh, resolve_row_recipe, select_fresh_cells

FEW = 256
ROWS = (
    zoo.Row(label="few", model="gcn-7x7", changes={"epochs": 1}, train="test_run:few"),
    zoo.Row(label="scored", model="gcn-7x7", changes={"epochs": 1}, train="test_run:few", score="test_run:first_ten"),
)
TABLE = zoo.Experiment(
    name="tiny", summary="a tiny table", source="nowhere", dataset="./small.safetensors", seeds=(0, 1), rows=ROWS
)


def few(sets, *, seed, quick):
    return sets.train.take(FEW, seed=seed)


def first_ten(model, sets, *, seed, quick):
    right = torch.from_numpy(model.predict(sets.test[:10])) == sets.test.labels[:10]
    return {"of ten": float(right.float().mean()), "right": right.to(torch.uint8)}


def wrong(*given, seed, quick):
    return {"it": float("nan")}


def slow(sets, *, seed, quick):
    time.sleep(0.3)
    return few(sets, seed=seed, quick=quick)


@pytest.fixture(autouse=True)
def small_set(tmp_path, bundled, monkeypatch):
    """Put a small data set where TABLE looks for it."""
    monkeypatch.chdir(tmp_path)
    parts = {"train": bundled.train[:1000], "test": bundled.test[:500]}
    write_safetensors(parts, tmp_path / "small.safetensors", {})


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "tables" / "tiny.jsonl")


def started(ledger, table=TABLE, **how):
    """Run a table, and return which cells were begun."""
    begun = []
    run(table, ledger, progress=False, on_start=lambda row, seed, *_: begun.append((row.label, seed)), **how)
    return begun


def cell(row=ROWS[0], seed=0, **changes):
    fields = {
        **{"row": row.label, "seed": seed, "metrics": {"accuracy": 0.5}, "history": [], "parameters": 906},
        **{"seconds": 2.0, "device": "a CPU", "versions": {}, "weights": "00"},
        **{"recipe": resolve_row_recipe(row, quick=False).to_json(), "inputs": compute_inputs(TABLE, row)},
    }
    return Cell(**fields | changes)


def test_a_row_is_trained_on_what_its_function_returns_and_scored_by_its_function(ledger):
    run(TABLE, ledger, rows=["scored"], seeds=(3,), progress=False)
    (done,) = ledger.read_cells()
    model = zoo.create("gcn-7x7", seed=3).fit(
        few(zoo.dataset(TABLE.dataset), seed=3, quick=False), epochs=1, progress=False
    )
    images = zoo.dataset(TABLE.dataset).test[:10]
    right = torch.from_numpy(model.predict(images)) == images.labels
    assert done.history[0]["loss"] == model.history[0]["loss"]
    assert done.metrics["of ten"] == pytest.approx(float(right.float().mean()))
    assert done.unpack_answers("right").tolist() == right.int().tolist()
    assert sum(map(sum, done.confusion)) == 500


def test_only_missing_cells_are_run_and_each_counts_until_its_row_changes(ledger):
    every = [("few", 0), ("scored", 0), ("few", 1), ("scored", 1)]
    assert started(ledger) == every
    assert started(ledger) == []
    other = replace(TABLE, rows=(ROWS[0], replace(ROWS[1], score="")))
    assert started(ledger, other) == [("scored", 0), ("scored", 1)]
    counts = [len(select_fresh_cells(table, ledger.read_cells())) for table in (TABLE, other)]
    assert counts == [4, 4]


@pytest.mark.parametrize(
    "changes",
    [
        {"changes": {"epochs": 2}},
        {"config": {"hidden": (4, 4)}},
        {"train": ""},
        {"train": "test_run:slow"},
        {"score": "test_run:first_ten"},
        {"dataset": "fashion-mnist"},
        {"model": "cnn-7x7"},
    ],
    ids=str,
)
def test_whatever_changes_the_result_makes_a_cell_missing(changes):
    assert is_fresh(cell(), TABLE, ROWS[0])
    assert not is_fresh(cell(), TABLE, replace(ROWS[0], **changes))


def test_a_cell_from_before_a_recipe_had_a_field_or_a_model_an_option_still_counts():
    recipe, before = resolve_row_recipe(ROWS[0], quick=False).to_json(), compute_inputs(TABLE, ROWS[0])
    del recipe["kernels"], before["config"]["last_relu"]
    old = cell(recipe=recipe, inputs=before)
    assert is_fresh(old, TABLE, ROWS[0])
    assert not is_fresh(old, TABLE, replace(ROWS[0], config={"last_relu": False}))


def test_a_failing_cell_does_not_stop_the_others_and_is_tried_again(ledger):
    table = replace(TABLE, rows=(replace(ROWS[0], label="bad", score="test_run:wrong"), ROWS[0]))
    with pytest.raises(TrainingError, match=r"1 of 2 cells failed, the first of them 'bad', seed 0: .*it is nan"):
        run(table, ledger, seeds=(0,), progress=False)
    assert [each.row for each in ledger.read_cells()] == ["few"]
    with pytest.raises(TrainingError, match="1 of 1"):
        run(table, ledger, seeds=(0,), progress=False)


@pytest.mark.parametrize("field", ["train", "score"])
def test_a_function_that_returns_something_else_is_named(ledger, field):
    odd = replace(ROWS[0], **{field: "builtins:dict"})
    with pytest.raises(TrainingError, match="builtins:dict") as raised:
        run(replace(TABLE, rows=(odd,)), ledger, seeds=(0,), progress=False)
    assert isinstance(raised.value.__cause__, PluginError)


def test_rows_that_need_a_gpu_wait_unless_they_are_named(ledger):
    table = replace(TABLE, rows=(replace(ROWS[0], needs="gpu"), ROWS[1]))
    assert [row.label for row in find_unavailable_rows(table, "cpu")] == ["few"]
    assert started(ledger, table, seeds=(0,), device="cpu") == [("scored", 0)]
    assert started(ledger, table, seeds=(0,), device="cpu", rows=["few"]) == [("few", 0)]


def test_quick_cells_are_short_and_are_no_others(ledger):
    assert started(ledger, quick=True, seeds=(0,), rows=["few"]) == [("few", 0)]
    assert started(ledger, quick=True, seeds=(0,), rows=["few"]) == []
    assert ledger.read_cells()[0].quick
    assert started(ledger, seeds=(0,), rows=["few"]) == [("few", 0)]


def test_a_row_that_is_not_there_is_refused(ledger):
    with pytest.raises(ConfigError, match="has no row 'other'"):
        run(TABLE, ledger, rows=["other"])


def test_the_ledger_keeps_cells_and_names_a_damaged_line(ledger):
    cells = [cell(seed=seed) for seed in range(3)]
    for each in cells:
        ledger.add(each)
    assert ledger.read_cells() == cells
    with ledger.path.open("a") as file:
        file.write('{"row": "half"}\n')
    with pytest.raises(WeightsError, match="line 4"):
        ledger.read_cells()


def test_half_a_line_at_the_end_costs_that_line_and_no_other(ledger):
    for seed in range(2):
        ledger.add(cell(seed=seed))
    whole = ledger.path.read_bytes()
    begun = whole.index(b"\n") + 1
    for end in (begun, begun + 1, len(whole) // 2 + 50, len(whole) - 1):
        ledger.path.write_bytes(whole[:end])
        assert ledger.read_cells() == [cell(seed=0)]
        ledger.add(cell(seed=1))
        assert ledger.path.read_bytes() == whole


def child(work):
    """Do some work in a process of its own, and return its number."""
    number = os.fork()
    if number == 0:
        code = 70
        try:
            code = work() or 0
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return number


def grown(ledger, lines):
    """Wait until a ledger has so many lines."""
    end = time.monotonic() + 60
    while not ledger.path.exists() or ledger.path.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)], ids=["kill", "Ctrl-C"]
)
def test_a_run_that_is_stopped_in_a_cell_goes_on_with_that_cell(ledger, sent, code):
    table = replace(TABLE, rows=(replace(ROWS[0], train="test_run:slow"),), seeds=(0, 1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    number = child(lambda: run(table, ledger, progress=False) and 0)
    grown(ledger, 1)
    with pytest.raises(BusyError):
        run(table, ledger, progress=False)
    before = ledger.path.read_bytes()
    os.kill(number, sent)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == code
    assert started(ledger, table) == [("few", 1), ("few", 2)]
    assert ledger.path.read_bytes().startswith(before)
    assert [each.seed for each in ledger.read_cells()] == [0, 1, 2]
