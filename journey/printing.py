"""Pixels, inches and DPI: how large a picture prints, what a paper needs and which multiplier gets there.

Pure arithmetic. Every number that cannot be used raises ValueError with a sentence for the person
who typed it. Widths come before heights; pixels are whole; the DPI of a file plays no part, since a
tag adds no detail.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Literal, NamedTuple, Self, get_args

Unit = Literal["in", "cm", "mm"]
Fit = Literal["crop", "contain"]
"""crop: the picture covers the paper and the overhang is cut. contain: all of it shows, with margins."""
Orientation = Literal["auto", "portrait", "landscape"]
Multiplier = Literal[1, 2, 4]

MM_PER_INCH = 25.4
PER_INCH: Mapping[Unit, float] = {"in": 1.0, "cm": 2.54, "mm": MM_PER_INCH}
PAPER_LIMITS: Mapping[Unit, tuple[float, int]] = {"in": (0.04, 4_000), "cm": (0.1, 10_000), "mm": (1, 100_000)}
"""Shortest and longest side of a paper: from a millimetre to about 100 m."""
MULTIPLIERS: tuple[Multiplier, ...] = (1, 2, 4)
CREDITS: Mapping[Multiplier, int] = {1: 0, 2: 2, 4: 2}
"""What the hosted API charges. On the embedded engine every multiplier is free."""

TOLERANCE_PX = 2
"""Pixels a side may be short: published tables of the same paper differ by one (A2 is 4960 or 4961 wide)."""
MAX_SIDE_PX = 1_000_000
LARGER_THAN_NEEDED_DPI = 600
SHARP_CM_DPI = 8732
"""DPI times distance in cm at which one pixel spans one arc-minute, the limit of a normal eye."""


def _number(value: object, low: float, high: float, sentence: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(sentence)
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(sentence) from None
    if not low <= number <= high:  # NaN fails both
        raise ValueError(sentence)
    return number


def _positive(value: object, name: str) -> float:
    return _number(value, 1e-6, 1e12, f"The {name} must be a number above 0.")


def _dpi(value: object) -> float:
    return _number(value, 1, 10_000, "The DPI must be a number from 1 to 10,000.")


def _bleed(value: object) -> float:
    return _number(value, 0, 1000, "The bleed must be a number of millimetres from 0 to 1,000.")


def _position(value: object) -> float:
    return _number(value, 0, 1, "The position of the crop must be a number from 0 to 1.")


def _sides(width: object, height: object) -> tuple[int, int]:
    return _side(width, "width"), _side(height, "height")


def _side(value: object, name: str) -> int:
    sentence = f"The {name} must be a whole number of pixels from 1 to {MAX_SIDE_PX:,}."
    pixels = _number(value, 1, MAX_SIDE_PX, sentence)
    if not pixels.is_integer():
        raise ValueError(sentence)
    return int(pixels)


def _unit(unit: Unit) -> Unit:
    if unit not in get_args(Unit):
        raise ValueError("The unit must be in, cm or mm.")
    return unit


def _fit(fit: Fit, bleed_mm: float) -> float:
    """Check both and hand the bleed back."""
    if fit not in get_args(Fit):
        raise ValueError("The fit must be crop or contain.")
    bleed = _bleed(bleed_mm)
    if fit == "contain" and bleed:
        raise ValueError("contain leaves margins, so there is nothing to bleed: use crop, or a bleed of 0.")
    return bleed


@dataclass(frozen=True)
class PrintSize:
    """A size on paper, in inches."""

    width_in: float
    height_in: float

    def in_unit(self, unit: Unit) -> tuple[float, float]:
        """Width and height in "in", "cm" or "mm"."""
        per_inch = PER_INCH[_unit(unit)]
        return self.width_in * per_inch, self.height_in * per_inch

    def text(self, unit: Unit = "in") -> str:
        """For people: `13.7 × 20.5 in`, `34.7 × 52 cm`, `347 × 520 mm`. Below 1, two decimals are kept."""
        sides = self.in_unit(unit)
        decimals = 2 if min(sides) < 1 else 0 if unit == "mm" else 1
        return _size_text(*sides, unit, decimals)

    @property
    def diagonal_cm(self) -> float:
        """The diagonal in cm, from which the usual viewing distance follows."""
        return math.hypot(*self.in_unit("cm"))


@dataclass(frozen=True)
class Paper:
    """A sheet (its trimmed size), in the unit that defines it."""

    name: str
    width: float
    height: float
    unit: Unit
    family: str

    def __post_init__(self) -> None:
        low, high = PAPER_LIMITS[_unit(self.unit)]
        for side, name in ((self.width, "width"), (self.height, "height")):
            _number(side, low, high, f"The paper's {name} must be a number from {low:g} to {high:,} {self.unit}.")

    @property
    def size(self) -> PrintSize:
        """Width and height in inches."""
        per_inch = PER_INCH[self.unit]
        return PrintSize(self.width / per_inch, self.height / per_inch)

    @property
    def label(self) -> str:
        """For people: `A3 · 297 × 420 mm`, or just `8 × 10 in` where the name is the size."""
        size = _size_text(self.width, self.height, self.unit, 3)
        return size if self.name[:1].isdigit() else f"{self.name} · {size}"

    def turned(self) -> Self:
        """The same sheet, a quarter turn later."""
        return replace(self, width=self.height, height=self.width)


def custom_paper(width: float, height: float, unit: Unit) -> Paper:
    """A sheet of any size in "in", "cm" or "mm"."""
    paper = Paper("custom", width, height, unit, "custom")
    return replace(paper, name=_size_text(width, height, unit, 3))


def _sheets(family: str, unit: Unit, **sizes: tuple[float, float]) -> dict[str, Paper]:
    return {name: Paper(name, width, height, unit, family) for name, (width, height) in sizes.items()}


def _inch_sheets(family: str, *sizes: tuple[int, int]) -> dict[str, Paper]:
    return _sheets(family, "in", **{f"{width}x{height}": (width, height) for width, height in sizes})


PAPERS: Mapping[str, Paper] = {
    **_sheets(
        "ISO A",
        "mm",
        A6=(105, 148),
        A5=(148, 210),
        A4=(210, 297),
        A3=(297, 420),
        A2=(420, 594),
        A1=(594, 841),
        A0=(841, 1189),
    ),
    **_sheets("US office", "in", Letter=(8.5, 11), Legal=(8.5, 14), Tabloid=(11, 17)),
    **_inch_sheets(
        "photo and poster", (4, 6), (5, 7), (8, 10), (11, 14), (12, 18), (16, 20), (18, 24), (20, 30), (24, 36)
    ),
    **_inch_sheets("square", (8, 8), (10, 10), (12, 12), (16, 16)),
}
"""The usual sheets by name, portrait, family by family."""

FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(paper.family for paper in PAPERS.values()))


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


@dataclass(frozen=True)
class Option:
    """A picture after one multiplier, judged on one paper.

    `crop` is in this option's own pixels (all of the picture for contain); `printed` is the size on
    paper, bleed included. `enough` says whether it reaches the DPI that was asked for.
    """

    multiplier: Multiplier
    width: int
    height: int
    dpi: float
    grade: Grade
    crop: Box
    printed: PrintSize
    enough: bool

    @property
    def credits(self) -> int:
        """What the hosted API charges for it."""
        return CREDITS[self.multiplier]

    @property
    def sharp_from_cm(self) -> float:
        """The distance in cm from which a normal eye sees no pixels."""
        return SHARP_CM_DPI / self.dpi

    @property
    def dpi_shown(self) -> int:
        """The DPI as a whole number that never rounds up into a better grade."""
        return _whole_dpi(self.dpi, self.grade)

    @property
    def larger_than_needed(self) -> bool:
        """True above 600 DPI: more pixels than any print can show."""
        return self.dpi_shown > LARGER_THAN_NEEDED_DPI


@dataclass(frozen=True)
class Plan:
    """What 1x, 2x and 4x of a picture give on one paper, and which of them to take.

    `paper` is turned the way it will be printed; `needed` are its pixels, bleed included, at `dpi`.
    `recommended` is the smallest multiplier that is enough, None when 4x is not. `factor_needed` is the
    exact enlargement that fills `needed`; the tolerance of 2 pixels is not taken off it.
    """

    paper: Paper
    dpi: float
    fit: Fit
    bleed_mm: float
    needed: tuple[int, int]
    options: Mapping[int, Option]
    recommended: Multiplier | None
    factor_needed: float

    @property
    def reached(self) -> Option:
        """The most that can be had: 4x."""
        return self.options[4]

    @property
    def chosen(self) -> Option:
        """The recommended option, or 4x when nothing is enough."""
        return self.options[self.recommended or 4]

    @property
    def usual_distance_cm(self) -> tuple[float, float]:
        """Between which distances people look at this paper, in cm."""
        return usual_distance_cm(self.paper)

    @property
    def verdict(self) -> str:
        """One sentence or two for people."""
        option = self.chosen
        if self.recommended is None:
            return (
                f"Out of reach: needs {_factor_text(self.factor_needed)}; 4x gives {option.dpi_shown} DPI, "
                f"{option.grade.word}, sharp from {distance_text(option.sharp_from_cm)}."
            )
        quality = f"{option.dpi_shown} DPI, {option.grade.word}, {option.grade.in_words}."
        if self.recommended == 1:
            note = " That is larger than needed." if option.larger_than_needed else ""
            return f"No upscale needed: {quality}{note}"
        return f"{self.recommended}x is enough: {quality}"


def print_size(width: int, height: int, dpi: float = 300) -> PrintSize:
    """How large a picture of so many pixels prints at this DPI: inches are pixels / DPI."""
    width, height = _sides(width, height)
    dpi = _dpi(dpi)
    return PrintSize(width / dpi, height / dpi)


def pixels_needed(paper: Paper, dpi: float = 300, bleed_mm: float = 0) -> tuple[int, int]:
    """Pixels that fill the paper as it lies, grown by the bleed on every side; each rounded to the nearest."""
    return _pixels(_sheet(paper, bleed_mm), _dpi(dpi))


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
    width, height = _sides(width, height)
    _fit(fit, bleed_mm)
    return _effective_dpi(width, height, _sheet(turn(paper, width, height, orientation), bleed_mm), fit)


def turn(paper: Paper, width: int, height: int, orientation: Orientation = "auto") -> Paper:
    """The paper the way it is printed. "auto" follows the picture; a square picture leaves it as it lies."""
    width, height = _sides(width, height)
    return paper.turned() if _needs_turn(paper.width, paper.height, width, height, orientation) else paper


def crop_box(width: int, height: int, ratio: float, position: float = 0.5) -> Box:
    """The largest part of a picture whose width / height is `ratio`, to the nearest pixel.

    One axis is kept whole; `position` moves the box along the other: 0 is left or top, 1 right or bottom.
    """
    width, height = _sides(width, height)
    ratio = _number(ratio, 1e-6, 1e6, "The ratio of width to height must be a positive number.")
    return _crop_box(width, height, ratio, _position(position))


def plan(
    width: int,
    height: int,
    paper: Paper,
    dpi: float = 300,
    *,
    fit: Fit = "crop",
    bleed_mm: float = 0,
    orientation: Orientation = "auto",
    position: float = 0.5,
) -> Plan:
    """Judge 1x, 2x and 4x of a picture on a paper.

    crop is enough when both sides have the pixels needed, contain when the side that decides has them;
    both may be 2 pixels short. Grades allow the same. contain takes no bleed.
    """
    width, height = _sides(width, height)
    dpi = _dpi(dpi)
    bleed_mm = _fit(fit, bleed_mm)
    position = _position(position)
    paper = turn(paper, width, height, orientation)
    sheet = _sheet(paper, bleed_mm)
    options = {
        int(multiplier): _option(multiplier, width, height, sheet, dpi=dpi, fit=fit, position=position)
        for multiplier in MULTIPLIERS
    }
    needed = _pixels(sheet, dpi)
    decides = max if fit == "crop" else min
    return Plan(
        paper=paper,
        dpi=dpi,
        fit=fit,
        bleed_mm=bleed_mm,
        needed=needed,
        options=options,
        recommended=next((multiplier for multiplier in MULTIPLIERS if options[multiplier].enough), None),
        factor_needed=decides(needed[0] / width, needed[1] / height),
    )


def papers_for(
    width: int,
    height: int,
    dpi: float = 300,
    *,
    fit: Fit = "crop",
    multiplier: Multiplier = 1,
    bleed_mm: float = 0,
) -> tuple[Paper, ...]:
    """The sheets of PAPERS that a picture fills at this DPI after the multiplier, in the order of PAPERS."""
    if multiplier not in MULTIPLIERS:
        raise ValueError("The multiplier must be 1, 2 or 4.")
    return tuple(
        paper
        for paper in PAPERS.values()
        if plan(width, height, paper, dpi, fit=fit, bleed_mm=bleed_mm).options[multiplier].enough
    )


def grade_of(dpi: float) -> Grade:
    """The grade of a DPI alone. A PNG's 299.9994 counts as 300: the format stores whole pixels per metre."""
    dpi = _positive(dpi, "DPI")
    return next(grade for grade in GRADES if dpi + 0.001 >= grade.from_dpi)


