from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.arrays import as_tensor, encode_labels, to_float_images, to_label_tensor, to_nchw, to_uint8_images
from zoo.errors import ImageError, LabelError

sides = st.integers(4, 12)


@pytest.mark.parametrize(
    ("given_shape", "known", "expected"),
    [
        ((5, 1, 8, 9), {}, (5, 1, 8, 9)),
        ((5, 3, 8, 9), {}, (5, 3, 8, 9)),
        ((5, 8, 9, 3), {}, (5, 3, 8, 9)),
        ((5, 8, 9, 1), {}, (5, 1, 8, 9)),
        ((5, 8, 9, 4), {}, (5, 4, 8, 9)),
        ((5, 2, 8, 9), {"channels": 2}, (5, 2, 8, 9)),
        ((5, 8, 9, 2), {"channels": 2}, (5, 2, 8, 9)),
        ((5, 8, 9), {}, (5, 1, 8, 9)),
        ((3, 8, 9), {}, (3, 1, 8, 9)),
        ((3, 8, 9), {"channels": 3}, (1, 3, 8, 9)),
        ((8, 9, 3), {"channels": 3}, (1, 3, 8, 9)),
        ((1, 8, 9), {"channels": 1}, (1, 1, 8, 9)),
        ((5, 49), {}, (5, 1, 7, 7)),
        ((5, 147), {"channels": 3}, (5, 3, 7, 7)),
        ((5, 72), {"size": (8, 9)}, (5, 1, 8, 9)),
        ((8, 9), {"size": (8, 9)}, (1, 1, 8, 9)),
        ((20, 30), {"size": (8, 9)}, (1, 1, 20, 30)),
    ],
)
def test_layouts_are_distinguished(given_shape, known, expected):
    assert tuple(to_nchw(np.zeros(given_shape, np.uint8), **known).shape) == expected


@given(num=st.integers(1, 5), channels=st.sampled_from([1, 3]), height=sides, width=sides)
def test_channels_first_and_last_give_the_same_images(num, channels, height, width):
    images = torch.arange(num * channels * height * width).view(num, channels, height, width) % 256

    assert torch.equal(to_nchw(images), images)
    assert torch.equal(to_nchw(images.permute(0, 2, 3, 1)), images)


@given(num=st.integers(1, 5), side=st.integers(1, 12))
def test_rows_and_squares_give_the_same_images_where_their_number_is_known(num, side):
    rows = torch.arange(num * side * side).view(num, -1) % 256

    assert torch.equal(to_nchw(rows, num_images=num), to_nchw(rows.view(num, side, side), num_images=num))


@pytest.mark.parametrize("shape", [(5, 50), (5,), (), (2, 3, 4, 5, 6), (0, 1, 8, 8), (5, 1, 0, 8), (5, 0)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ImageError, match=r"is not images|not square images"):
        to_nchw(np.zeros(shape, np.uint8))


def frozen(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "values",
    [
        np.arange(16, dtype=np.uint8).reshape(1, 4, 4)[:, ::-1],
        np.arange(16, dtype=np.uint16).reshape(1, 4, 4),
        np.arange(16, dtype=">i4").reshape(1, 4, 4),
        np.arange(16, dtype=">f8").reshape(1, 4, 4),
        frozen(np.arange(16, dtype=np.uint8).reshape(1, 4, 4)),
        [[[0, 1], [2, 3]]],
        [np.zeros((2, 2)), np.ones((2, 2))],
    ],
    ids=["reversed", "uint16", "big-endian", "big-endian floats", "read-only", "nested lists", "list of arrays"],
)
def test_numbers_in_any_form_become_tensors(values):
    tensor = as_tensor(values)

    np.testing.assert_array_equal(tensor.numpy(), np.asarray(values))


@pytest.mark.parametrize(
    "values",
    [None, "text", [[1, 2], [3]], {"a": 1}, [["a"]], np.zeros(3, complex), np.array(["2020"], "M8[Y]"), object()],
    ids=lambda value: type(value).__name__,
)
def test_arrays_of_other_values_are_refused(values):
    with pytest.raises(ImageError, match="numbers in an array of one shape"):
        as_tensor(values)


def test_a_sparse_tensor_is_refused_with_what_to_do():
    with pytest.raises(ImageError, match="to_dense"):
        as_tensor(torch.zeros(2, 2).to_sparse())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.float32, torch.float64, torch.float16])
