"""Nested values come back from JSON and tensors as they were, or are refused."""

import json
import math

import numpy as np
import pytest
import torch

from zoo.errors import WeightsError
from zoo.files.safetensors import from_bytes, to_bytes
from zoo.files.state_codec import decode_state, encode_state


def again(value):
    """Return a value after it was written and read."""
    named = {}
    told = json.loads(json.dumps(encode_state(value, named), allow_nan=False))
    return decode_state(told, from_bytes(to_bytes({**named, "one": torch.ones(1)}, ""), name="it")[0])


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        0.1 + 0.2,
        -math.inf,
        "text",
        [1, [2.5, None]],
        (1, (2, [3])),
        {"a": {"b": (1,)}, "": []},
        {0: "zero", (1, 2): "pair"},
        {"float": "a key of ours", "tensor": 1, "dict": {}},
    ],
    ids=repr,
)
def test_plain_values_come_back(value):
    found = again(value)
    assert found == value
    assert type(found) is type(value)


def test_nan_comes_back():
    assert math.isnan(again({"a": [math.nan]})["a"][0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool])
def test_tensors_come_back_bit_for_bit(dtype):
    value = {"state": {0: {"avg": torch.arange(6).reshape(2, 3).to(dtype)}, "scalar": torch.tensor(1).to(dtype)}}
    found = again(value)
    assert torch.equal(found["state"][0]["avg"], value["state"][0]["avg"])
    assert found["state"]["scalar"].dtype == dtype
    assert found["state"]["scalar"].shape == ()


@pytest.mark.parametrize("kind", ["uint32", "int64", "float32", "uint8"])
def test_arrays_come_back_as_arrays(kind):
    value = np.array([1, 2, 2**31 - 1 if kind == "int64" else 200]).astype(kind)
    found = again([value])[0]
    assert found.dtype == value.dtype
    assert (found == value).all()


def test_paths_that_look_alike_stay_apart():
    value = {"a.b": torch.zeros(1), "a": {"b": torch.ones(1)}, "x/y": torch.ones(2), "x_y": torch.zeros(2)}
    found = again(value)
    assert [float(found["a.b"]), float(found["a"]["b"])] == [0, 1]
    assert float(found["x/y"][0]) == 1
    assert float(found["x_y"][0]) == 0


@pytest.mark.parametrize("odd", [object(), {1, 2}, print, np.array(["a"])], ids=lambda odd: type(odd).__name__)
def test_what_cannot_be_kept_is_refused_with_its_place(odd):
    with pytest.raises(WeightsError, match=r"at callback\.1 cannot be kept"):
        encode_state({"callback": [1, odd]}, {})


@pytest.mark.parametrize("told", [{"tensor": "gone"}, {"strange": 1}, {"pairs": [1]}, {"float": "x"}, {"tuple": 3}])
def test_json_that_zoo_did_not_write_is_refused(told):
    with pytest.raises(WeightsError, match="no state that zoo wrote"):
        decode_state(told, {})
