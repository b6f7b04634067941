"""Every registered model passes the kit, and the kit catches planted faults by name."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import zoo
from tests.support.fake_plugin import offer
from tests.support.faulty_nets import FAULTS, LOPSIDED, WRONG_SPECS, Detached, Forgotten, Pooled, Sound
from tests.support.small_models import OPTIONS, list_checks
from zoo import testing
from zoo.errors import ConfigError
from zoo.testing import CHECKS_BY_TASK, CheckFailure, check_model
from zoo.testing.report import NotApplicable, check_subject, make_report, run_checks

CLASSIFIER_CHECKS = CHECKS_BY_TASK["classification"]

UNDECLARED = {"declared_symmetry_holds": "it declares no symmetry"}


def passed_or_undeclared(report):
    """Return the names of the checks that passed, and of the symmetry's where none is declared."""
    assert report.skipped.items() <= UNDECLARED.items() or "is declared for other" in str(report.skipped)
    return {*report.passed, *report.skipped}


@pytest.mark.parametrize("name", list(zoo.models))
def test_every_registered_model_passes_every_check(name):
    chosen = list_checks(name)
    report = check_model(name, only=chosen, **OPTIONS.get(name, {}))
    print(report)
    assert passed_or_undeclared(report) == set(chosen)


@pytest.fixture
def offered(monkeypatch):
    """Offer a net of `tests/support/faulty_nets.py` as a model of the zoo, as an installed plugin would."""

    def offered(net, **changes):
        about = {"name": "subject", "summary": "a net", "paper": "unpublished", "size": (7, 7)} | changes
        return offer(monkeypatch, zoo.ModelSpec(build=f"tests.support.faulty_nets:{net.__name__}", **about))

    return offered


def test_a_correct_model_passes(offered):
    report = check_model(offered(Sound))
    assert report.skipped == UNDECLARED
    assert set(report.passed) == CLASSIFIER_CHECKS.keys() - UNDECLARED.keys()


def test_a_correct_model_that_declares_a_symmetry_passes_every_check(offered):
    assert check_model(offered(Pooled, symmetry="D4")).passed == tuple(CLASSIFIER_CHECKS)


@pytest.mark.parametrize("net", LOPSIDED)
def test_a_symmetry_that_a_net_does_not_keep_is_caught_by_name_with_what_to_do(offered, net):
    with pytest.raises(CheckFailure, match=r"subject: declared_symmetry_holds: logits of rotated.*; treat all"):
        check_model(offered(net, symmetry="D4"))


def test_at_least_25_faults_are_planted_and_every_check_has_one(figure):
    caught = {*FAULTS.values(), *WRONG_SPECS}
    num = len(FAULTS) + len(LOPSIDED) + len(WRONG_SPECS)
    figure(f"check_model: {num} planted faults for {len(caught)} of {len(CLASSIFIER_CHECKS)} checks of a model")
    assert num >= 25
    assert caught == set(CLASSIFIER_CHECKS)


@pytest.mark.parametrize(("net", "check"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_fault_is_caught_by_name_with_what_to_do(offered, monkeypatch, net, check):
    monkeypatch.setenv("FAULTY_WIDTH", "5")
    name = offered(net)
    with pytest.raises(CheckFailure, match=rf"^subject: {check}: .*; \w"):
        check_model(name, only=[check])
    with pytest.raises(CheckFailure):
        check_model(name)


@pytest.mark.parametrize("check", WRONG_SPECS)
def test_a_spec_that_is_untrue_is_caught_by_name_with_what_to_do(offered, check):
    name = offered(Sound, **WRONG_SPECS[check])
    with pytest.raises(CheckFailure, match=rf"(?s)^{name}: {check}: .*; \w"):
        check_model(name)


def test_an_expected_failure_needs_a_reason_and_a_check_that_exists(offered):
    name = offered(Forgotten)
    for excuses in ({"gradients_reach_every_weight": " "}, {"no_such_check": "because"}):
        with pytest.raises(ConfigError, match="expected failure"):
            check_model(name, expected_failures=excuses)


def test_a_misspelt_check_is_answered_with_a_near_one(offered):
    with pytest.raises(ConfigError, match="did you mean exports"):
        check_model(offered(Sound), only=["export"])


def test_an_expected_failure_is_reported_with_its_reason(offered):
    report = check_model(offered(Forgotten), expected_failures={"gradients_reach_every_weight": "spare is for later"})
    assert report.expected_failures == {"gradients_reach_every_weight": "spare is for later"}
    assert "spare is for later" in str(report)


def test_an_expected_failure_that_holds_is_a_failure(offered):
    with pytest.raises(CheckFailure, match="remove the expected failure"):
        check_model(offered(Sound), expected_failures={"exports": "it used to fail"}, only=["exports"])


def test_no_check_run_is_a_failure():
    def nothing_here(subject):
        raise NotApplicable("there is nothing")

    with pytest.raises(CheckFailure, match=r"no check ran.*nothing_here did not run: there is nothing"):
        check_subject("it", None, {"nothing_here": nothing_here})
    with pytest.raises(CheckFailure, match="no check ran"):
        make_report("it", [])


def test_all_outcomes_can_be_had_and_a_report_of_them_names_every_failure(offered):
    subject = testing.make_model_subject(offered(Detached))
    chosen = ["described", "loss_falls", "overfits_32_images"]
    outcomes = list(run_checks("subject", subject, CLASSIFIER_CHECKS, only=chosen))
    assert [outcome.status for outcome in outcomes] == ["passed", "failed", "failed"]
    with pytest.raises(CheckFailure, match=r"(?s)loss_falls.*\n.*overfits_32_images"):
        make_report("subject", outcomes)


def test_whatever_a_plugins_code_raises_is_a_failure_of_that_check():
    def leave(subject):
        """It stays."""
        raise SystemExit(3)

    (outcome,) = run_checks("it", None, {"leave": leave})
    assert (outcome.status, outcome.message) == ("failed", "SystemExit: 3; this must hold: It stays.")


def test_every_failure_of_the_kit_says_what_to_do():
    """The fix is the third argument of `require`, the part of a message after `; `, or a constant."""
    files = [file for file in Path(testing.__file__).parent.rglob("*.py") if file.name != "report.py"]  # it passes on
    calls = [(file.name, node) for file in files for node in ast.walk(ast.parse(file.read_text())) if is_failure(node)]
    mute = [f"{name}:{call.lineno}" for name, call in calls if not is_helpful(call)]
    assert len(calls) > 80
    assert mute == []


def is_failure(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("require", "CheckFailure") and len(node.args) > 0


def is_helpful(call):
    has_fix = ast.unparse(call.func) == "require" and len(call.args) == 3
    return has_fix or re.search(r"; \w|FIX\b|\bfix\b", ast.unparse(call)) is not None


def test_the_checks_say_what_they_check():
    assert all(inspect.getdoc(check) for check in CLASSIFIER_CHECKS.values())
