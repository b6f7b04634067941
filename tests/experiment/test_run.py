"""A finished cell is stored, is fresh as long as its row is the same, and is not run again."""

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

NUM_IMAGES = 256
ROWS = (
    zoo.Row(label="trained", model="gcn-7x7", changes={"epochs": 1}, train="test_run:take_few"),
    zoo.Row(
        label="scored", model="gcn-7x7", changes={"epochs": 1}, train="test_run:take_few", score="test_run:score_ten"
    ),
)
TABLE = zoo.Experiment(
    name="tiny", summary="a tiny table", source="nowhere", dataset="./small.safetensors", seeds=(0, 1), rows=ROWS
)


def take_few(dataset, *, seed, quick):
    return dataset.train.take(NUM_IMAGES, seed=seed)


def score_ten(model, dataset, *, seed, quick):
    correct = torch.from_numpy(model.predict(dataset.test[:10])) == dataset.test.labels[:10]
    return {"of ten": float(correct.float().mean()), "correct": correct.to(torch.uint8)}


def score_nan(*arguments, seed, quick):
    return {"it": float("nan")}


def take_slowly(dataset, *, seed, quick):
    time.sleep(0.3)
    return take_few(dataset, seed=seed, quick=quick)


@pytest.fixture(autouse=True)
def small_file(tmp_path, bundled, monkeypatch):
    """Write the small data set that TABLE names."""
    monkeypatch.chdir(tmp_path)
    parts = {"train": bundled.train[:1000], "test": bundled.test[:500]}
    write_safetensors(parts, tmp_path / "small.safetensors", {})


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "tables" / "tiny.jsonl")


def run_table(ledger, table=TABLE, **options):
    """Run a table, and return the cells that were started."""
    started = []
    run(table, ledger, progress=False, on_start=lambda row, seed, *_: started.append((row.label, seed)), **options)
    return started


def make_cell(row=ROWS[0], seed=0, **changes):
    fields = {
        **{"row": row.label, "seed": seed, "metrics": {"accuracy": 0.5}, "history": [], "parameters": 906},
        **{"seconds": 2.0, "device": "a CPU", "versions": {}, "weights": "00"},
        **{"recipe": resolve_row_recipe(row, quick=False).to_json(), "inputs": compute_inputs(TABLE, row)},
    }
    return Cell(**fields | changes)


def test_functions_of_a_row_make_its_training_images_and_its_scores(ledger):
    run(TABLE, ledger, rows=["scored"], seeds=(3,), progress=False)
    (cell,) = ledger.read_cells()
    model = zoo.create("gcn-7x7", seed=3).fit(
        take_few(zoo.dataset(TABLE.dataset), seed=3, quick=False), epochs=1, progress=False
    )
    images = zoo.dataset(TABLE.dataset).test[:10]
    correct = torch.from_numpy(model.predict(images)) == images.labels
    assert cell.history[0]["loss"] == model.history[0]["loss"]
    assert cell.metrics["of ten"] == pytest.approx(float(correct.float().mean()))
    assert cell.unpack_answers("correct").tolist() == correct.int().tolist()
    assert sum(map(sum, cell.confusion)) == 500


def test_only_missing_cells_run_and_a_cell_is_fresh_until_its_row_changes(ledger):
    all_cells = [("trained", 0), ("scored", 0), ("trained", 1), ("scored", 1)]
    assert run_table(ledger) == all_cells
    assert run_table(ledger) == []
    other = replace(TABLE, rows=(ROWS[0], replace(ROWS[1], score="")))
    assert run_table(ledger, other) == [("scored", 0), ("scored", 1)]
    counts = [len(select_fresh_cells(table, ledger.read_cells())) for table in (TABLE, other)]
    assert counts == [4, 4]


@pytest.mark.parametrize(
    "changes",
    [
        {"changes": {"epochs": 2}},
        {"config": {"hidden": (4, 4)}},
        {"train": ""},
        {"train": "test_run:take_slowly"},
        {"score": "test_run:score_ten"},
        {"dataset": "fashion-mnist"},
        {"model": "cnn-7x7"},
    ],
    ids=str,
)
def test_a_cell_is_not_fresh_after_any_change_of_its_row(changes):
    assert is_fresh(make_cell(), TABLE, ROWS[0])
    assert not is_fresh(make_cell(), TABLE, replace(ROWS[0], **changes))


