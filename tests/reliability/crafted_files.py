"""Crafted safetensors files, by name: none of them may be loaded."""

import io
import json
import os
import pickle
import struct
import zipfile

import torch

import zoo.files.safetensors
from tests.support.artifacts import make_weights_file

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
EIGHT = bytes(8)


class Bomb:
    """An object whose unpickling creates a folder."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def make_pickle(marker):
    """Return a pickle that creates the folder `marker` when it is loaded."""
    return pickle.dumps(Bomb(marker))


def make_torch_zip(marker):
    """Return a file as `torch.save` writes it, with such a pickle in it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("archive/data.pkl", make_pickle(marker))
        archive.writestr("archive/version", "3\n")
    return data.getvalue()


SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(56)


def make_entry(**changes):
    return make_weights_file({"a": {**F32, **changes}}, EIGHT)


def make_two_entries(second, data=bytes(16)):
    return make_weights_file({"a": F32, "b": {**F32, "data_offsets": second}}, data)


def make_header(count, name="{}"):
    """Return the header of `count` empty tensors, as text."""
    each = ",".join(f'"{name.format(i)}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for i in range(count))
    return b"{" + each.encode() + b"}"


def make_crafted_files(marker):
    """Return the bytes of each crafted file by name; zoo must refuse all of them."""
    good = make_weights_file({"a": F32}, EIGHT)
    numbers = "9," * 400_000 + "9"
    return {
        "empty": b"",
        "1 byte": b"{",
        "7 bytes": good[:7],
        "8 bytes": good[:8],
        "header length 0": make_weights_file(b""),
        "header longer than the file": struct.pack("<Q", 1000) + good[8:],
        "header of 100 MB and 1": struct.pack("<Q", 100_000_001) + good[8:],
        "header of 2^64 - 1": struct.pack("<Q", 2**64 - 1) + good[8:],
        "header of 2^63": struct.pack("<Q", 2**63) + good[8:],
        "header is not JSON": make_weights_file(b"{this is not JSON}"),
        "header is not UTF-8": make_weights_file(b'{"\xff\xfe":1}'),
        "header is an array": make_weights_file(b"[]"),
        "header is a number": make_weights_file(b"17"),
        "header is null": make_weights_file(b"null"),
        "header with a space in front": make_weights_file(b" " + json.dumps({"a": F32}).encode(), EIGHT),
        "header with a byte order mark": make_weights_file(b"\xef\xbb\xbf" + json.dumps({"a": F32}).encode(), EIGHT),
        "header with text after it": make_weights_file(json.dumps({"a": F32}).encode() + b"{}", EIGHT),
        "header 100,000 levels deep": make_weights_file(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "header 100,000 objects deep": make_weights_file(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "negative offsets": make_entry(data_offsets=[-8, 0]),
        "reversed offsets": make_entry(data_offsets=[8, 0]),
        "overlapping offsets": make_two_entries([4, 12], bytes(12)),
        "equal offsets": make_two_entries([0, 8], EIGHT),
        "float offsets": make_entry(data_offsets=[0.0, 8.0]),
        "missing offsets": make_weights_file({"a": {"dtype": "F32", "shape": [2]}}, EIGHT),
        "one offset": make_entry(data_offsets=[8]),
        "three offsets": make_entry(data_offsets=[0, 8, 8]),
        "offsets that are strings": make_entry(data_offsets=["0", "8"]),
        "offsets that are booleans": make_weights_file(
            {"a": {"dtype": "U8", "shape": [1], "data_offsets": [False, True]}}, b"1"
        ),
        "offsets out of the file": make_entry(data_offsets=[8, 16]),
        "offsets of 2^63": make_entry(data_offsets=[2**63 - 8, 2**63]),
        "a hole": make_two_entries([12, 20], bytes(20)),
        "a hole in front": make_weights_file({"a": {**F32, "data_offsets": [4, 12]}}, bytes(12)),
        "trailing bytes": good + b"x",
        "a missing tail": good[:-1],
        "shape larger than its span": make_entry(shape=[3]),
        "shape smaller than its span": make_entry(shape=[1]),
        "shape that overflows": make_entry(shape=[2**32, 2**32]),
        "shape that overflows to its span": make_entry(shape=[2**61, 2**61, 4]),
        "negative shape": make_entry(shape=[-1, -2]),
        "float shape": make_entry(shape=[2.0]),
        "shape that is a boolean": make_weights_file(
            {"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, bytes(4)
        ),
        "shape that is a number": make_entry(shape=2),
        "shape of 400,001 axes": make_weights_file(
            f'{{"a":{{"dtype":"U8","data_offsets":[0,8],"shape":[{numbers}]}}}}'.encode()
        ),
        "a number of 100,000 digits": make_weights_file(b'{"a":{"dtype":"F32","shape":[' + b"9" * 10**5 + b"]}}"),
        "unknown type": make_entry(dtype="F7"),
        "a type that is a list": make_entry(dtype=["F32"]),
        "a type of eight bits that zoo does not read": make_weights_file(
            {"a": {**F32, "dtype": "F8_E4M3", "shape": [8]}}, EIGHT
        ),
        "a key twice": make_weights_file(b'{"a":%b,"a":%b}' % ((json.dumps(F32).encode(),) * 2), EIGHT),
        "a field twice": make_weights_file(
            b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', EIGHT
        ),
        "metadata that is not text": make_weights_file({"__metadata__": {"zoo": 3}, "a": F32}, EIGHT),
        "metadata that is a list": make_weights_file({"__metadata__": ["zoo"], "a": F32}, EIGHT),
        "metadata that is null": make_weights_file({"__metadata__": None, "a": F32}, EIGHT),
        "metadata twice": make_weights_file(
            b'{"__metadata__":{},"__metadata__":{},"a":%b}' % json.dumps(F32).encode(), EIGHT
        ),
        "an extra field": make_entry(build="os:system"),
        "a tensor that is null": make_weights_file({"a": None}),
        "an infinite number": make_weights_file(
            b'{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,8]}}', EIGHT
        ),
        "not a number": make_weights_file(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', EIGHT),
        "a name that climbs": make_weights_file({"../../x": F32}, EIGHT),
        "an absolute name": make_weights_file({"/etc/passwd": F32}, EIGHT),
        "a name with a backslash": make_weights_file({"..\\x": F32}, EIGHT),
        "a name with a newline": make_weights_file({"a\nb": F32}, EIGHT),
        "a name with a zero": make_weights_file({"a\0b": F32}, EIGHT),
        "half a surrogate pair as a name": make_weights_file(b'{"\\ud800":%b}' % json.dumps(F32).encode(), EIGHT),
        "a name that reads backwards": make_weights_file({"a\u202eb": F32}, EIGHT),
        "no name": make_weights_file({"": F32}, EIGHT),
        "a name of 500,000 characters": make_weights_file({"a" * 500_000: F32}, EIGHT),
        "50,000 tensors": make_weights_file(make_header(50_000)),
        "15,000 tensors and a tail": make_weights_file(make_header(15_000), b"x"),
        "300,000 empty objects": make_weights_file(b'{"a":[' + b"{}," * 300_000 + b"{}]}"),
        "300,000 empty lists": make_weights_file(b'{"a":[' + b"[]," * 300_000 + b"[]]}"),
        "100,000 numbers by name": make_weights_file(json.dumps(dict.fromkeys(map(str, range(80_000)), 0)).encode()),
        "200,000 numbers": make_weights_file(b'{"a":[' + b"1.5," * 200_000 + b"1]}"),
        "900,000 tensors, 64.8 MB": make_weights_file(make_header(900_000, "layer.{:012d}.w")),
        "no tensors": make_weights_file({}),
        "only metadata": make_weights_file({"__metadata__": {"zoo": "{}"}}),
        "a pickle": make_pickle(marker),
        "a torch zip": make_torch_zip(marker),
        "a 7z": SEVEN_ZIP,
        "JSON of a megabyte and one": make_weights_file(b"{" + b" " * (1 << 20) + b"}"),
    }


def make_nonfinite_file(value):
    """Return a valid safetensors file with one value that is not finite."""
    return zoo.files.safetensors.to_bytes({"a": torch.tensor([1.0, value])}, "")
