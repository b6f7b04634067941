"""What the docs show is what happens: every Python block runs, every table of names is true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo.recipe import Recipe

ROOT = Path(__file__).parents[2]
TESTED_ELSEWHERE = "hub.md"  # needs a Hub: tests/hub/test_hub_story.py
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if "```python" in page.read_text() and page.name != TESTED_ELSEWHERE
]
EXAMPLES = [path for path in sorted((ROOT / "examples").glob("*.py")) if path.name != "demo.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_in_order(page, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    script = "import zoo\n" + "\n".join(blocks)
    process = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example, tmp_path):
    process = subprocess.run([sys.executable, str(example)], cwd=tmp_path, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr


def test_the_training_page_names_every_field_of_a_recipe():
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "training.md").read_text()))
    assert set(Recipe().to_json()) <= named


def test_the_readme_counts_weights_truly():
    table = (ROOT / "README.md").read_text()
    for name in zoo.models:
        if zoo.models.owner(name).startswith(("zoo_cnn", "zoo_grid")):
            assert f"`{name}`" in table
            assert f"{zoo.models[name].parameters:,}" in table


def test_links_between_pages_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