def test_a_cell_from_before_a_new_recipe_field_or_model_option_stays_fresh():
    recipe, inputs = resolve_row_recipe(ROWS[0], quick=False).to_json(), compute_inputs(TABLE, ROWS[0])
    del recipe["kernels"], inputs["config"]["last_relu"]
    old = make_cell(recipe=recipe, inputs=inputs)
    assert is_fresh(old, TABLE, ROWS[0])
    assert not is_fresh(old, TABLE, replace(ROWS[0], config={"last_relu": False}))


def test_a_failing_cell_does_not_stop_the_others_and_is_tried_again(ledger):
    table = replace(TABLE, rows=(replace(ROWS[0], label="bad", score="test_run:score_nan"), ROWS[0]))
    with pytest.raises(TrainingError, match=r"1 of 2 cells failed, the first of them 'bad', seed 0: .*it is nan"):
        run(table, ledger, seeds=(0,), progress=False)
    assert [each.row for each in ledger.read_cells()] == ["trained"]
    with pytest.raises(TrainingError, match="1 of 1"):
        run(table, ledger, seeds=(0,), progress=False)


@pytest.mark.parametrize("field", ["train", "score"])
def test_a_function_with_a_wrong_result_is_named(ledger, field):
    row = replace(ROWS[0], **{field: "builtins:dict"})
    with pytest.raises(TrainingError, match="builtins:dict") as raised:
        run(replace(TABLE, rows=(row,)), ledger, seeds=(0,), progress=False)
    assert isinstance(raised.value.__cause__, PluginError)


def test_rows_that_need_a_gpu_are_left_out_unless_they_are_named(ledger):
    table = replace(TABLE, rows=(replace(ROWS[0], needs="gpu"), ROWS[1]))
    assert [row.label for row in find_unavailable_rows(table, "cpu")] == ["trained"]
    assert run_table(ledger, table, seeds=(0,), device="cpu") == [("scored", 0)]
    assert run_table(ledger, table, seeds=(0,), device="cpu", rows=["trained"]) == [("trained", 0)]


def test_quick_cells_do_not_count_as_full_cells(ledger):
    assert run_table(ledger, quick=True, seeds=(0,), rows=["trained"]) == [("trained", 0)]
    assert run_table(ledger, quick=True, seeds=(0,), rows=["trained"]) == []
    assert ledger.read_cells()[0].quick
    assert run_table(ledger, seeds=(0,), rows=["trained"]) == [("trained", 0)]


def test_an_unknown_row_is_refused(ledger):
    with pytest.raises(ConfigError, match="has no row 'other'"):
        run(TABLE, ledger, rows=["other"])


def test_the_ledger_stores_cells_and_names_a_damaged_line(ledger):
    cells = [make_cell(seed=seed) for seed in range(3)]
    for each in cells:
        ledger.add(each)
    assert ledger.read_cells() == cells
    with ledger.path.open("a") as file:
        file.write('{"row": "half"}\n')
    with pytest.raises(WeightsError, match="line 4"):
        ledger.read_cells()


def test_an_incomplete_last_line_loses_only_that_line(ledger):
    for seed in range(2):
        ledger.add(make_cell(seed=seed))
    content = ledger.path.read_bytes()
    second_line = content.index(b"\n") + 1
    for end in (second_line, second_line + 1, len(content) // 2 + 50, len(content) - 1):
        ledger.path.write_bytes(content[:end])
        assert ledger.read_cells() == [make_cell(seed=0)]
        ledger.add(make_cell(seed=1))
        assert ledger.path.read_bytes() == content


def fork(function):
    """Call a function in a forked process, and return its process id."""
    process_id = os.fork()
    if process_id == 0:
        code = 70
        try:
            code = function() or 0
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return process_id


def wait_for_lines(ledger, lines):
    """Wait until a ledger has a number of lines."""
    end = time.monotonic() + 60
    while not ledger.path.exists() or ledger.path.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("signal_number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)], ids=["kill", "Ctrl-C"]
)
def test_a_stopped_run_continues_with_the_cell_it_was_stopped_in(ledger, signal_number, code):
    table = replace(TABLE, rows=(replace(ROWS[0], train="test_run:take_slowly"),), seeds=(0, 1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process_id = fork(lambda: run(table, ledger, progress=False) and 0)
    wait_for_lines(ledger, 1)
    with pytest.raises(BusyError):
        run(table, ledger, progress=False)
    before = ledger.path.read_bytes()
    os.kill(process_id, signal_number)
    assert os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]) == code
    assert run_table(ledger, table) == [("trained", 1), ("trained", 2)]
    assert ledger.path.read_bytes().startswith(before)
    assert [each.seed for each in ledger.read_cells()] == [0, 1, 2]
