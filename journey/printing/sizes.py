"""Sizes on paper, in inches, centimetres and millimetres."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from journey.printing import numbers

Unit = Literal["in", "cm", "mm"]
MM_PER_INCH = 25.4
PER_INCH: Mapping[Unit, float] = {"in": 1.0, "cm": 2.54, "mm": MM_PER_INCH}


@dataclass(frozen=True)
class PrintSize:
    """A size on paper, in inches."""

    width_in: float
    height_in: float

    def in_unit(self, unit: Unit) -> tuple[float, float]:
        """Width and height in "in", "cm" or "mm"."""
        per_inch = PER_INCH[checked_unit(unit)]
        return self.width_in * per_inch, self.height_in * per_inch

    def text(self, unit: Unit = "in") -> str:
        """For people: `13.7 × 20.5 in`, `34.7 × 52 cm`, `347 × 520 mm`. Below 1, up to two decimals."""
        sides = self.in_unit(unit)
        decimals = 2 if min(sides) < 1 else 0 if unit == "mm" else 1
        return size_text(*sides, unit, decimals)

    @property
    def diagonal_cm(self) -> float:
        """The diagonal in cm, from which the usual viewing distance follows."""
        return math.hypot(*self.in_unit("cm"))


def print_size(width: int, height: int, dpi: float = 300) -> PrintSize:
    """How large a picture of this size in pixels prints at this DPI: inches are pixels / DPI. Raises ValueError."""
    width, height = numbers.sides(width, height)
    dpi = numbers.dpi(dpi)
    return PrintSize(width / dpi, height / dpi)


def checked_unit(unit: Unit) -> Unit:
    """The unit itself. Raises ValueError when it is not in, cm or mm."""
    if unit not in get_args(Unit):
        raise ValueError("The unit must be in, cm or mm.")
    return unit


def size_text(width: float, height: float, unit: str, decimals: int) -> str:
    """For people: `21 × 29.7 cm`, without trailing zeros."""
    return f"{number_text(width, decimals)} × {number_text(height, decimals)} {unit}"


def number_text(value: float, decimals: int) -> str:
    """A number with at most this many decimals, without trailing zeros."""
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text