def test_levels_of_any_type_are_the_same_images(dtype):
    levels = torch.arange(256).view(1, 1, 16, 16)

    assert torch.equal(to_uint8_images(levels.to(dtype)), levels.to(torch.uint8))


@given(st.lists(st.integers(0, 255), min_size=4, max_size=4))
def test_levels_survive_the_way_to_floats_and_back(levels):
    images = torch.tensor(levels, dtype=torch.uint8).view(1, 1, 2, 2)

    assert torch.equal(to_uint8_images(to_float_images(images)), images)


def test_true_and_false_are_white_and_black():
    assert to_uint8_images(torch.tensor([[[[True, False]]]])).tolist() == [[[[255, 0]]]]


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.tensor([0.5, float("nan")]), "NaN"),
        (torch.tensor([0.5, float("inf")]), "infinite"),
        (torch.tensor([-0.5, 0.5]), "leave Normalize out"),
        (torch.tensor([0.5, 200.5]), r"0\.5\.\.200\.5"),
        (torch.tensor([0, 256]), r"0\.\.256"),
        (torch.tensor([-1, 1]), r"-1\.\.1"),
        (torch.tensor([1j]), "complex"),
    ],
)
def test_values_that_are_neither_levels_nor_floats_are_refused(images, words):
    with pytest.raises(ImageError, match=words):
        to_float_images(images)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=20))
def test_string_labels_come_back_from_their_indices(labels):
    numbers, classes = encode_labels(labels)

    assert [classes.values[k] for k in numbers.tolist()] == labels
    assert list(classes.values) == sorted(set(labels))


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20))
def test_sparse_whole_number_labels_come_back_from_their_indices(labels):
    numbers, classes = encode_labels(np.array(labels))

    assert [classes.values[k] for k in numbers.tolist()] == labels
    assert int(numbers.max()) < len(classes)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 2, 1],
        (0, 2, 1),
        np.array([0, 2, 1], np.uint8),
        np.array([0.0, 2.0, 1.0]),
        np.array([[0], [2], [1]]),
        torch.tensor([0, 2, 1]),
        torch.tensor([0, 2, 1], dtype=torch.int32),
    ],
    ids=["list", "tuple", "uint8", "whole floats", "column", "tensor", "int32 tensor"],
)
def test_whole_numbers_from_zero_are_their_own_indices(labels):
    numbers, classes = encode_labels(labels)

    assert numbers.tolist() == [0, 2, 1]
    assert numbers.dtype == torch.int64
    assert classes.values == (0, 1, 2)


def test_names_also_name_classes_that_do_not_occur():
    numbers, classes = encode_labels([2, 0], ["a", "b", "c", "d"])

    assert numbers.tolist() == [2, 0]
    assert classes.names == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "labels",
    [
        [],
        [0.5, 1.0],
        [0.0, float("nan")],
        [0.0, float("inf")],
        [None, 1],
        ["a", 1],
        [[1, 0], [0, 1]],
        np.array(3),
        np.zeros(2, complex),
        [b"a", b"b"],
    ],
    ids=str,
)
def test_labels_that_are_not_one_class_per_image_are_refused(labels):
    with pytest.raises(LabelError):
        encode_labels(labels)


def test_labels_beyond_the_names_are_refused():
    with pytest.raises(LabelError, match=r"0\.\.3; 2 class names"):
        encode_labels([0, 3], ["a", "b"])


def test_label_tensor_takes_a_column():
    assert to_label_tensor(torch.tensor([[1], [0]])).tolist() == [1, 0]
