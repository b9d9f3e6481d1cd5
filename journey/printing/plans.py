"""What 1x, 2x and 4x of a picture give on a paper, which is the cheapest that is enough, and the ways beyond 4x."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from journey.printing import numbers
from journey.printing.fitting import (
    Box,
    Fit,
    Orientation,
    checked_bleed,
    dpi_on,
    is_enough,
    largest_box,
    pixels_of,
    sheet_of,
    turn,
)
from journey.printing.grades import (
    GRADES,
    LARGER_THAN_NEEDED_DPI,
    SHARP_CM_DPI,
    Grade,
    distance_text,
    usual_distance_cm,
    whole_dpi,
)
from journey.printing.papers import PAPERS, Paper
from journey.printing.sizes import PrintSize, number_text

Multiplier = Literal[1, 2, 4]
MULTIPLIERS: tuple[Multiplier, ...] = (1, 2, 4)
"""What one upscale can do; 1 is the picture as it is."""
FURTHER: tuple[int, ...] = (8, 16)
"""What two upscales can do, one after the other."""
STEPS: Mapping[int, tuple[Literal[2, 4], ...]] = {2: (2,), 4: (4,), 8: (4, 2), 16: (4, 4)}
"""The upscales that lead to each multiplier, in order. What costs more comes first, while the picture is small."""


@dataclass(frozen=True)
class Option:
    """A picture after one multiplier (1, 2, 4, 8 or 16), judged on one paper.

    `crop` is in this option's own pixels (all of the picture for contain); `printed` is the size on
    paper, bleed included. `enough` says whether it reaches the DPI that was asked for.
    """

    multiplier: int
    width: int
    height: int
    dpi: float
    grade: Grade
    crop: Box
    printed: PrintSize
    enough: bool

    @property
    def sharp_from_cm(self) -> float:
        """The distance in cm from which a normal eye sees no pixels."""
        return SHARP_CM_DPI / self.dpi

    @property
    def dpi_shown(self) -> int:
        """The DPI as a whole number that never rounds up into a better grade."""
        return whole_dpi(self.dpi, self.grade)

    @property
    def larger_than_needed(self) -> bool:
        """True above 600 DPI: more pixels than any print can show."""
        return self.dpi_shown > LARGER_THAN_NEEDED_DPI


@dataclass(frozen=True)
class Plan:
    """What 1x, 2x and 4x of a picture give on one paper, which of them to take, and what two steps give beyond.

    `paper` is turned the way it will be printed; `needed` are its pixels, bleed included, at `dpi`.
    `recommended` is the smallest multiplier that is enough, None when 4x is not. `further` are 8x and 16x where
    4x is not enough, and only as far as they help. `factor_needed` is the exact enlargement that fills `needed`;
    the tolerance of 2 pixels is not deducted.
    """

    paper: Paper
    dpi: float
    fit: Fit
    bleed_mm: float
    needed: tuple[int, int]
    options: Mapping[int, Option]
    recommended: Multiplier | None
    factor_needed: float
    further: tuple[Option, ...] = ()

    @property
    def reached(self) -> Option:
        """The option with the most pixels in one step: 4x."""
        return self.options[4]

    @property
    def way(self) -> Option | None:
        """The smallest of `further` that is enough; None when 4x is, or when nothing is."""
        return next((option for option in self.further if option.enough), None)

    @property
    def chosen(self) -> Option:
        """The recommended option, else the way beyond 4x, else the one with the most pixels."""
        if self.recommended is not None:
            return self.options[self.recommended]
        return self.way or (self.further or (self.reached,))[-1]

    @property
    def usual_distance_cm(self) -> tuple[float, float]:
        """The distances in cm from which people usually look at this paper."""
        return usual_distance_cm(self.paper)

    @property
    def verdict(self) -> str:
        """One or two sentences for people."""
        option = self.chosen
        quality = f"{option.dpi_shown} DPI, {option.grade.word}, {option.grade.in_words}."
        if self.way is not None:
            return f"{option.multiplier}x is enough, in two steps: {quality}"
        if self.recommended is None:
            return (
                f"Out of reach: needs {factor_text(self.factor_needed)}; {option.multiplier}x gives "
                f"{option.dpi_shown} DPI, {option.grade.word}, sharp from {distance_text(option.sharp_from_cm)}."
            )
        if self.recommended == 1:
            note = " That is larger than needed." if option.larger_than_needed else ""
            return f"No upscale needed: {quality}{note}"
        return f"{self.recommended}x is enough: {quality}"


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
    """Judge 1x, 2x and 4x of a picture on a paper, and 8x and 16x where 4x is not enough.

    A crop is enough when both sides have the pixels needed, contain when the side that touches the edges has
    them. A side may be 2 pixels short, for the grades as well. contain takes no bleed. Raises ValueError.
    """
    width, height = numbers.sides(width, height)
    dpi = numbers.dpi(dpi)
    bleed_mm = checked_bleed(fit, bleed_mm)
    position = numbers.position(position)
    paper = turn(paper, width, height, orientation)
    sheet = sheet_of(paper, bleed_mm)
    judged = partial(_option, width=width, height=height, sheet=sheet, dpi=dpi, fit=fit, position=position)
    options = {int(multiplier): judged(multiplier) for multiplier in MULTIPLIERS}
    further: list[Option] = []
    for multiplier in FURTHER:
        if not any(option.enough for option in (*options.values(), *further)):
            further.append(judged(multiplier))
    needed = pixels_of(sheet, dpi)
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
        further=tuple(further),
    )


def papers_for(
    width: int,
    height: int,
    dpi: float = 300,
    *,
    fit: Fit = "crop",
    multiplier: Multiplier = 1,
    bleed_mm: float = 0,
    papers: Iterable[Paper] = tuple(PAPERS.values()),
) -> tuple[Paper, ...]:
    """Those of these sheets that a picture fills at this DPI after the multiplier, in their order."""
    if multiplier not in MULTIPLIERS:
        raise ValueError("The multiplier must be 1, 2 or 4.")
    return tuple(
        paper
        for paper in papers
        if plan(width, height, paper, dpi, fit=fit, bleed_mm=bleed_mm).options[multiplier].enough
    )


def _option(
    multiplier: int, *, width: int, height: int, sheet: PrintSize, dpi: float, fit: Fit, position: float
) -> Option:
    width, height = width * multiplier, height * multiplier
    reached = dpi_on(width, height, sheet, fit)
    is_cropped = fit == "crop"
    ratio = sheet.width_in / sheet.height_in
    return Option(
        multiplier=multiplier,
        width=width,
        height=height,
        dpi=reached,
        grade=next(g for g in GRADES if not g.from_dpi or is_enough(width, height, sheet, g.from_dpi, fit)),
        crop=largest_box(width, height, ratio, position) if is_cropped else Box(0, 0, width, height),
        printed=sheet if is_cropped else PrintSize(width / reached, height / reached),
        enough=is_enough(width, height, sheet, dpi, fit),
    )


def factor_text(factor: float) -> str:
    """For people: `4.69x`, or `just over 4x` where it would round down to a multiplier that is not enough."""
    rounded = round(factor, 2)
    exact = rounded in (*MULTIPLIERS, *FURTHER)
    return f"just over {rounded:g}x" if exact and rounded < factor else f"{number_text(factor, 2)}x"
