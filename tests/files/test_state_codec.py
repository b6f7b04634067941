"""Nested values survive encoding and decoding, or are refused."""

import json
import math

import numpy as np
import pytest
import torch

from zoo.errors import WeightsError
from zoo.files.safetensors import from_bytes, to_bytes
from zoo.files.state_codec import decode_state, encode_state


def round_trip(value):
    """Return a value after encoding and decoding."""
    named = {}
    record = json.loads(json.dumps(encode_state(value, named), allow_nan=False))
    return decode_state(record, from_bytes(to_bytes({**named, "one": torch.ones(1)}, ""), name="it")[0])


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
def test_plain_values_survive(value):
    decoded = round_trip(value)
    assert decoded == value
    assert type(decoded) is type(value)


def test_nan_survives():
    assert math.isnan(round_trip({"a": [math.nan]})["a"][0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool])
def test_tensors_survive_bit_for_bit(dtype):
    value = {"state": {0: {"avg": torch.arange(6).reshape(2, 3).to(dtype)}, "scalar": torch.tensor(1).to(dtype)}}
    decoded = round_trip(value)
    assert torch.equal(decoded["state"][0]["avg"], value["state"][0]["avg"])
    assert decoded["state"]["scalar"].dtype == dtype
    assert decoded["state"]["scalar"].shape == ()


@pytest.mark.parametrize("dtype", ["uint32", "int64", "float32", "uint8"])
def test_arrays_survive_as_arrays(dtype):
    value = np.array([1, 2, 2**31 - 1 if dtype == "int64" else 200]).astype(dtype)
    decoded = round_trip([value])[0]
    assert decoded.dtype == value.dtype
    assert (decoded == value).all()


def test_similar_paths_get_different_names():
    value = {"a.b": torch.zeros(1), "a": {"b": torch.ones(1)}, "x/y": torch.ones(2), "x_y": torch.zeros(2)}
    decoded = round_trip(value)
    assert [float(decoded["a.b"]), float(decoded["a"]["b"])] == [0, 1]
    assert float(decoded["x/y"][0]) == 1
    assert float(decoded["x_y"][0]) == 0


@pytest.mark.parametrize("value", [object(), {1, 2}, print, np.array(["a"])], ids=lambda value: type(value).__name__)
def test_an_unsupported_value_is_refused_with_its_path(value):
    with pytest.raises(WeightsError, match=r"at callback\.1 cannot be stored"):
        encode_state({"callback": [1, value]}, {})


@pytest.mark.parametrize("record", [{"tensor": "gone"}, {"strange": 1}, {"pairs": [1]}, {"float": "x"}, {"tuple": 3}])
def test_json_that_zoo_did_not_write_is_refused(record):
    with pytest.raises(WeightsError, match="not a state that zoo wrote"):
        decode_state(record, {})
