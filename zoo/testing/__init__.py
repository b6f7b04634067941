"""Check that what a plugin offers behaves as zoo expects; plugin authors run these checks in their own tests.

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
from zoo.testing.models import CHECKS_BY_TASK, get_model_checks, make_model_subject
from zoo.testing.models.subject import ModelSubject
from zoo.testing.plugins.checks import PLUGIN_CHECKS
from zoo.testing.report import CheckFailure, CheckReport, NotApplicable, Outcome, check_subject

__all__ = [
    "CHECKS_BY_TASK",
    "DATASET_CHECKS",
    "ENCODER_CHECKS",
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
    "make_model_subject",
]


def check_model(
    name: str, *, expected_failures: Mapping[str, str] | None = None, only: Collection[str] = (), **config: Any
) -> CheckReport:
    """Run every check on a model of the zoo.

    Args:
        name: A name in `zoo.models`.
        expected_failures: Reasons by name of checks known to fail. Such a check fails the report if it passes.
        only: Names of the checks to run; all if empty.
        **config: Options to create the model with.

    Raises:
        CheckFailure: A check failed, or none ran.
        ConfigError: An expected failure names an unknown check or has no reason.
    """
    subject, checks = make_model_subject(name, config), get_model_checks(name)
    return check_subject(name, subject, checks, expected_failures=expected_failures, only=only)


def check_dataset(
    name: str, *, expected_failures: Mapping[str, str] | None = None, only: Collection[str] = ()
) -> CheckReport:
    """Run every check on a data set. Checks that read it are skipped if it is not on this machine.

    Args:
        name: A name in `zoo.datasets`.
        expected_failures: Reasons by name of checks known to fail. Such a check fails the report if it passes.
        only: Names of the checks to run; all if empty.

    Raises:
        CheckFailure: A check failed, or none ran.
        ConfigError: An expected failure names an unknown check or has no reason.
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
        name: A name in `zoo.encoders`, or `plugin:name`.
        width: Features of each node.
        expected_failures: Reasons by name of checks known to fail. Such a check fails the report if it passes.
        only: Names of the checks to run; all if empty.
        **options: Options to build the encoder with.

    Raises:
        CheckFailure: A check failed, or none ran.
        ConfigError: An expected failure names an unknown check or has no reason.
    """
    subject = EncoderSubject(name=name, width=width, options=options)
    return check_subject(name, subject, ENCODER_CHECKS, expected_failures=expected_failures, only=only)
