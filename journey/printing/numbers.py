"""Checks numbers that people type: each is returned, or refused with a ValueError that tells them why."""

from __future__ import annotations

import unicodedata
from numbers import Real

MAX_SIDE_PX = 1_000_000


def ascii_digits(text: str) -> str:
    """The text with the digits of every script as 0 to 9: a Japanese keyboard writes １０２４."""
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in text)


def number(value: object, low: float, high: float, sentence: str) -> float:
    """A number from `low` to `high`, both included; `sentence` is the ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(sentence)
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(sentence) from None
    if not low <= number <= high:  # NaN fails both
        raise ValueError(sentence)
    return number


def positive(value: object, name: str) -> float:
    """Any number above 0."""
    return number(value, 1e-6, 1e12, f"The {name} must be a number above 0.")


def dpi(value: object) -> float:
    """Pixels per inch, 1 to 10,000."""
    return number(value, 1, 10_000, "The DPI must be a number from 1 to 10,000.")


def bleed(value: object) -> float:
    """Millimetres on every side, 0 to 1,000."""
    return number(value, 0, 1000, "The bleed must be a number of millimetres from 0 to 1,000.")


def position(value: object) -> float:
    """Where a crop lies along its free axis: 0 is left or top, 1 right or bottom."""
    return number(value, 0, 1, "The position of the crop must be a number from 0 to 1.")


def sides(width: object, height: object) -> tuple[int, int]:
    """Width and height in whole pixels, 1 to a million each."""
    return _side(width, "width"), _side(height, "height")


def _side(value: object, name: str) -> int:
    sentence = f"The {name} must be a whole number of pixels from 1 to {MAX_SIDE_PX:,}."
    pixels = number(value, 1, MAX_SIDE_PX, sentence)
    if not pixels.is_integer():
        raise ValueError(sentence)
    return int(pixels)
