"""The kit that checks what a plugin offers as zoo expects it to behave; third parties run it in their own tests.

>>> from zoo.testing import check_model
>>> check_model("gcn-7x7", only=["described", "parameters_counted"]).num_checks
2
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from zoo.plugins.catalog import CATALOG
from zoo.testing.datasets import DATASET_CHECKS, DatasetSubject
from zoo.testing.encoders.checks import ENCODER_CHECKS
from zoo.testing.encoders.subject import EncoderSubject
from zoo.testing.kit import CheckSuite, check_plugin, collect_suites
from zoo.testing.models import CHECKS_BY_TASK, CLASSIFIER_CHECKS, GENERATOR_CHECKS
from zoo.testing.models.subject import ModelSubject
from zoo.testing.plugins.checks import PLUGIN_CHECKS
from zoo.testing.report import CheckFailure, CheckReport, NotApplicable, Outcome, check_subject

__all__ = [
    "CLASSIFIER_CHECKS",
    "DATASET_CHECKS",
    "ENCODER_CHECKS",
    "GENERATOR_CHECKS",
    "PLUGIN_CHECKS",
    "CheckFailure",
    "CheckReport",
    "CheckSuite",
    "EncoderSubject",
    "ModelSubject",
    "NotApplicable",
    "Outcome",
    "check_dataset",
    "check_encoder",
    "check_model",
    "check_plugin",
    "collect_suites",
]


def check_model(
    name: str, *, expected_failures: Mapping[str, str] | None = None, only: Collection[str] = (), **config: Any
) -> CheckReport:
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
    checks = CHECKS_BY_TASK.get(CATALOG.registry("models")[name].task, CLASSIFIER_CHECKS)
    return check_subject(
        name, ModelSubject(name=name, config=config), checks, expected_failures=expected_failures, only=only
    )


def check_dataset(
    name: str, *, expected_failures: Mapping[str, str] | None = None, only: Collection[str] = ()
) -> CheckReport:
    """Run every check on a data set; those that read it need it on this machine.

    Args:
        name: A name on `zoo.datasets`.
        expected_failures: Checks known to fail, each with a reason; one that then holds is a failure too.
        only: Run only these checks.

    Raises:
        CheckFailure: A check does not hold, or none ran.
        ConfigError: An expected failure names no check or gives no reason.
    """
    subject = DatasetSubject(name=name, spec=CATALOG.registry("datasets")[name])
    return check_subject(name, subject, DATASET_CHECKS, expected_failures=expected_failures, only=only)


def check_encoder(
    name: str,
    *,
    width: int = 16,
    expected_failures: Mapping[str, str] | None = None,
    only: Collection[str] = (),
    **options: Any,
) -> CheckReport:
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
    return check_subject(name, subject, ENCODER_CHECKS, expected_failures=expected_failures, only=only)
