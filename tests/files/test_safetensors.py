"""safetensors files: tensors are written as plain copies, and damaged files are refused."""

import json

import pytest
import torch

from zoo.errors import WeightsError
from zoo.files.safetensors import from_bytes, read_tensors, to_bytes
from zoo.files.safetensors_header import MAX_HEADER_BYTES

WEIGHTS = {
    "float": torch.arange(6.0).reshape(2, 3),
    "half": torch.ones(3, dtype=torch.float16),
    "brain": torch.ones(2, 2, dtype=torch.bfloat16),
    "count": torch.tensor(7),
    "empty": torch.zeros(0, 4),
}


def test_tensors_of_any_dtype_are_read_bit_for_bit():
    tensors, text = from_bytes(to_bytes(WEIGHTS, "a note"), name="it")
    assert text == "a note"
    assert set(tensors) == set(WEIGHTS)
    for name, tensor in WEIGHTS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_views_tied_and_channels_last_tensors_are_written_as_plain_copies():
    base = torch.arange(24.0).reshape(1, 2, 3, 4)
    odd = {"view": base[:, :, ::2], "turned": base.mT, "last": base.to(memory_format=torch.channels_last), "tied": base}
    tensors, _ = from_bytes(to_bytes({**odd, "again": base}, ""), name="it")
    for name, tensor in odd.items():
        assert torch.equal(tensors[name], tensor)


def test_equal_tensors_give_equal_bytes():
    assert len({to_bytes(dict(reversed(WEIGHTS.items())), "x") for _ in range(5)} | {to_bytes(WEIGHTS, "x")}) == 1


def test_every_truncation_is_refused():
    data = to_bytes(WEIGHTS, "a note")
    for length in range(len(data)):
        with pytest.raises(WeightsError, match="it is damaged"):
            from_bytes(data[:length], name="it")
    print(f"{len(data)} truncations refused")


def make_file(header):
    return len(header).to_bytes(8, "little") + header


@pytest.mark.parametrize(
    "header",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"__metadata__": 3}', b"[" * 100_000, b'{"a": {"dtype": "F32"}}'],
    ids=len,
)
def test_an_invalid_header_is_refused(header):
    with pytest.raises(WeightsError, match="damaged"):
        from_bytes(make_file(header), name="it")


def test_a_header_over_the_limit_is_refused_before_parsing():
    header = json.dumps({"__metadata__": {"zoo": "x" * MAX_HEADER_BYTES}}).encode()
    with pytest.raises(WeightsError, match=f"at most {MAX_HEADER_BYTES}"):
        from_bytes(make_file(header), name="it")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"gone\.safetensors cannot be read"):
        read_tensors(tmp_path / "gone.safetensors")
