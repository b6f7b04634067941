from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.data.image_files import list_image_files, open_image, stack_images, write_grid
from zoo.errors import ImageError

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREYS = COLOURS[:, :, 0]


def file_of(picture: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def test_a_colour_file_is_read_pixel_by_pixel():
    assert np.array_equal(open_image(file_of(Image.fromarray(COLOURS))).permute(1, 2, 0).numpy(), COLOURS)


def test_a_grey_file_stays_grey():
    assert np.array_equal(open_image(file_of(Image.fromarray(GREYS))).numpy(), GREYS[None])


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_can_be_chosen(channels):
    assert open_image(file_of(Image.fromarray(COLOURS)), channels).shape == (channels, 6, 8)
    assert open_image(file_of(Image.fromarray(GREYS)), channels).shape == (channels, 6, 8)


def test_two_channels_are_refused():
    with pytest.raises(ImageError, match="1 or 3 channels, not 2"):
        open_image(file_of(Image.fromarray(GREYS)), 2)


def test_sixteen_bits_are_scaled_to_eight():
    wide = Image.fromarray(GREYS.astype(np.uint16) * 257)

    assert np.array_equal(open_image(file_of(wide)).numpy(), GREYS[None])


def test_a_dark_sixteen_bit_file_stays_dark():
    assert open_image(file_of(Image.fromarray(np.full((4, 4), 255, np.uint16)))).unique().tolist() == [1]


def test_a_palette_is_looked_up():
    few = Image.fromarray(COLOURS).quantize(16)

    expected = np.asarray(few.convert("RGB"))

    assert np.array_equal(open_image(file_of(few)).permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("transparency", [3, bytes(range(16))])
def test_a_palette_with_transparency_gives_its_colours_without_a_warning(transparency):
    few = Image.fromarray(COLOURS).quantize(16)

    expected = np.asarray(few.convert("RGB"))

    assert np.array_equal(open_image(file_of(few, transparency=transparency)).permute(1, 2, 0).numpy(), expected)


def test_alpha_is_dropped():
    alpha = np.dstack([COLOURS, np.full((6, 8), 99, np.uint8)])

    assert np.array_equal(open_image(file_of(Image.fromarray(alpha))).permute(1, 2, 0).numpy(), COLOURS)


def test_one_bit_is_black_and_white():
    bits = Image.fromarray(GREYS > 127)

    assert np.array_equal(open_image(file_of(bits)).numpy()[0], (GREYS > 127) * np.uint8(255))


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_a_photo_is_rotated_as_its_exif_tag_says(orientation, turns):
    exif = Image.Exif()
    exif[0x0112] = orientation
    half = np.zeros((16, 32, 3), np.uint8)
    half[:, :16] = 255

    photo = open_image(file_of(Image.fromarray(half), "JPEG", exif=exif, quality=100))

    expected = np.rot90(half, turns)
    assert photo.shape[1:] == expected.shape[:2]
    assert np.abs(photo.permute(1, 2, 0).numpy().astype(int) - expected).max() < 10


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"])
def test_every_form_can_be_read_and_cut_short_is_an_error(form):
    data = file_of(Image.fromarray(np.tile(COLOURS, (10, 10, 1))), form)

    assert open_image(data).shape == (3, 60, 80)
    for share in (0.01, 0.5):
        with pytest.raises(ImageError, match="not an image that can be read"):
            open_image(data[: int(len(data) * share)])


def test_a_text_file_named_png_is_an_error(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("not a picture")

    with pytest.raises(ImageError, match=r"notes\.png is not an image that can be read"):
        open_image(path)


def test_an_empty_file_is_an_error():
    with pytest.raises(ImageError, match="not an image that can be read"):
        open_image(b"")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"no file .*gone\.png"):
        open_image(tmp_path / "gone.png")


@pytest.mark.parametrize("limit", [20, 40])
def test_a_decompression_bomb_is_refused(limit, monkeypatch):
    monkeypatch.setattr(
        Image, "MAX_IMAGE_PIXELS", limit
    )  # 48 pixels: a warning of Pillow's above it, an error at twice

    with pytest.raises(ImageError, match="too large"):
        open_image(file_of(Image.fromarray(GREYS)))


def test_image_files_are_listed_by_name_without_other_files(tmp_path):
    for name in ("b.PNG", "a.jpeg", "c.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()

    assert [path.name for path in list_image_files(tmp_path)] == ["a.jpeg", "b.PNG"]


def test_images_of_two_sizes_are_named():
    with pytest.raises(ImageError, match="second is 4 x 5 with 3 channels and first is 4 x 4 with 1 channel; read"):
        stack_images([torch.zeros(1, 4, 4), torch.zeros(3, 4, 5)], ["first", "second"])


def test_a_grid_shows_every_image(tmp_path):
    images = torch.arange(1, 13, dtype=torch.uint8).mul(20).view(12, 1, 1, 1).expand(-1, 1, 3, 3)

    write_grid(images, tmp_path / "grid.png", columns=5, scale=2)

    assert open_image(tmp_path / "grid.png").shape == (1, (3 * 4 + 1) * 2, (5 * 4 + 1) * 2)
    assert set(open_image(tmp_path / "grid.png").unique().tolist()) == {*range(20, 241, 20), 255}
