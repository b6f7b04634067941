"""SLIC assigns every pixel, finds patches of one colour, uses no random numbers, and is linear in the pixels."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.errors import ConfigError
from zoo.graph import slic


def random_images(batch, channels, height, width):
    return torch.rand(batch, channels, height, width, generator=torch.Generator().manual_seed(2))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 12), st.integers(1, 12), st.data())
def test_every_pixel_is_in_one_superpixel_whose_node_is_their_mean(batch, channels, height, width, data):
    count = data.draw(st.integers(1, height * width))
    images = random_images(batch, channels, height, width)
    superpixels = slic(images, count)
    num_superpixels = superpixels.sizes.shape[1]
    assert int(superpixels.labels.min()) >= 0
    assert int(superpixels.labels.max()) < num_superpixels
    for image, labels, nodes, sizes in zip(
        images, superpixels.labels, superpixels.nodes, superpixels.sizes, strict=True
    ):
        assert torch.equal(torch.bincount(labels.flatten(), minlength=num_superpixels), sizes)
        for k in sizes.nonzero().flatten().tolist():
            torch.testing.assert_close(nodes[k, :channels], image[:, labels == k].mean(1), rtol=1e-4, atol=1e-5)


def test_patches_of_one_colour_are_found():
    images = torch.zeros(1, 1, 8, 8)
    images[0, 0, :, 3:] = 1.0  # the border lies beside that of the lattice, which is at 4
    labels = slic(images, 4, compactness=0.1).labels[0]
    left, right = set(labels[:, :3].flatten().tolist()), set(labels[:, 3:].flatten().tolist())
    assert not left & right


def test_large_compactness_keeps_the_lattice():
    superpixels = slic(random_images(2, 3, 12, 12), 9, compactness=1e3)
    assert (superpixels.sizes == 16).all()
    assert superpixels.labels[0, 0, 0] == 0
    assert superpixels.labels[0, 11, 11] == 8


def test_adjacency_joins_superpixels_that_touch():
    superpixels = slic(torch.zeros(1, 1, 6, 6), 9, compactness=1e3)
    adjacency = superpixels.adjacency[0]
    assert torch.equal(adjacency, adjacency.T)
    assert adjacency[0].nonzero().flatten().tolist() == [0, 1, 3]
    assert adjacency[4].nonzero().flatten().tolist() == [1, 3, 4, 5, 7]


def test_an_image_has_the_same_superpixels_in_any_batch():
    images = random_images(3, 3, 28, 28)
    together = slic(images, 75)
    state = torch.get_rng_state()
    assert torch.equal(slic(images, 75).labels, together.labels)
    for index in range(3):
        alone = slic(images[index : index + 1], 75)
        torch.testing.assert_close(alone.nodes[0], together.nodes[index], rtol=1e-4, atol=1e-4)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("side", [28, 64])
def test_memory_does_not_grow_with_the_square_of_the_pixels(side, largest):
    with largest as seen:
        slic(torch.rand(1, 1, side, side), 75)
    print(f"{side} x {side}: largest tensor {seen.elements:,} elements")
    assert seen.elements <= 36 * side * side


@pytest.mark.parametrize("count", [0, 10])
def test_impossible_counts_are_refused(count):
    with pytest.raises(ConfigError, match="1 to 9"):
        slic(torch.zeros(1, 1, 3, 3), count)
