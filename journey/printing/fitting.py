"""How a picture lies on a sheet: what covers what, what is cut away, and how many pixels there are to an inch."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

from journey.printing import numbers
from journey.printing.papers import Paper
from journey.printing.sizes import MM_PER_INCH, PrintSize

Fit = Literal["crop", "contain"]
"""crop: the picture covers the paper and the overhang is cut. contain: all of it shows, with margins."""
Orientation = Literal["auto", "portrait", "landscape"]
TOLERANCE_PX = 2
"""How many pixels short a side may be: published tables differ by one (A2 is 4960 or 4961 wide)."""


class Box(NamedTuple):
    """A rectangle in pixels, as Pillow's `Image.crop` takes it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def pixels_needed(paper: Paper, dpi: float = 300, bleed_mm: float = 0) -> tuple[int, int]:
    """Width and height in pixels that fill the paper as it lies plus the bleed on every side, each rounded."""
    return pixels_of(sheet_of(paper, bleed_mm), numbers.dpi(dpi))


def effective_dpi(
    width: int,
    height: int,
    paper: Paper,
    *,
    fit: Fit = "crop",
    bleed_mm: float = 0,
    orientation: Orientation = "auto",
) -> float:
    """Pixels per printed inch: of the weaker axis for crop, of the axis that touches the edges for contain."""
    width, height = numbers.sides(width, height)
    checked_bleed(fit, bleed_mm)
    return dpi_on(width, height, sheet_of(turn(paper, width, height, orientation), bleed_mm), fit)


def turn(paper: Paper, width: int, height: int, orientation: Orientation = "auto") -> Paper:
    """The paper the way it is printed. "auto" follows the picture; a square picture leaves it as it lies."""
    width, height = numbers.sides(width, height)
    return paper.turned() if needs_turn(paper.width, paper.height, width, height, orientation) else paper


def crop_box(width: int, height: int, ratio: float, position: float = 0.5) -> Box:
    """The largest part of a picture whose width / height is `ratio`, to the nearest pixel.

    One axis is kept whole; `position` moves the box along the other: 0 is left or top, 1 right or bottom.
    """
    width, height = numbers.sides(width, height)
    ratio = numbers.number(ratio, 1e-6, 1e6, "The ratio of width to height must be a positive number.")
    return largest_box(width, height, ratio, numbers.position(position))


def checked_bleed(fit: Fit, bleed_mm: float) -> float:
    """The bleed, once it and the fit have been checked. Raises ValueError, also for any bleed with contain."""
    if fit not in get_args(Fit):
        raise ValueError("The fit must be crop or contain.")
    bleed = numbers.bleed(bleed_mm)
    if fit == "contain" and bleed:
        raise ValueError("contain leaves margins, so there is nothing to bleed: use crop, or a bleed of 0.")
    return bleed


def needs_turn(across: float, down: float, width: int, height: int, orientation: Orientation) -> bool:
    """Whether a sheet lies the wrong way. A square sheet never does; with "auto", nor does any for a square picture."""
    if orientation not in get_args(Orientation):
        raise ValueError("The orientation must be auto, portrait or landscape.")
    if orientation == "auto":
        return (across - down) * (width - height) < 0
    return across < down if orientation == "landscape" else across > down


def dpi_on(width: int, height: int, sheet: PrintSize, fit: Fit) -> float:
    """Pixels per inch on a sheet that lies as the picture does."""
    decides = min if fit == "crop" else max
    return decides(width / sheet.width_in, height / sheet.height_in)


def is_enough(width: int, height: int, sheet: PrintSize, dpi: float, fit: Fit) -> bool:
    """Whether the picture has the pixels that the sheet needs at this DPI, within the tolerance."""
    needed = pixels_of(sheet, dpi)
    wide, high = width >= needed[0] - TOLERANCE_PX, height >= needed[1] - TOLERANCE_PX
    if fit == "crop":
        return wide and high
    across, down = width / sheet.width_in, height / sheet.height_in
    return (wide and across >= down) or (high and down >= across)


def pixels_of(sheet: PrintSize, dpi: float) -> tuple[int, int]:
    """Whole pixels that fill the sheet at this DPI."""
    # Half pixels round up, as people expect; the inner rounding removes the float error of a 637.5.
    across, down = (max(1, math.floor(round(side * dpi, 6) + 0.5)) for side in (sheet.width_in, sheet.height_in))
    return across, down


def sheet_of(paper: Paper, bleed_mm: float) -> PrintSize:
    """What is printed before trimming: paper and bleed. Raises ValueError when the bleed is not the smaller of them."""
    size = paper.size
    bleed = numbers.bleed(bleed_mm) / MM_PER_INCH
    if bleed >= min(size.width_in, size.height_in):
        raise ValueError(f"The bleed must be smaller than the paper ({paper.label}).")
    return PrintSize(size.width_in + 2 * bleed, size.height_in + 2 * bleed)


def largest_box(width: int, height: int, ratio: float, position: float) -> Box:
    """`crop_box` for numbers that have been checked."""
    if width > height * ratio:
        kept = max(1, min(width, round(height * ratio)))
        left = round((width - kept) * position)
        return Box(left, 0, left + kept, height)
    kept = max(1, min(height, round(width / ratio)))
    top = round((height - kept) * position)
    return Box(0, top, width, top + kept)
