"""Which part of the picture goes where in the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from journey.pictures.rows import BAND_PIXELS
from journey.printing import MM_PER_INCH, Box
from journey.printing.shop.colours import flat
from journey.printing.shop.source import Source
from journey.printing.shop.specs import PrintSpec


@dataclass(frozen=True)
class Layout:
    """A file of `size` pixels in which `part` of the source (in its pixels, fractions allowed) fills `placed`."""

    size: tuple[int, int]
    placed: Box
    part: tuple[float, float, float, float]

    @property
    def scale(self) -> float:
        """Rows of the source for a row of the file."""
        return (self.part[3] - self.part[1]) / self.placed.height

    def of_itself(self) -> Layout:
        """The same file, made of a picture that has its pixels already."""
        whole = Box(0, 0, *self.size)
        return Layout(self.size, whole, whole)

    def cut(self, window: Box, size: tuple[int, int]) -> Layout:
        """A window of this file (inside `placed`), unscaled, in the middle of another file of `size` pixels."""
        left, top, right, bottom = self.part
        across, down = (right - left) / self.placed.width, (bottom - top) / self.placed.height
        x, y = window.left - self.placed.left, window.top - self.placed.top
        part = (
            left + x * across,
            top + y * down,
            min(right, left + (x + window.width) * across),
            min(bottom, top + (y + window.height) * down),
        )
        return Layout(size, _centred(window.width, window.height, size), part)


def layout_for(picture: Source, spec: PrintSpec) -> Layout:
    plan = spec.on(*picture.size)
    if spec.fit == "crop":
        return Layout(plan.needed, Box(0, 0, *plan.needed), plan.options[1].crop)
    scale = min(plan.needed[0] / picture.size[0], plan.needed[1] / picture.size[1])
    inner = [min(most, max(1, round(side * scale))) for side, most in zip(picture.size, plan.needed, strict=True)]
    return Layout(plan.needed, _centred(inner[0], inner[1], plan.needed), (0, 0, *picture.size))


def _centred(width: int, height: int, size: tuple[int, int]) -> Box:
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return Box(left, top, left + width, top + height)


def most_detailed(picture: Source, layout: Layout, size: tuple[int, int], spec: PrintSpec) -> Layout:
    """Cut out the window of at most `size` pixels with the most contrast, leaving out the bleed."""
    bleed = round(spec.bleed_mm / MM_PER_INCH * spec.dpi)
    area = layout.placed
    if bleed:
        area = Box(bleed, bleed, max(bleed + 1, layout.size[0] - bleed), max(bleed + 1, layout.size[1] - bleed))
    width, height = min(size[0], area.width), min(size[1], area.height)
    left, top, right, bottom = layout.part
    across, down = (right - left) / layout.placed.width, (bottom - top) / layout.placed.height

    step = max(1, max(picture.size) // 2048)
    grey = _grey(picture, step)
    contrast = np.zeros_like(grey)
    contrast[:, 1:] += np.abs(np.diff(grey, axis=1))
    contrast[1:] += np.abs(np.diff(grey, axis=0))
    summed = np.zeros((grey.shape[0] + 1, grey.shape[1] + 1))
    summed[1:, 1:] = contrast.cumsum(0, dtype=np.float64).cumsum(1)

    # Windows start on a grid; 64 steps along each axis are finer than anyone would choose by eye.
    lefts = _places(area.left, area.right - width)
    tops = _places(area.top, area.bottom - height)
    x0 = _nearest((left + (lefts - layout.placed.left) * across) / step, grey.shape[1])
    x1 = _nearest((left + (lefts + width - layout.placed.left) * across) / step, grey.shape[1])
    y0 = _nearest((top + (tops - layout.placed.top) * down) / step, grey.shape[0])
    y1 = _nearest((top + (tops + height - layout.placed.top) * down) / step, grey.shape[0])
    sums = (summed[y1][:, x1] - summed[y0][:, x1]) - (summed[y1][:, x0] - summed[y0][:, x0])
    # Of those within 1 % of the best, the one nearest to the middle.
    off_centre = np.hypot(np.linspace(-1, 1, len(tops))[:, None], np.linspace(-1, 1, len(lefts))[None])
    row, column = np.unravel_index(np.argmin(np.where(sums >= 0.99 * sums.max(), off_centre, np.inf)), sums.shape)
    x, y = int(lefts[column]), int(tops[row])
    return layout.cut(Box(x, y, x + width, y + height), size)


def _grey(picture: Source, step: int) -> np.ndarray:
    """The picture in grey, on white, reduced by a whole factor; float32 of shape (height, width)."""
    width, height = picture.size
    rows = step * max(1, BAND_PIXELS // (width * step))
    strips = (picture.read(top, min(height, top + rows)) for top in range(0, height, rows))
    return np.concatenate([np.asarray(flat(strip).convert("L").reduce(step), np.float32) for strip in strips])


def _places(first: int, last: int) -> np.ndarray:
    """Up to 65 whole numbers from first to last; 65 is odd, so that the middle is among them."""
    places: np.ndarray = np.unique(np.linspace(first, last, 65).round().astype(int))
    return places


def _nearest(places: np.ndarray, most: int) -> np.ndarray:
    nearest: np.ndarray = np.clip(np.rint(places).astype(int), 0, most)
    return nearest
