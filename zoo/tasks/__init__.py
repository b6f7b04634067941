"""Define what a model learns: a task yields the losses of a batch, predicts, and tallies scores."""

from collections.abc import Callable, Mapping

from zoo.data.transforms import Normalize
from zoo.signature import Preprocessing
from zoo.task_info import CLASSIFICATION, GENERATION
from zoo.tasks.base import Loss, Tally, Task
from zoo.tasks.classification import Classification
from zoo.tasks.generation import Generation

TASKS: Mapping[str, Callable[[Preprocessing], Task]] = {
    CLASSIFICATION.name: lambda preprocessing: Classification(Normalize(preprocessing)),
    GENERATION.name: Generation,
}
"""Each task by name, for the use of a trained model; `zoo.tasks.build` makes the task of a training."""

__all__ = ["TASKS", "Classification", "Generation", "Loss", "Tally", "Task"]
