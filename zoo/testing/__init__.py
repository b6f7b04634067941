"""The kit that checks what a plugin offers as zoo expects it to behave; third parties run it in their own tests.

>>> from zoo.testing import check_model
>>> check_model("gcn-7x7", only=["described", "parameters_counted"]).num_checks
2
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from zoo.plugins.catalog import CATALOGUE
from zoo.testing.datasets import DATASET_CHECKS, DataSubject
from zoo.testing.encoders.checks import ENCODER_CHECKS
from zoo.testing.encoders.subject import EncoderSubject
from zoo.testing.kit import Trial, check_plugin, trials
from zoo.testing.models import BY_TASK, CHECKS, GENERATOR_CHECKS
from zoo.testing.models.subject import Subject
from zoo.testing.plugins.checks import PLUGIN_CHECKS
from zoo.testing.report import CheckFailure, NotApplicable, Outcome, Report, reported

__all__ = [
    "CHECKS",
    "DATASET_CHECKS",
    "ENCODER_CHECKS",
    "GENERATOR_CHECKS",
    "PLUGIN_CHECKS",
    "CheckFailure",
    "EncoderSubject",
    "NotApplicable",
    "Outcome",
    "Report",
    "Subject",
    "Trial",
    "check_dataset",
    "check_encoder",
    "check_model",
    "check_plugin",
    "trials",
]


def check_model(
    name: str, *, expected_failures: Mapping[str, str] | None = None, only: Collection[str] = (), **config: Any
) -> Report:
    """Run every check on a model of the zoo.

    Args:
        name: A name on `zoo.models`.
        expected_failures: Checks known to fail, each with a reason; one that then holds is a failure too.
        only: Run only these checks.
        **config: Options to make the model with.

    Raises:
        CheckFailure: A check does not hold, or none ran.
        ConfigError: An expected failure names no check or gives no reason.
    """
    checks = BY_TASK.get(CATALOGUE.shelf("models")[name].task, CHECKS)
    return reported(name, Subject(name=name, config=config), checks, excuses=expected_failures, only=only)


def check_dataset(
    name: str, *, expected_failures: Mapping[str, str] | None = None, only: Collection[str] = ()
) -> Report:
    """Run every check on a data set; those that read it need it on this machine.

    Args:
        name: A name on `zoo.datasets`.
        expected_failures: Checks known to fail, each with a reason; one that then holds is a failure too.
        only: Run only these checks.

    Raises:
        CheckFailure: A check does not hold, or none ran.
        ConfigError: An expected failure names no check or gives no reason.
    """
    subject = DataSubject(name=name, spec=CATALOGUE.shelf("datasets")[name])
    return reported(name, subject, DATASET_CHECKS, excuses=expected_failures, only=only)


def check_encoder(
    name: str,
    *,
    width: int = 16,
    expected_failures: Mapping[str, str] | None = None,
    only: Collection[str] = (),
    **options: Any,
) -> Report:
    """Run every check on a graph encoder.

    Args:
        name: A name on `zoo.encoders`, or `plugin:name`.
        width: Features of each node.
        expected_failures: Checks known to fail, each with a reason; one that then holds is a failure too.
        only: Run only these checks.
        **options: Options to make the encoder with.

    Raises:
        CheckFailure: A check does not hold, or none ran.
        ConfigError: An expected failure names no check or gives no reason.
    """
    subject = EncoderSubject(name=name, width=width, options=options)
    return reported(name, subject, ENCODER_CHECKS, excuses=expected_failures, only=only)
