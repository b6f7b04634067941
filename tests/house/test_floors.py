"""A file imports only from lower floors; the floors are listed once, in pyproject.toml."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_imports_run_down_and_in_no_circle():
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    process = subprocess.run([*lint, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_contracts_leave_no_room_out():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(each for each in contracts if each.get("containers") == ["zoo"])
    assert floors["exhaustive"]
    assert {"type": "acyclic_siblings", "ancestors": ["zoo"]}.items() <= next(
        each for each in contracts if each["type"] == "acyclic_siblings"
    ).items()
