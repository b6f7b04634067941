"""The pages do what they say: every Python block runs as written, every command, field, link and number exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import zoo
from tests.support.environments import Environment, build_wheel
from zoo.cli.main import zoo as command_line
from zoo.recipe import Recipe

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
NEEDS_A_HUB = "hub.md"  # tests/hub/test_hub_story.py runs its blocks
RUNNABLE_PAGES = [page for page in PAGES if "```python" in page.read_text() and page.name != NEEDS_A_HUB]
TUTORIAL = ROOT / "docs" / "tutorial.md"
COMMANDS_OF_PLUGINS = ("tally",)  # made on the page of plugins
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
REQUIRED_ACCURACY = re.compile(r"assert .*accurac.* > 0\.\d")


def read_python_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def run_script(arguments, folder):
    """Run Python in a fresh process and a fresh folder, and return what it printed."""
    process = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.mark.parametrize("page", [page for page in RUNNABLE_PAGES if page != TUTORIAL], ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_in_order_as_written(page, tmp_path):
    """A block that writes a folder runs twice in a row, as a cell of a notebook may."""
    cells = [block * (2 if re.search(r"\.save\(|checkpoint=", block) else 1) for block in read_python_blocks(page)]
    run_script(["-c", "\n".join(cells)], tmp_path)


def test_the_tutorial_runs_from_its_first_block_to_its_last(tmp_path):
    """Python blocks share one process; shell blocks and files lie between them, as for a reader."""
    wheel = build_wheel(ROOT, tmp_path / "wheel")
    environment = Environment.create(tmp_path / "venv", wheel, PIP_NO_BUILD_ISOLATION="0")
    (tmp_path / "reader").mkdir()
    script = ["import pathlib, subprocess", *map(translate_cell, read_cells(TUTORIAL))]
    environment.run("python", "-c", "\n".join(script), where=tmp_path / "reader")


def read_cells(page):
    return re.findall(r"^```(python|sh|py)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def translate_cell(cell):
    """Return Python that does what a reader does with a block: runs it, or writes it to the file in its first line."""
    kind, text = cell
    if kind == "python":
        return text
    if kind == "sh":
        return f"subprocess.run(['sh', '-ec', {text!r}], check=True)"
    return f"pathlib.Path({text.splitlines()[0].removeprefix('# ')!r}).write_text({text!r})"


@pytest.mark.parametrize("page", RUNNABLE_PAGES, ids=lambda page: page.name)
def test_a_page_that_trains_asserts_how_well(page):
    text = "\n".join(read_python_blocks(page))
    assert ".fit(" not in text or REQUIRED_ACCURACY.search(text), f"{page.name} trains and asserts no accuracy"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_asserts_what_it_says(example, tmp_path):
    assert REQUIRED_ACCURACY.search(example.read_text()), f"{example.name} asserts no accuracy"
    run_script([str(example)], tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_exist_with_their_options(page):
    text = re.sub(r"\\\n", " ", page.read_text())
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    fenced = "\n".join(block for kind, block in blocks if kind in ("", "sh"))
    lines = re.findall(r"^(zoo [^#\n]*)", fenced, re.MULTILINE) + re.findall(r"`(zoo [a-z][^`]*)`", text)
    for line in lines:
        check_command(shlex.split(line.replace("...", ""), comments=True)[1:], line)


def check_command(words, line):
    """Check that the command exists and takes every option in the line."""
    command: click.Command | None = command_line
    context = click.Context(command_line)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        command = command.get_command(context, name)
        if command is None:
            assert name in COMMANDS_OF_PLUGINS, f"there is no command for: {line}"
            return
    options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
    assert {word for word in words if word.startswith("--")} <= options, line


def test_the_training_page_names_every_field_of_a_recipe():
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "training.md").read_text()))
    assert set(Recipe().to_json()) <= named


def test_the_readme_counts_weights_truly():
    text = README.read_text()
    for name in zoo.models:
        if zoo.models.owner(name).startswith(("zoo_cnn", "zoo_grid")):
            assert f"`{name}`" in text
            assert f"{zoo.models[name].parameters:,}" in text


def test_the_index_lists_every_page():
    index = (ROOT / "docs" / "index.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index] == ["index.md"]


def read_anchors(page):
    """Return the anchors of a page's headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_exist(page):
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", page.read_text()):
        path = page.parent / target if target else page
        assert path.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in read_anchors(path), f"{page.name} links to {target}#{anchor}"
