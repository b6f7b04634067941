"""What a model learns: a task yields losses, predicts, and tallies scores."""

from zoo.tasks.classification import Classification
from zoo.tasks.task import Loss, Tally, Task

__all__ = ["Classification", "Loss", "Tally", "Task"]
