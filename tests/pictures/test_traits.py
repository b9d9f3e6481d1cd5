"""What a picture is like, measured from its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from journey.pictures import samples, traits
from journey.pictures.rows import ArrayRows, of_image


def part(name: str, side: int = 512) -> Image.Image:
    return samples.draw(name).crop((300, 400, 300 + side, 400 + side))


def as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert(picture.mode)


def rows(picture: Image.Image) -> ArrayRows:
    pixels = np.asarray(picture)
    return ArrayRows(pixels if pixels.ndim == 3 else pixels[..., np.newaxis])


@pytest.mark.parametrize("name", ["fjord", "koi", "city"])
def test_traces_of_jpeg_are_found(name: str) -> None:
    """A picture that never was a JPEG has no traces; the more it is compressed, the plainer they are."""
    picture = part(name)
    assert traits.BLOCKS_FAINT > traits.of_rows(rows(picture)).blockiness
    some, many = (traits.of_rows(rows(as_jpeg(picture, quality))).blockiness for quality in (80, 40))
    assert many > max(some, traits.BLOCKS_FAINT)


def test_traces_are_found_wherever_the_blocks_begin() -> None:
    """A cut from the middle of a JPEG has its blocks at other places, and is found all the same."""
    cut = as_jpeg(part("fjord"), 75).crop((3, 5, 500, 509))
    assert 1 == traits.of_rows(rows(cut)).jpeg_traces


def test_lines_and_flat_colours_are_told_from_the_rest() -> None:
    """The inked koi and the art-deco city are drawn; the painted fjord is not."""
    assert [True, True, False] == [
        traits.of_rows(rows(samples.draw(name))).is_drawn for name in ("koi", "city", "fjord")
    ]


def test_grey_in_colour_channels_is_neutral() -> None:
    """A grey picture is neutral whatever its channels are, also after JPEG; a colour of one pixel is not."""
    grey = part("koi", 128).convert("L")
    for picture in (grey, grey.convert("RGB"), grey.convert("RGBA"), as_jpeg(grey.convert("RGB"), 80)):
        assert traits.is_neutral(rows(picture))
        assert traits.of_rows(rows(picture)).is_neutral
    marked = grey.convert("RGB")
    marked.putpixel((127, 127), (200, 90, 90))
    assert not traits.is_neutral(rows(marked))


@pytest.mark.parametrize("size", [(1, 1), (3, 1), (1, 40), (9, 9), (63, 200)])
def test_small_pictures_have_traits(size: tuple[int, int]) -> None:
    """A picture too small to measure has no traces and is not drawn."""
    found = traits.of_stream(of_image(Image.new("RGB", size, (9, 90, 200))))
    assert (None, False, False) == (found.jpeg_traces, found.is_drawn, found.is_neutral)
