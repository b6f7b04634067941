"""The code blocks of docs/plugins.md run, and so does the way from an empty folder to a trained model."""

import importlib.util
import re
import time

import pytest

from tests.support.environments import ROOT, Environment, build_wheel

PAGE = (ROOT / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"```(sh|py)\n(.*?)```", PAGE, re.DOTALL)
SCRIPT = """
zoo plugins new mine --kind encoder
pip install --editable ./zoo-mine
zoo plugins check zoo-mine
zoo fit graph-classifier fashion-mnist-7x7 --config encoder=mine --config size=7 --epochs 1 --set batch_size=512 --quiet
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Create an environment with zoo's wheel. pip builds without isolation, since there is no network."""
    wheel = build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))
    return Environment.create(tmp_path_factory.mktemp("story") / "venv", wheel, PIP_NO_BUILD_ISOLATION="0")


def test_the_code_blocks_of_the_page_run(environment, tmp_path, figure):
    output = ""
    for kind, text in BLOCKS:
        if kind == "py":
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
        else:
            output += environment.run("sh", "-ec", text, where=tmp_path).stdout
    counts = re.findall(r"zoo-(\w+): (\d+) checks ran: (\d+) passed", output)
    figure(f"docs/plugins.md: {len(BLOCKS)} blocks ran; checks that ran and passed: {counts}")
    assert [name for name, _, _ in counts] == ["brightness", "brightness", "star", "stripes", "tally"]
    assert all(ran == passed and int(ran) >= 12 for _, ran, passed in counts)
    assert " passed" in output
    assert "timm:resnet18" in output


def test_a_new_encoder_is_written_checked_and_trained_with_four_commands(environment, tmp_path, figure):
    start = time.perf_counter()
    output = environment.run("sh", "-exc", SCRIPT, where=tmp_path).stdout
    seconds = time.perf_counter() - start
    files = [path for path in (tmp_path / "zoo-mine").rglob("*.py") if path.name != "net.py"]
    num = sum(len([line for line in path.read_text().splitlines() if line.strip()]) for path in files)
    checked = re.search(r"zoo-mine: (\d+) checks ran: \1 passed", output)
    summary = f"4 commands, {num} lines of Python apart from the net, {checked[1]} checks, {seconds:.0f} seconds"
    figure(f"from an empty folder to a trained model: {summary}")
    assert "saved to ./runs/graph-classifier" in output
    assert num < 40


def test_the_reference_is_current_and_describes_every_field():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    page = generate.render_page()
    assert page == (ROOT / "docs" / "reference" / "plugins.md").read_text(), "run: python docs/generate.py"
    assert not [line for line in page.splitlines() if line.endswith("|  |")]
