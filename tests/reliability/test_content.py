"""Lines 4 and 5: whole files with wrong tensors in them are refused by the tensors' names, and change nothing."""

import shutil

import bar
import hostile
import pytest
import torch

import zoo
from tests.support.artifacts import read_state, write_state, write_weights
from zoo.errors import WeightsError

pytestmark = pytest.mark.reliability


def first(state):
    """Return the name of the first matrix."""
    return next(name for name, tensor in state.items() if tensor.ndim > 1)


def missing(state):
    name = first(state)
    return {key: each for key, each in state.items() if key != name}, [name, "missing"]


def extra(state):
    return {**state, "spare.weight": torch.ones(2)}, ["spare.weight", "unexpected"]


def renamed(state):
    name = first(state)
    return {("other" if key == name else key): each for key, each in state.items()}, [name, "other"]


def misshapen(state):
    name = first(state)
    return {**state, name: torch.cat([state[name], state[name]])}, [name, str(tuple(state[name].shape))]


def mistyped(state):
    name = first(state)
    return {**state, name: state[name].double()}, [name, "float64", "float32"]


def spoiled(state, value):
    name = first(state)
    bad = state[name].clone()
    bad.view(-1)[0] = value
    return {**state, name: bad}, [name, "NaN or infinite"]


KINDS = {
    "missing": missing,
    "extra": extra,
    "renamed": renamed,
    "wrong shape": misshapen,
    "wrong type": mistyped,
    "NaN": lambda state: spoiled(state, float("nan")),
    "infinite": lambda state: spoiled(state, float("-inf")),
    "no tensors": lambda state: ({}, ["contains no tensors"]),
}


@pytest.fixture(params=list(zoo.models), scope="module")
def saved(request, tmp_path_factory):
    """Return the folder of a bundled model."""
    return zoo.create(request.param, seed=0).save(tmp_path_factory.mktemp("saved") / request.param)


@pytest.fixture
def spoil(saved, tmp_path):
    """Return how to make a copy of it with tensors of one kind of wrong, and the words its error must hold."""

    def made(kind):
        folder = tmp_path / kind
        shutil.copytree(saved, folder)
        state, words = KINDS[kind](read_state(folder))
        return write_state(folder, state), words

    return made


def test_lines_4_and_5_wrong_content_is_refused_by_name_and_changes_nothing(saved, spoil):
    model = zoo.create(saved.name, seed=3)
    before, count = bar.digest(model), 0
    for kind in KINDS:
        folder, words = spoil(kind)
        for load in (zoo.load, model.load_weights):
            for reference in (folder, folder / "model.safetensors"):
                with pytest.raises(WeightsError) as told:
                    load(reference)
                assert all(word in str(told.value) for word in words), (kind, str(told.value))
                assert str(reference) in str(told.value)
                assert bar.digest(model) == before
                count += 1
    print(f"{saved.name}: {len(KINDS)} kinds of wrong content, {count} loads, {count} refused by name, model unchanged")


@pytest.mark.parametrize("kind", ["NaN", "infinite"])
def test_line_4_values_that_are_not_finite_are_taken_when_allowed(spoil, kind):
    folder, (name, _) = spoil(kind)
    found = zoo.load(folder, allow_nonfinite=True).net.state_dict()[name]
    assert (~torch.isfinite(found)).sum() == 1


@pytest.mark.parametrize("kind", ["missing", "extra", "renamed", "wrong shape", "wrong type"])
def test_line_4_what_fits_is_taken_when_asked_for(saved, spoil, kind):
    folder, (name, *_) = spoil(kind)
    good, model = read_state(saved), zoo.create(saved.name, seed=3)
    fresh = {key: each.clone() for key, each in model.net.state_dict().items()}
    report = model.load_weights(folder, partial=True)
    for key, each in model.net.state_dict().items():
        assert torch.equal(each, fresh[key] if key in report.reinitialised else good[key])
    assert name in (*report.reinitialised, *report.unexpected)
    zoo.load(folder, partial=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_line_3_a_file_with_a_value_that_is_not_finite_is_no_saved_model(folder, target, value):
    before = bar.digest(target)
    write_weights(folder, hostile.valued(value))
    for reference in (folder, folder / "model.safetensors"):
        with pytest.raises(WeightsError, match="not saved by zoo"):
            target.load_weights(reference)
    assert bar.digest(target) == before


def test_line_5_a_model_trains_on_after_it_refused_everything(folder, target):
    before = bar.digest(target)
    state = read_state(folder)
    for kind in KINDS:
        write_state(folder, KINDS[kind](state)[0])
        with pytest.raises(WeightsError):
            target.load_weights(folder)
    assert bar.digest(target) == before
    target.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    assert len(target.history) == 2
    print(f"{len(KINDS)} kinds refused, model unchanged, and trained on")