def sharp_from_cm(dpi: float, critical: bool = False) -> float:
    """The distance in cm from which a print of this DPI looks sharp (one arc-minute; half of it for `critical`)."""
    return (2 if critical else 1) * SHARP_CM_DPI / _positive(dpi, "DPI")


def dpi_for_distance(cm: float, critical: bool = False) -> float:
    """The smallest DPI that looks sharp from this distance in cm (one arc-minute; half of it for `critical`)."""
    return (2 if critical else 1) * SHARP_CM_DPI / _positive(cm, "viewing distance")


def usual_distance_cm(size: Paper | PrintSize) -> tuple[float, float]:
    """Between which distances in cm people look at a print: 1.5 to 2 times its diagonal."""
    diagonal = (size.size if isinstance(size, Paper) else size).diagonal_cm
    return 1.5 * diagonal, 2 * diagonal


def distance_text(cm: float) -> str:
    """For people: `34 cm`, and from a metre on `1.5 m`."""
    return f"{cm:.0f} cm" if cm < 99.5 else f"{_number_text(cm / 100, 1)} m"


@dataclass(frozen=True)
class Screen:
    """A target in pixels: a display or the largest size a site shows."""

    name: str
    width: int
    height: int

    @property
    def label(self) -> str:
        """For people: `4K · 3840 × 2160 px`."""
        return f"{self.name} · {self.width} × {self.height} px"


