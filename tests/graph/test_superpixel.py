"""Superpixels by SLIC: every pixel in one, patches of one colour found, nothing random, linear in the pixels."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.graph import slic


def pictures(batch, channels, height, width):
    return torch.rand(batch, channels, height, width, generator=torch.Generator().manual_seed(2))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12), st.integers(1, 12), st.data())
def test_every_pixel_is_in_one_superpixel_whose_node_is_their_mean(batch, channels, height, width, data):
    count = data.draw(st.integers(1, height * width))
    images = pictures(batch, channels, height, width)
    found = slic(images, count)
    num = found.sizes.shape[1]
    assert int(found.labels.min()) >= 0
    assert int(found.labels.max()) < num
    for image, labels, nodes, sizes in zip(images, found.labels, found.nodes, found.sizes, strict=True):
        assert torch.equal(torch.bincount(labels.flatten(), minlength=num), sizes)
        for k in sizes.nonzero().flatten().tolist():
            torch.testing.assert_close(nodes[k, :channels], image[:, labels == k].mean(1), rtol=1e-4, atol=1e-5)


def test_patches_of_one_colour_are_found():
    images = torch.zeros(1, 1, 8, 8)
    images[0, 0, :, 3:] = 1.0  # the border lies beside that of the lattice, which is at 4
    labels = slic(images, 4, compactness=0.1).labels[0]
    left, right = set(labels[:, :3].flatten().tolist()), set(labels[:, 3:].flatten().tolist())
    assert not left & right


def test_large_compactness_leaves_the_lattice():
    found = slic(pictures(2, 3, 12, 12), 9, compactness=1e3)
    assert (found.sizes == 16).all()
    assert found.labels[0, 0, 0] == 0
    assert found.labels[0, 11, 11] == 8


def test_the_graph_joins_those_that_touch():
    found = slic(torch.zeros(1, 1, 6, 6), 9, compactness=1e3)
    touch = found.adjacency[0]
    assert torch.equal(touch, touch.T)
    assert touch[0].nonzero().flatten().tolist() == [0, 1, 3]
    assert touch[4].nonzero().flatten().tolist() == [1, 3, 4, 5, 7]


def test_an_image_is_cut_alike_twice_and_in_any_batch():
    images = pictures(3, 3, 28, 28)
    whole = slic(images, 75)
    state = torch.get_rng_state()
    assert torch.equal(slic(images, 75).labels, whole.labels)
    for index in range(3):
        alone = slic(images[index : index + 1], 75)
        torch.testing.assert_close(alone.nodes[0], whole.nodes[index], rtol=1e-4, atol=1e-4)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("side", [28, 64])
def test_memory_does_not_grow_with_the_square_of_the_pixels(side, largest):
    with largest as seen:
        slic(torch.rand(1, 1, side, side), 75)
    print(f"{side} x {side}: largest tensor {seen.elements:,} elements")
    assert seen.elements <= 36 * side * side


@pytest.mark.parametrize("count", [0, 10])
def test_a_count_that_is_not_there_is_refused(count):
    with pytest.raises(ConfigError, match="1 to 9"):
        slic(torch.zeros(1, 1, 3, 3), count)
