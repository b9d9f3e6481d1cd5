"""How sharp a print looks: grades of DPI, and the distance from which it looks sharp."""

from __future__ import annotations

import math
from dataclasses import dataclass

from journey.printing import numbers
from journey.printing.papers import Paper
from journey.printing.sizes import PrintSize, number_text

LARGER_THAN_NEEDED_DPI = 600
SHARP_CM_DPI = 8732
"""DPI times distance in cm at which one pixel spans one arc-minute, the limit of a normal eye."""


@dataclass(frozen=True)
class Grade:
    """How a print of this effective DPI will look. It holds from `from_dpi` up to, not including, `below_dpi`."""

    word: str
    in_words: str
    from_dpi: float
    below_dpi: float


GRADES: tuple[Grade, ...] = (
    Grade("excellent", "sharp in the hand", 300, math.inf),
    Grade("good", "fine for most prints", 200, 300),
    Grade("acceptable", "on a wall", 150, 200),
    Grade("poor", "only from a distance", 100, 150),
    Grade("too low", "do not print", 0, 100),
)
"""Best first."""


def grade_of(dpi: float) -> Grade:
    """The grade of a DPI alone. A PNG's 299.9994 counts as 300: the format stores whole pixels per metre."""
    dpi = numbers.positive(dpi, "DPI")
    return next(grade for grade in GRADES if dpi + 0.001 >= grade.from_dpi)


def sharp_from_cm(dpi: float, critical: bool = False) -> float:
    """The distance in cm from which a print of this DPI looks sharp (one arc-minute; half that for `critical`)."""
    return (2 if critical else 1) * SHARP_CM_DPI / numbers.positive(dpi, "DPI")


def dpi_for_distance(cm: float, critical: bool = False) -> float:
    """The smallest DPI that looks sharp from this distance in cm (one arc-minute; half that for `critical`)."""
    return (2 if critical else 1) * SHARP_CM_DPI / numbers.positive(cm, "viewing distance")


def usual_distance_cm(size: Paper | PrintSize) -> tuple[float, float]:
    """The distances in cm from which people usually look at a print: 1.5 to 2 times its diagonal."""
    diagonal = (size.size if isinstance(size, Paper) else size).diagonal_cm
    return 1.5 * diagonal, 2 * diagonal


def distance_text(cm: float) -> str:
    """For people: `34 cm`, or `1.5 m` from a metre on."""
    return f"{cm:.0f} cm" if cm < 99.5 else f"{number_text(cm / 100, 1)} m"


def whole_dpi(dpi: float, grade: Grade) -> int:
    """The nearest whole number that does not round up into a better grade than this one."""
    nearest = round(dpi)
    return nearest if nearest < grade.below_dpi else int(grade.below_dpi) - 1
