"""Lines 4 and 5: valid files with wrong tensors are refused by the tensors' names, and change nothing."""

import shutil

import crafted_files
import helpers
import pytest
import torch

import zoo
from tests.support.artifacts import read_state, write_state, write_weights
from zoo.errors import WeightsError

pytestmark = pytest.mark.reliability


def get_first_matrix(state):
    """Return the name of the first matrix."""
    return next(name for name, tensor in state.items() if tensor.ndim > 1)


def remove_tensor(state):
    name = get_first_matrix(state)
    return {key: each for key, each in state.items() if key != name}, [name, "missing"]


def add_tensor(state):
    return {**state, "spare.weight": torch.ones(2)}, ["spare.weight", "unexpected"]


def rename_tensor(state):
    name = get_first_matrix(state)
    return {("other" if key == name else key): each for key, each in state.items()}, [name, "other"]


def change_shape(state):
    name = get_first_matrix(state)
    return {**state, name: torch.cat([state[name], state[name]])}, [name, str(tuple(state[name].shape))]


def change_dtype(state):
    name = get_first_matrix(state)
    return {**state, name: state[name].double()}, [name, "float64", "float32"]


def set_value(state, value):
    name = get_first_matrix(state)
    changed = state[name].clone()
    changed.view(-1)[0] = value
    return {**state, name: changed}, [name, "NaN or infinite"]


KINDS = {
    "missing": remove_tensor,
    "extra": add_tensor,
    "renamed": rename_tensor,
    "wrong shape": change_shape,
    "wrong type": change_dtype,
    "NaN": lambda state: set_value(state, float("nan")),
    "infinite": lambda state: set_value(state, float("-inf")),
    "no tensors": lambda state: ({}, ["contains no tensors"]),
}


@pytest.fixture(params=list(zoo.models), scope="module")
def saved(request, tmp_path_factory):
    """Return the folder of a saved model with its first weights."""
    return zoo.create(request.param, seed=0).save(tmp_path_factory.mktemp("saved") / request.param)


@pytest.fixture
def make_damaged(saved, tmp_path):
    """Return a function that makes a damaged copy of the saved model, and the words that the error must contain."""

    def make(kind):
        folder = tmp_path / kind
        shutil.copytree(saved, folder)
        state, words = KINDS[kind](read_state(folder))
        return write_state(folder, state), words

    return make


def test_lines_4_and_5_wrong_content_is_refused_by_name_and_changes_nothing(saved, make_damaged):
    model = zoo.create(saved.name, seed=3)
    before, count = helpers.hash_model(model), 0
    for kind in KINDS:
        folder, words = make_damaged(kind)
        for load in (zoo.load, model.load_weights):
            for reference in (folder, folder / "model.safetensors"):
                with pytest.raises(WeightsError) as caught:
                    load(reference)
                assert all(word in str(caught.value) for word in words), (kind, str(caught.value))
                assert str(reference) in str(caught.value)
                assert helpers.hash_model(model) == before
                count += 1
    print(f"{saved.name}: {len(KINDS)} kinds of wrong content, {count} loads, {count} refused by name, model unchanged")


@pytest.mark.parametrize("kind", ["NaN", "infinite"])
def test_line_4_values_that_are_not_finite_can_be_allowed(make_damaged, kind):
    folder, (name, _) = make_damaged(kind)
    tensor = zoo.load(folder, allow_nonfinite=True).net.state_dict()[name]
    assert (~torch.isfinite(tensor)).sum() == 1


@pytest.mark.parametrize("kind", ["missing", "extra", "renamed", "wrong shape", "wrong type"])
def test_line_4_partial_loads_the_tensors_that_fit(saved, make_damaged, kind):
    folder, (name, *_) = make_damaged(kind)
    stored, model = read_state(saved), zoo.create(saved.name, seed=3)
    fresh = {key: each.clone() for key, each in model.net.state_dict().items()}
    report = model.load_weights(folder, partial=True)
    for key, each in model.net.state_dict().items():
        assert torch.equal(each, fresh[key] if key in report.reinitialised else stored[key])
    assert name in (*report.reinitialised, *report.unexpected)
    zoo.load(folder, partial=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_line_3_a_foreign_file_with_a_value_that_is_not_finite_is_refused(folder, target, value):
    before = helpers.hash_model(target)
    write_weights(folder, crafted_files.make_nonfinite_file(value))
    for reference in (folder, folder / "model.safetensors"):
        with pytest.raises(WeightsError, match="zoo did not save it"):
            target.load_weights(reference)
    assert helpers.hash_model(target) == before


def test_line_5_a_model_can_train_after_refused_loads(folder, target):
    before = helpers.hash_model(target)
    state = read_state(folder)
    for kind in KINDS:
        write_state(folder, KINDS[kind](state)[0])
        with pytest.raises(WeightsError):
            target.load_weights(folder)
    assert helpers.hash_model(target) == before
    target.fit(zoo.dataset("fashion-mnist-7x7").train.take(64), epochs=1, progress=False)
    assert len(target.history) == 2
    print(f"{len(KINDS)} kinds refused, model unchanged, and trained on")