SCREENS: Mapping[str, Screen] = {
    screen.name: screen
    for screen in (
        Screen("Social square", 1080, 1080),
        Screen("Social portrait", 1080, 1350),
        Screen("Social story", 1080, 1920),
        Screen("Link preview", 1200, 630),
        Screen("Full HD", 1920, 1080),
        Screen("QHD", 2560, 1440),
        Screen("4K", 3840, 2160),
    )
}
"""Usual targets for web and social media, by name."""


@dataclass(frozen=True)
class ScreenPlan:
    """Which multiplier to take for a screen.

    `recommended` is 1 when the picture already has the pixels, else 2: the JourneyAPI guide holds 2x to be
    always enough for web and social media. `pixel_for_pixel` is the smallest multiplier that really fills
    the screen, None when 4x does not; `factor_needed` is the exact enlargement.
    """

    screen: Screen
    sizes: Mapping[int, tuple[int, int]]
    recommended: Literal[1, 2]
    pixel_for_pixel: Multiplier | None
    factor_needed: float

    @property
    def verdict(self) -> str:
        """One sentence or two for people."""
        if self.recommended == 1:
            return f"No upscale needed: the picture fills {self.screen.name} pixel for pixel."
        width, height = self.sizes[2]
        enough = f"2x is enough on a screen: {width} × {height} px."
        if self.pixel_for_pixel == 2:
            return enough
        reach = "use 4x" if self.pixel_for_pixel == 4 else "out of reach"
        return f"{enough} {self.screen.name} pixel for pixel needs {_factor_text(self.factor_needed)}: {reach}."


