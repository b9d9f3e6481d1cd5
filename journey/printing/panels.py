"""A large print cut into panels: sheets that overlap, and together are the print."""

from __future__ import annotations

import math
from dataclasses import dataclass

from journey.printing import numbers
from journey.printing.fitting import Box
from journey.printing.papers import Paper
from journey.printing.sizes import MM_PER_INCH

MARKS_MM = 5
"""Between the picture and the margin on each side of a sheet: room for cut marks and for the label."""
MAX_PANELS = 500


@dataclass(frozen=True)
class Cut:
    """How a print is cut. Raises ValueError for numbers that cannot be used.

    Neighbours have `overlap_mm` of the picture in common. `margin_mm` is what the printer leaves white on each side.
    """

    sheet: Paper
    overlap_mm: float = 10
    margin_mm: float = 5

    def __post_init__(self) -> None:
        if not isinstance(self.sheet, Paper):
            raise ValueError("Choose a sheet, or type the size of one.")
        for value, name in ((self.overlap_mm, "overlap"), (self.margin_mm, "printer's margin")):
            numbers.number(value, 0, 1000, f"The {name} must be a number of millimetres from 0 to 1,000.")


@dataclass(frozen=True)
class Panel:
    """One sheet of a print. Rows and columns count from 1; `box` is its part of the print, in pixels of the print."""

    row: int
    column: int
    box: Box


@dataclass(frozen=True)
class Panels:
    """All sheets of a print, row by row from the top left. `sheet` is as it lies; the overlap is in pixels."""

    sheet: Paper
    rows: int
    columns: int
    overlap: int
    each: tuple[Panel, ...]


def cut_into_panels(width: int, height: int, dpi: float, cut: Cut) -> Panels:
    """Cut a print of so many pixels into as few sheets as possible, all of them turned the same way.

    Neighbours overlap by the same whole number of pixels everywhere, and share the rest evenly, so no panel is a
    sliver. Raises ValueError when a sheet has no room for a picture, or when there would be too many sheets.
    """
    width, height = numbers.sides(width, height)
    overlap = _pixels(cut.overlap_mm, numbers.dpi(dpi))
    lying = [cut.sheet] if cut.sheet.width == cut.sheet.height else [cut.sheet, cut.sheet.turned()]
    grids = []
    for sheet in lying:
        across, down = (
            math.floor(_pixels_exactly(side - 2 * (cut.margin_mm + MARKS_MM), dpi)) for side in sheet.size.in_unit("mm")
        )
        if min(across, down) > overlap:
            grids.append((sheet, _count(height, down, overlap), _count(width, across, overlap)))
    if not grids:
        raise ValueError(
            f"{cut.sheet.label} has no room for a picture beside {MARKS_MM} mm of marks, the printer's margin and the "
            "overlap. Choose a larger sheet, or make the overlap or the margin smaller."
        )
    sheet, rows, columns = min(grids, key=lambda grid: grid[1] * grid[2])
    if rows * columns > MAX_PANELS:
        raise ValueError(
            f"This would take {rows * columns:,} sheets; the limit is {MAX_PANELS}. Choose a larger sheet or a smaller "
            "print."
        )
    return Panels(
        sheet,
        rows,
        columns,
        overlap,
        tuple(
            Panel(row, column, Box(left, top, right, bottom))
            for row, (top, bottom) in enumerate(_parts(height, rows, overlap), 1)
            for column, (left, right) in enumerate(_parts(width, columns, overlap), 1)
        ),
    )


def _count(length: int, room: int, overlap: int) -> int:
    """How many parts of at most `room` pixels cover the length."""
    return max(1, math.ceil((length - overlap) / (room - overlap)))


def _parts(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """Beginning and end of each part. They differ by a pixel at most in their length."""
    if count == 1:
        return [(0, length)]
    step = length - overlap
    return [(step * each // count, step * (each + 1) // count + overlap) for each in range(count)]


def _pixels(mm: float, dpi: float) -> int:
    return round(_pixels_exactly(mm, dpi))


def _pixels_exactly(mm: float, dpi: float) -> float:
    return round(mm / MM_PER_INCH * dpi, 6)  # without the float error that would take a whole pixel
