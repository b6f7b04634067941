"""Reproduce a paper's table: run the cells that are missing, and put the paper beside ours."""

from zoo.experiment.report import markdown
from zoo.experiment.run import Cell, Ledger, run

__all__ = ["Cell", "Ledger", "markdown", "run"]
