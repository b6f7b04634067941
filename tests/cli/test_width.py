"""Output fits the terminal: no line is wider, and no name, number or word is cut."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from tests.support.terminals import run_in_terminal
from zoo.cli.main import COMMANDS
from zoo.cli.output import Column, measure, render_table, wrap_words

TABLES = Path(__file__).parents[2] / "docs" / "tables"
WIDTHS = (80, 120)
REGISTRIES = ("models", "encoders", "datasets", "experiments", "sources")


@pytest.fixture
def few(tmp_path):
    """Write a file of 320 training images."""
    from zoo.data.readers.archives import write_safetensors

    data = zoo.dataset("fashion-mnist-7x7")
    write_safetensors({"train": data.train.take(320), "test": data.test.take(50)}, tmp_path / "few.safetensors", {})
    return "./few.safetensors"


@pytest.fixture
def terminal(tmp_path):
    """Run `zoo WORDS` in a terminal; return its lines after checking the exit code and their width."""

    def show(width, *words, code=0):
        ended, lines = run_in_terminal(words, width, tmp_path)
        assert ended == code, lines
        assert [line for line in lines if measure(line) > width] == []
        return lines

    return show


def assert_whole(text, lines):
    """Check that each word of a text is somewhere a whole word."""
    shown = {word for line in lines for word in line.split()}
    assert [word for word in text.split() if word not in shown] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("registry", REGISTRIES)
def test_a_registry_is_listed_with_whole_names_and_summaries(terminal, width, registry):
    lines = terminal(width, "list", registry)
    first_words = [line.split()[0] for line in lines if line.split()]
    for name, value in getattr(zoo, registry).items():
        assert name in first_words
        assert_whole(value.summary, lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_trained_weights_are_listed_with_whole_names_and_scores(terminal, width):
    lines = terminal(width, "list", "trained")
    for name, weights in zoo.trained.items():
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert weights.accuracy is None or f"{weights.accuracy:.4f}" in line.split()


@pytest.mark.parametrize(
    "words", [(), *((command,) for command in COMMANDS), ("experiment", "run"), ("plugins", "new")]
)
def test_help_fits_and_shows_its_examples_as_lines(terminal, words):
    lines = [line.strip() for line in terminal(80, *words, "--help")]
    assert not any("\\b" in line for line in lines)
    if not words:
        assert any(re.fullmatch(r"zoo list +list the models", line) for line in lines)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "name", ["gcn-7x7", "cnn-deep", "cnn-deep/mnist", "fashion-mnist", "gat", "paper1-7x7", "timm"]
)
def test_a_page_of_info_fits(terminal, width, name):
    assert terminal(width, "info", name)[0].startswith(f"{name}: ")


def test_the_page_of_a_model_has_options_recipes_weights_and_examples(terminal):
    lines = terminal(80, "info", "gcn-7x7")
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "hidden tuple[int, ...] (16, 32)" in text
    assert "default epochs=10, lr=0.01" in text
    assert f"gcn-7x7/mnist accuracy {zoo.trained['gcn-7x7/mnist'].accuracy:.4f}" in text
    assert "zoo fit gcn-7x7 fashion-mnist-7x7" in text
    assert_whole(zoo.models["gcn-7x7"].paper, lines)


@pytest.mark.parametrize("width", WIDTHS)
def test_training_and_runs_fit(terminal, few, width):
    lines = terminal(width, "fit", "gcn-7x7", few, "--epochs", "2", "--seed", "0")
    head = next(line for line in lines if "loss" in line.split())
    assert head.split()[0] == "epoch"
    (row,) = (line for line in lines if line.split()[:1] == ["1"])
    assert all(re.fullmatch(r"[\d.,e+-]+", word) for word in row.split())
    assert "saved to ./runs/gcn-7x7" in lines
    lines = terminal(width, "runs")
    assert lines[1].split()[:4] == ["runs/gcn-7x7", "gcn-7x7", "done", "2/2"]


@pytest.mark.parametrize("width", WIDTHS)
def test_plugins_fit(terminal, width):
    lines = terminal(width, "plugins")
    assert_whole("zoo_attention_gan zoo_cnn zoo_graph_encoders models", lines)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["paper1-7x7", "paper1-robustness"])
def test_a_report_is_laid_out_and_not_markdown(terminal, tmp_path, width, name):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / f"{name}.jsonl").write_bytes((TABLES / f"{name}.jsonl").read_bytes())
    lines = terminal(width, "experiment", "report", name, "--out", "tables")
    text = "\n".join(lines)
    assert "| " not in text
    assert "**" not in text
    page = (tmp_path / "tables" / f"{name}.md").read_text()
    assert "| run | weights |" in page
    prose = " ".join(line for line in page.splitlines() if not line.startswith(("|", "#")))
    assert_whole(re.sub(r"[*`]", "", prose), lines)


def test_errors_are_wrapped_at_spaces(terminal):
    lines = terminal(80, "predict", "./nothing", "picture.png", code=1)
    assert lines[0].startswith("error: ")


@pytest.mark.parametrize("words", [("list",), ("list", "trained"), ("info", "gcn-7x7"), ("plugins",), ("data",)])
def test_piped_output_has_no_trailing_blanks_and_one_line_for_each_row(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "zoo", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if line != line.rstrip() or "\x1b" in line] == []
    if words == ("list",):
        for name, spec in zoo.models.items():
            (line,) = (line for line in lines if line.split()[:1] == [name])
            assert line.endswith(spec.summary)


@pytest.mark.parametrize(("words", "told"), [
    (("fti",), "did you mean fit?"),
    (("plugins", "docter"), "did you mean doctor?"),
    (("experiment", "rport"), "did you mean report?"),
    (("fit", "gcn-7x7", "mnist", "--lr", "1"), "--set lr=VALUE"),
    (("sweep", "gcn-7x7", "mnist", "--batch-size", "1"), "--set batch_size=VALUE"),
])  # fmt: skip
def test_a_wrong_word_gets_a_suggestion(run, words, told):
    code, _, err = run(*words)
    assert (code, told in err) == (2, True)


def test_a_table_drops_columns_by_their_order_and_wraps_sentences():
    columns = (
        Column("name"),
        Column("plugin", drop_order=2),
        Column("size", True, drop_order=1),
        Column("summary", wrap=True),
    )
    rows = [
        {
            "name": "gcn-7x7",
            "plugin": "zoo_grid_gcn",
            "size": 906,
            "summary": "three graph convolutions over 7 x 7 pixels",
        }
    ]
    assert render_table(rows, columns).rows == ((f"gcn-7x7  zoo_grid_gcn   906  {rows[0]['summary']}",),)
    table = render_table(rows, columns, 44)
    assert table.dropped == ("plugin",)
    assert table.rows[0] == ("gcn-7x7   906  three graph convolutions over", "               7 x 7 pixels")
    assert render_table(rows, columns, 36).dropped == ("plugin", "size")
    assert render_table(rows, columns, 20).rows[0][0] == "gcn-7x7"


def test_words_are_measured_in_cells_and_sizes_stay_together():
    assert wrap_words("靴 靴 靴", 5) == ["靴 靴", "靴"]
    assert wrap_words("over the 7 x 7 grid", 12) == ["over the", "7 x 7 grid"]
    assert wrap_words("", 5) == [""]
