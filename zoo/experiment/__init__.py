"""Reproduce a paper's table: run the missing cells, and compare zoo's results with the paper's.

An experiment has rows, and every row runs with several seeds. A `Cell` is the result of one row with one seed. `run`
trains the missing cells and adds each to a `Ledger`, a file; `to_markdown` compares the cells with the paper.
"""

from zoo.experiment.ledger import Cell, Ledger
from zoo.experiment.report import FORMATS, to_markdown
from zoo.experiment.runner import find_unavailable_rows, run

__all__ = ["FORMATS", "Cell", "Ledger", "find_unavailable_rows", "run", "to_markdown"]
