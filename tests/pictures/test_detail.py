"""The most detailed place of a picture, which is shown first and tried first."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from journey.pictures.detail import most_detailed

GREY = 120
LEAVES = np.random.default_rng(3).integers(60, 200, (60, 80), dtype=np.uint8)


def picture(width: int = 600, height: int = 400, **patches: tuple[int, int]) -> np.ndarray:
    """Plain grey levels, with leaves of 80 × 60 px around each of the given points."""
    levels = np.full((height, width), GREY, np.uint8)
    for x, y in patches.values():
        levels[y - 30 : y + 30, x - 40 : x + 40] = LEAVES
    return levels


def found(levels: np.ndarray, width: float = 80, height: float = 60) -> tuple[float, float]:
    """The most detailed place for a window of so many pixels, in pixels."""
    rows, columns = levels.shape[:2]
    x, y = most_detailed(Image.fromarray(levels), width / columns, height / rows)
    return x * columns, y * rows


@pytest.mark.parametrize("place", [(450, 100), (70, 330), (300, 200)])
def test_the_window_lies_on_the_detail(place: tuple[int, int]) -> None:
    """The middle of the window is the middle of the only detailed place, to a pixel."""
    assert place == pytest.approx(found(picture(leaves=place)), abs=1)


def test_texture_beats_a_hard_edge() -> None:
    """A few edges of black and white are no detail to look at, leaves are."""
    levels = picture(leaves=(150, 100))
    levels[250:350, 350:500] = 0
    levels[275:325, 400:450] = 255
    assert (150, 100) == pytest.approx(found(levels), abs=1)


def test_a_frame_is_not_looked_at() -> None:
    """Whatever is on the outermost pixels, the window lies on what is inside."""
    levels = np.random.default_rng(5).integers(0, 256, (400, 600), dtype=np.uint8)
    levels[8:-8, 12:-12] = GREY
    levels[170:230, 360:440] = LEAVES // 2 + 60
    assert (400, 200) == pytest.approx(found(levels), abs=1)


def test_among_equals_the_middle_wins() -> None:
    """Of two places with the same detail it is the one nearer to the middle, and of a whole texture the middle."""
    assert (350, 230) == pytest.approx(found(picture(one=(80, 80), other=(350, 230))), abs=1)
    ripples = np.tile(np.array([[100, 130], [130, 100]], np.uint8), (200, 300))
    assert (300, 200) == pytest.approx(found(ripples), abs=1)


@pytest.mark.parametrize("levels", [picture(), picture(1, 1), picture(3, 900)], ids=["plain", "a pixel", "a line"])
def test_a_blank_picture_gives_the_middle(levels: np.ndarray) -> None:
    """Where there is no detail at all, the middle is as good as any place."""
    assert (0.5, 0.5) == most_detailed(Image.fromarray(levels), 0.2, 0.2)


def test_grain_is_no_detail() -> None:
    """Noise of a level or two draws nobody's eye: the middle stays."""
    grain = np.random.default_rng(7).integers(GREY - 1, GREY + 2, (400, 600), dtype=np.uint8)
    assert (0.5, 0.5) == most_detailed(Image.fromarray(grain), 0.1, 0.1)


def test_a_window_stays_in_the_picture() -> None:
    """Detail in a corner is shown, all but its border, without a step beyond; a larger window has only its middle."""
    levels = picture(leaves=(560, 370))
    x, y = found(levels, 200, 200)
    assert 485 < x <= 500
    assert 290 < y <= 300
    assert 300 == found(levels, 1200, 200)[0]
    assert (0.5, 0.5) == most_detailed(Image.fromarray(levels), 7.0, 1.0)


def test_what_is_transparent_is_not_seen() -> None:
    """Colours under transparent places do not count, whatever they are."""
    colours = np.random.default_rng(9).integers(0, 256, (400, 600, 4), dtype=np.uint8)
    colours[..., 3] = 0
    colours[120:180, 410:490, 3] = 255
    x, y = most_detailed(Image.fromarray(colours), 80 / 600, 60 / 400)
    assert (450, 150) == pytest.approx((x * 600, y * 400), abs=1)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_large_pictures_of_any_mode(mode: str) -> None:
    """A preview of the largest size in any mode gives the place, to within the pixels that were put together."""
    shown = Image.fromarray(picture(2048, 1536, leaves=(1300, 400))).convert(mode)
    x, y = most_detailed(shown, 80 / 2048, 60 / 1536)
    assert (1300, 400) == pytest.approx((x * 2048, y * 1536), abs=4)