def screen_plan(
    width: int,
    height: int,
    screen: Screen,
    *,
    fit: Fit = "crop",
    orientation: Orientation = "auto",
) -> ScreenPlan:
    """Judge 1x, 2x and 4x of a picture on a screen, which turns with the picture like a paper."""
    width, height = _sides(width, height)
    _fit(fit, 0)
    across, down = _sides(screen.width, screen.height)
    if _needs_turn(across, down, width, height, orientation):
        across, down = down, across
    # A screen is a sheet whose pixels are an inch wide.
    sheet = PrintSize(across, down)
    sizes: dict[int, tuple[int, int]] = {m: (width * m, height * m) for m in MULTIPLIERS}
    exact = next((m for m in MULTIPLIERS if _enough(*sizes[m], sheet, 1, fit)), None)
    decides = max if fit == "crop" else min
    return ScreenPlan(
        screen=screen,
        sizes=sizes,
        recommended=1 if exact == 1 else 2,
        pixel_for_pixel=exact,
        factor_needed=decides(across / width, down / height),
    )


def _option(
    multiplier: Multiplier, width: int, height: int, sheet: PrintSize, *, dpi: float, fit: Fit, position: float
) -> Option:
    width, height = width * multiplier, height * multiplier
    reached = _effective_dpi(width, height, sheet, fit)
    crop = fit == "crop"
    return Option(
        multiplier=multiplier,
        width=width,
        height=height,
        dpi=reached,
        grade=next(g for g in GRADES if not g.from_dpi or _enough(width, height, sheet, g.from_dpi, fit)),
        crop=_crop_box(width, height, sheet.width_in / sheet.height_in, position) if crop else Box(0, 0, width, height),
        printed=sheet if crop else PrintSize(width / reached, height / reached),
        enough=_enough(width, height, sheet, dpi, fit),
    )


