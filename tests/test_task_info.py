"""Every task in the table has code in each package, and its texts can be filled in."""

import pytest

from zoo.export.modules import EXPORT_MODULES
from zoo.inference import PREDICTORS
from zoo.task_info import TASK_INFO
from zoo.tasks import TASKS
from zoo.tasks.build import BUILDERS
from zoo.testing import CHECKS_BY_TASK


@pytest.mark.parametrize(
    "code",
    [TASKS, BUILDERS, PREDICTORS, EXPORT_MODULES, CHECKS_BY_TASK],
    ids=["tasks", "builders", "predictors", "export modules", "checks"],
)
def test_each_package_has_code_for_each_task(code):
    assert set(code) == set(TASK_INFO)


@pytest.mark.parametrize("info", TASK_INFO.values(), ids=list(TASK_INFO))
def test_the_texts_of_a_task_can_be_filled_in(info):
    assert info.command.format(model="./runs/it").startswith("zoo ")
    assert "{" not in info.limits.format(num_classes=10, size="7 x 7", resize="area", scored="")
    assert TASK_INFO[info.name] is info
