"""Crafted safetensors files: every kind that the bar lists, by name."""

import io
import json
import os
import pickle
import struct
import zipfile

import torch
from artifacts import headed

import zoo.files.safetensors

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
EIGHT = bytes(8)


class Bomb:
    """What makes a folder when it is unpickled."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def pickled(marker):
    """Return a pickle that makes the folder `marker` when it is read as one."""
    return pickle.dumps(Bomb(marker))


def torch_zip(marker):
    """Return what `torch.save` writes, with such a pickle in it."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(marker))
        archive.writestr("archive/version", "3\n")
    return data.getvalue()


SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(56)


def entry(**changes):
    return headed({"a": {**F32, **changes}}, EIGHT)


def two(second, data=bytes(16)):
    return headed({"a": F32, "b": {**F32, "data_offsets": second}}, data)


def many(count, name="{}"):
    """Return the header of `count` empty tensors, as text."""
    each = ",".join(f'"{name.format(i)}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for i in range(count))
    return b"{" + each.encode() + b"}"


def crafted(marker):
    """Return each crafted file's bytes by name; not one of them is a safetensors file that zoo reads."""
    good = headed({"a": F32}, EIGHT)
    numbers = "9," * 400_000 + "9"
    return {
        "empty": b"",
        "1 byte": b"{",
        "7 bytes": good[:7],
        "8 bytes": good[:8],
        "header length 0": headed(b""),
        "header longer than the file": struct.pack("<Q", 1000) + good[8:],
        "header of 100 MB and 1": struct.pack("<Q", 100_000_001) + good[8:],
        "header of 2^64 - 1": struct.pack("<Q", 2**64 - 1) + good[8:],
        "header of 2^63": struct.pack("<Q", 2**63) + good[8:],
        "header is no JSON": headed(b"{this is no JSON}"),
        "header is not UTF-8": headed(b'{"\xff\xfe":1}'),
        "header is an array": headed(b"[]"),
        "header is a number": headed(b"17"),
        "header is null": headed(b"null"),
        "header with a space in front": headed(b" " + json.dumps({"a": F32}).encode(), EIGHT),
        "header with a byte order mark": headed(b"\xef\xbb\xbf" + json.dumps({"a": F32}).encode(), EIGHT),
        "header with text after it": headed(json.dumps({"a": F32}).encode() + b"{}", EIGHT),
        "header 100,000 levels deep": headed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "header 100,000 objects deep": headed(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "negative offsets": entry(data_offsets=[-8, 0]),
        "reversed offsets": entry(data_offsets=[8, 0]),
        "overlapping offsets": two([4, 12], bytes(12)),
        "equal offsets": two([0, 8], EIGHT),
        "float offsets": entry(data_offsets=[0.0, 8.0]),
        "missing offsets": headed({"a": {"dtype": "F32", "shape": [2]}}, EIGHT),
        "one offset": entry(data_offsets=[8]),
        "three offsets": entry(data_offsets=[0, 8, 8]),
        "offsets that are words": entry(data_offsets=["0", "8"]),
        "offsets that are claims": headed({"a": {"dtype": "U8", "shape": [1], "data_offsets": [False, True]}}, b"1"),
        "offsets out of the file": entry(data_offsets=[8, 16]),
        "offsets of 2^63": entry(data_offsets=[2**63 - 8, 2**63]),
        "a hole": two([12, 20], bytes(20)),
        "a hole in front": headed({"a": {**F32, "data_offsets": [4, 12]}}, bytes(12)),
        "trailing bytes": good + b"x",
        "a missing tail": good[:-1],
        "shape larger than its span": entry(shape=[3]),
        "shape smaller than its span": entry(shape=[1]),
        "shape that overflows": entry(shape=[2**32, 2**32]),
        "shape that overflows to its span": entry(shape=[2**61, 2**61, 4]),
        "negative shape": entry(shape=[-1, -2]),
        "float shape": entry(shape=[2.0]),
        "shape that is a claim": headed({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, bytes(4)),
        "shape that is a number": entry(shape=2),
        "shape of 400,001 axes": headed(f'{{"a":{{"dtype":"U8","data_offsets":[0,8],"shape":[{numbers}]}}}}'.encode()),
        "a number of 100,000 digits": headed(b'{"a":{"dtype":"F32","shape":[' + b"9" * 10**5 + b"]}}"),
        "unknown type": entry(dtype="F7"),
        "a type that is a list": entry(dtype=["F32"]),
        "a type of eight bits that zoo does not read": headed({"a": {**F32, "dtype": "F8_E4M3", "shape": [8]}}, EIGHT),
        "a key twice": headed(b'{"a":%b,"a":%b}' % ((json.dumps(F32).encode(),) * 2), EIGHT),
        "a field twice": headed(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', EIGHT),
        "metadata that is no text": headed({"__metadata__": {"zoo": 3}, "a": F32}, EIGHT),
        "metadata that is a list": headed({"__metadata__": ["zoo"], "a": F32}, EIGHT),
        "metadata that is null": headed({"__metadata__": None, "a": F32}, EIGHT),
        "metadata twice": headed(b'{"__metadata__":{},"__metadata__":{},"a":%b}' % json.dumps(F32).encode(), EIGHT),
        "an extra field": entry(build="os:system"),
        "a tensor that is null": headed({"a": None}),
        "an infinite number": headed(b'{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,8]}}', EIGHT),
        "a number that is none": headed(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', EIGHT),
        "a name that climbs": headed({"../../x": F32}, EIGHT),
        "an absolute name": headed({"/etc/passwd": F32}, EIGHT),
        "a name with a backslash": headed({"..\\x": F32}, EIGHT),
        "a name with a newline": headed({"a\nb": F32}, EIGHT),
        "a name with a zero": headed({"a\0b": F32}, EIGHT),
        "half a letter as a name": headed(b'{"\\ud800":%b}' % json.dumps(F32).encode(), EIGHT),
        "a name that reads backwards": headed({"a\u202eb": F32}, EIGHT),
        "no name": headed({"": F32}, EIGHT),
        "a name of 500,000 letters": headed({"a" * 500_000: F32}, EIGHT),
        "50,000 tensors": headed(many(50_000)),
        "15,000 tensors and a tail": headed(many(15_000), b"x"),
        "300,000 empty objects": headed(b'{"a":[' + b"{}," * 300_000 + b"{}]}"),
        "300,000 empty lists": headed(b'{"a":[' + b"[]," * 300_000 + b"[]]}"),
        "100,000 numbers by name": headed(json.dumps(dict.fromkeys(map(str, range(80_000)), 0)).encode()),
        "200,000 numbers": headed(b'{"a":[' + b"1.5," * 200_000 + b"1]}"),
        "900,000 tensors, 64.8 MB": headed(many(900_000, "layer.{:012d}.w")),
        "no tensors": headed({}),
        "only metadata": headed({"__metadata__": {"zoo": "{}"}}),
        "a pickle": pickled(marker),
        "a torch zip": torch_zip(marker),
        "a 7z": SEVEN_ZIP,
        "JSON of a megabyte and one": headed(b"{" + b" " * (1 << 20) + b"}"),
    }


def valued(value):
    """Return a whole safetensors file with one value that is not finite in it."""
    return zoo.files.safetensors.to_bytes({"a": torch.tensor([1.0, value])}, "")