def _needs_turn(across: float, down: float, width: int, height: int, orientation: Orientation) -> bool:
    """Whether a sheet lies the wrong way. A square sheet never does, nor any under a square picture."""
    if orientation not in get_args(Orientation):
        raise ValueError("The orientation must be auto, portrait or landscape.")
    if orientation == "auto":
        return (across - down) * (width - height) < 0
    return across < down if orientation == "landscape" else across > down


def _effective_dpi(width: int, height: int, sheet: PrintSize, fit: Fit) -> float:
    decides = min if fit == "crop" else max
    return decides(width / sheet.width_in, height / sheet.height_in)


def _enough(width: int, height: int, sheet: PrintSize, dpi: float, fit: Fit) -> bool:
    needed = _pixels(sheet, dpi)
    wide, high = width >= needed[0] - TOLERANCE_PX, height >= needed[1] - TOLERANCE_PX
    if fit == "crop":
        return wide and high
    across, down = width / sheet.width_in, height / sheet.height_in
    return (wide and across >= down) or (high and down >= across)


def _pixels(sheet: PrintSize, dpi: float) -> tuple[int, int]:
    # Half pixels go up as people expect; the inner rounding removes what floats add to 637.5.
    across, down = (max(1, math.floor(round(side * dpi, 6) + 0.5)) for side in (sheet.width_in, sheet.height_in))
    return across, down


def _sheet(paper: Paper, bleed_mm: float) -> PrintSize:
    """What is printed before trimming."""
    size = paper.size
    bleed = _bleed(bleed_mm) / MM_PER_INCH
    if bleed >= min(size.width_in, size.height_in):
        raise ValueError(f"The bleed must be smaller than the paper ({paper.label}).")
    return PrintSize(size.width_in + 2 * bleed, size.height_in + 2 * bleed)


def _crop_box(width: int, height: int, ratio: float, position: float) -> Box:
    if width > height * ratio:
        kept = max(1, min(width, round(height * ratio)))
        left = round((width - kept) * position)
        return Box(left, 0, left + kept, height)
    kept = max(1, min(height, round(width / ratio)))
    top = round((height - kept) * position)
    return Box(0, top, width, top + kept)


def _whole_dpi(dpi: float, grade: Grade) -> int:
    nearest = round(dpi)
    return nearest if nearest < grade.below_dpi else int(grade.below_dpi) - 1


def _factor_text(factor: float) -> str:
    """`4.69x`; what would round down to a multiplier that is not enough is said in words."""
    rounded = round(factor, 2)
    return f"just over {rounded:g}x" if rounded in MULTIPLIERS and rounded < factor else f"{_number_text(factor, 2)}x"


def _size_text(width: float, height: float, unit: str, decimals: int) -> str:
    return f"{_number_text(width, decimals)} × {_number_text(height, decimals)} {unit}"


def _number_text(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text
