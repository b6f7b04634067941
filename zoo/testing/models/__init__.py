"""List every check of a model by name, in the order they run: cheap and informative checks first.

Checks that hold for every task are listed here. A task adds a module with its `TaskKit`, and a line in `TASK_KITS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.plugins.catalog import CATALOG
from zoo.task_info import CLASSIFICATION, GENERATION
from zoo.testing import shared_checks
from zoo.testing.models import classification, construction, declaration, generation, persistence, training
from zoo.testing.models.subject import Check, ModelSubject, TaskKit

TASK_KITS: dict[str, TaskKit] = {CLASSIFICATION.name: classification.KIT, GENERATION.name: generation.KIT}

DECLARATION_CHECKS: tuple[Check, ...] = (
    construction.settings_untouched,  # first, since changed settings would affect the others
    shared_checks.same_seed_same_weights,
    shared_checks.weights_not_shared,
    declaration.declared_options_exist,
    declaration.config_is_complete,
    declaration.config_survives_json,
    shared_checks.unknown_option_refused,
    declaration.parameters_counted,
    shared_checks.described,
    shared_checks.paper_named,
    declaration.name_tells_the_size,
)
STATE_CHECKS: tuple[Check, ...] = (
    shared_checks.random_state_untouched,
    construction.copies_stand_alone,
    persistence.state_is_whole,
    persistence.strict_loading,
    training.gradients_reach_every_weight,
)
PERSISTENCE_CHECKS: tuple[Check, ...] = (
    training.fits_are_repeatable,
    training.recipes_train,
    persistence.saved_and_loaded_bitwise,
    persistence.saved_in_other_number_types,
    persistence.follows_device_and_dtype,
    persistence.exports,
    construction.rebuilt_in_a_fresh_process,
)


def _list_checks(kit: TaskKit) -> dict[str, Check]:
    order = (*DECLARATION_CHECKS, *kit.forward_checks, *STATE_CHECKS, *kit.training_checks, *PERSISTENCE_CHECKS)
    return {check.__name__: check for check in order}


CHECKS_BY_TASK = {task: _list_checks(kit) for task, kit in TASK_KITS.items()}
"""The checks of a model, by its task and name."""


def make_model_subject(name: str, config: Mapping[str, Any] | None = None) -> ModelSubject:
    """Return the subject for a model.

    Args:
        name: Name in `zoo.models`.
        config: Options to create the model with.
    """
    spec = CATALOG.registry("models")[name]
    return TASK_KITS[spec.task].subject(name=name, config=config or {})


def get_model_checks(name: str) -> Mapping[str, Check]:
    """Return the checks of a model in `zoo.models`, by name."""
    return CHECKS_BY_TASK[CATALOG.registry("models")[name].task]
