"""Reproduce a paper's table: run the cells that are missing, and put the paper beside ours."""

from zoo.experiment.ledger import Cell, Ledger
from zoo.experiment.report import FORMATS, markdown
from zoo.experiment.runner import run, waiting

__all__ = ["FORMATS", "Cell", "Ledger", "markdown", "run", "waiting"]
