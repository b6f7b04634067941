"""Write docs/papers.md and the pages of docs/tables from the ledgers that lie there. `python docs/papers.py`.

The pictures are drawn by `zoo experiment report NAME`; those that are there are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import zoo
from zoo.experiment import Ledger, to_markdown
from zoo.experiment.report import format_title, render_body
from zoo.plugins.experiment_spec import Experiment

DOCS = Path(__file__).parent
PAGE, TABLES, PICTURES = DOCS / "papers.md", DOCS / "tables", DOCS / "pictures"
HEAD = """# The papers

What three papers report, what zoo finds, and a verdict for each row. Everything below is written by
`python docs/papers.py` from the results in [tables](tables), which `zoo experiment run NAME` adds to: a number that is
not there is *not yet run*, and its command stands beside it. `zoo experiment report NAME` draws the pictures.
"""
PAPERS = {
    "paper1": "Paper 1: graph convolutions on tiny images",
    "paper2": "Paper 2: two convolutional networks on Fashion-MNIST",
    "paper3": "Paper 3: images drawn by a residual attention network as training data",
    "": "Beside the papers",
}
"""How an experiment's name begins, and under which heading it stands."""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_papers()]).rstrip() + "\n"


def _papers() -> Iterator[str]:
    for prefix, heading in PAPERS.items():
        ours = [each for name, each in zoo.experiments.items() if _prefix(name) == prefix]
        if ours:
            yield f"## {heading}\n"
        for experiment in ours:
            yield from _section(experiment)


def _prefix(name: str) -> str:
    return next((prefix for prefix in PAPERS if prefix and name.startswith(f"{prefix}-")), "")


def _section(experiment: Experiment) -> Iterator[str]:
    cells = _ledger(experiment).read_cells()
    yield f"### {format_title(experiment)}\n"
    yield from render_body(experiment, cells)
    yield ""
    for picture in sorted(PICTURES.glob(f"{experiment.name}-*.png")):
        told = picture.stem.removeprefix(f"{experiment.name}-").replace("-", " ")
        yield f"![{told} of {experiment.name}](pictures/{picture.name})\n"
    if cells:
        yield f"Losses by epoch, machine and versions: [tables/{experiment.name}.md](tables/{experiment.name}.md).\n"


def _ledger(experiment: Experiment) -> Ledger:
    return Ledger(TABLES / f"{experiment.name}.jsonl")


def tables() -> dict[Path, str]:
    """Return the page of every experiment that has cells, by its place."""
    found = [(experiment, _ledger(experiment).read_cells()) for experiment in zoo.experiments.values()]
    return {TABLES / f"{experiment.name}.md": to_markdown(experiment, cells) for experiment, cells in found if cells}


if __name__ == "__main__":
    for place, text in {PAGE: page(), **tables()}.items():
        place.write_text(text)
        print(f"{place.relative_to(DOCS)}: {len(text.splitlines())} lines")
