"""Recipes: which networks a name stands for, and what is decided for a whole picture."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from journey.engine.networks.network import CLEANERS, DETAIL, FAITHFUL, FAST, Hardware
from journey.engine.networks.recipes import Recipe, decided, recipe
from journey.engine.tiles import upscale_tile
from journey.engine.upscaler import upscale
from journey.errors import InvalidRequest
from journey.pictures import samples
from journey.pictures.rows import ArrayRows
from tests.harness.standing import Inline

ALL = {each.name: replace(each, hardware=Hardware("cpu")) for each in (FAST, DETAIL, FAITHFUL)}


def enlarged(picture: np.ndarray, name: str, scale: int = 4) -> np.ndarray:
    rows = ArrayRows(picture)
    bands = upscale(
        rows,
        decided(recipe(name, ALL), rows),
        scale,
        workers=Inline(),
        on_progress=lambda done, total: None,
        should_stop=lambda: False,
    )
    return np.concatenate(list(bands))


def part(name: str, side: int = 128) -> np.ndarray:
    return np.asarray(samples.draw(name).crop((400, 500, 400 + side, 500 + side)))


def as_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def test_a_name_stands_for_a_network_or_a_blend() -> None:
    """`detail-30` is 30 percent of detail and the rest faithful, and says so on the wire."""
    assert Recipe(ALL["fast"]) == recipe("fast", ALL)
    mixed = recipe("detail-30", ALL)
    assert ("detail-30", "realesrgan-x4plus + dat-light", 30) == (mixed.name, mixed.model, mixed.strength)


@pytest.mark.parametrize("name", ["detail-0", "detail-100", "detail-5.5", "detail--5", "fast-50", "Detail-50", "x", ""])
def test_other_names_are_refused(name: str) -> None:
    """Whatever is no name is refused with the names that there are."""
    with pytest.raises(InvalidRequest, match="model: must be one of detail, faithful, fast, or detail-1 to detail-99"):
        recipe(name, ALL)


def test_a_blend_needs_faithful() -> None:
    """Without faithful there are no blends."""
    with pytest.raises(InvalidRequest, match=r"must be one of detail, fast$"):
        recipe("detail-50", {name: ALL[name] for name in ("fast", "detail")})


def test_a_blend_lies_between_its_networks() -> None:
    """Half of detail over faithful is, to a level of rounding, the mean of both."""
    picture = part("fjord", 32)
    soft, mixed, strong = (enlarged(picture, name).astype(int) for name in ("faithful", "detail-50", "detail"))
    # Each of the three had its own tone matched, which moves smooth parts by up to a level more.
    assert 2 >= np.abs((soft + strong) / 2 - mixed).max()
    assert not np.array_equal(soft, strong)


@pytest.mark.parametrize(
    ("name", "scale", "sample", "side"),
    [("fast", 4, "koi", 256), ("fast", 2, "city", 256), ("detail", 4, "fjord", 32), ("faithful", 4, "fjord", 96)],
)
def test_colours_do_not_drift(name: str, scale: int, sample: str, side: int) -> None:
    """The mean of each channel is that of the source, to 0.2 levels, whatever enlarges."""
    picture = part(sample, side)
    drift = enlarged(picture, name, scale).mean((0, 1)) - picture.mean((0, 1))
    assert 0.2 > np.abs(drift).max()


@pytest.mark.parametrize("name", ["fast", "detail", "faithful"])
def test_grey_stays_grey(name: str) -> None:
    """A black-and-white picture in colour channels, even one saved as JPEG, comes back without any colour."""
    grey = part("fjord", 32).mean(2, keepdims=True).astype(np.uint8).repeat(3, 2)
    for picture in (grey, as_jpeg(grey, 85)):
        assert 0 == int(np.ptp(enlarged(picture, name), axis=2).max())


def test_a_coloured_spot_keeps_its_colour() -> None:
    """One small coloured mark makes a picture no grey one."""
    picture = np.full((400, 64, 3), 120, np.uint8)
    picture[390:394, 8:12] = (180, 60, 60)
    assert not decided(recipe("fast", ALL), ArrayRows(picture)).is_neutral


def test_only_traces_of_jpeg_are_cleaned() -> None:
    """A picture that was saved as JPEG is cleaned before faithful, and harder where its traces are plain."""
    clean = np.asarray(samples.draw("fjord").crop((300, 400, 812, 912)))
    kinds = {None: clean, 0: as_jpeg(clean, 92), 1: as_jpeg(clean, 75)}
    for level, picture in kinds.items():
        for name in ("faithful", "detail-50"):
            cleaner = decided(recipe(name, ALL), ArrayRows(picture)).cleaner
            assert (None if level is None else CLEANERS[level].name) == (cleaner and cleaner.name)
        assert decided(recipe("detail", ALL), ArrayRows(picture)).cleaner is None


def test_a_cleaned_tile_has_the_size_of_any_other() -> None:
    """The cleaner needs more around a tile, and takes it off again."""
    chosen = replace(recipe("faithful", ALL), cleaner=CLEANERS[0])
    down, across = chosen.window(64, 96)
    assert (64 + 2 * chosen.overlap, 96 + 2 * chosen.overlap) == (down, across)
    picture = part("koi", 64)
    window = np.pad(picture, ((chosen.overlap,) * 2, (chosen.overlap,) * 2, (0, 0)), "edge")
    assert (256, 256, 3) == upscale_tile(chosen, 4, window, (64, 64)).shape
