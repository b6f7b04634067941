"""Reproduce a paper's table: run the cells that are missing, and put the paper beside ours."""

from zoo.experiment.ledger import Cell, Ledger
from zoo.experiment.report import FORMATS, to_markdown
from zoo.experiment.runner import find_unavailable_rows, run

__all__ = ["FORMATS", "Cell", "Ledger", "find_unavailable_rows", "run", "to_markdown"]
