"""Targets in pixels: displays, and the largest sizes that sites show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from journey.printing import numbers
from journey.printing.fitting import Fit, Orientation, checked_bleed, is_enough, needs_turn
from journey.printing.plans import MULTIPLIERS, Multiplier, factor_text
from journey.printing.sizes import PrintSize


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

    `recommended` is 1 when the picture already has the pixels, else 2: the JourneyAPI guide says that 2x
    is always enough for web and social media. `pixel_for_pixel` is the smallest multiplier that really fills
    the screen, None when even 4x does not; `factor_needed` is the exact enlargement.
    """

    screen: Screen
    sizes: Mapping[int, tuple[int, int]]
    recommended: Literal[1, 2]
    pixel_for_pixel: Multiplier | None
    factor_needed: float

    @property
    def verdict(self) -> str:
        """One or two sentences for people."""
        if self.recommended == 1:
            return f"No upscale needed: the picture fills {self.screen.name} pixel for pixel."
        width, height = self.sizes[2]
        enough = f"2x is enough on a screen: {width} × {height} px."
        if self.pixel_for_pixel == 2:
            return enough
        reach = "use 4x" if self.pixel_for_pixel == 4 else "out of reach"
        return f"{enough} {self.screen.name} pixel for pixel needs {factor_text(self.factor_needed)}: {reach}."


def screen_plan(
    width: int,
    height: int,
    screen: Screen,
    *,
    fit: Fit = "crop",
    orientation: Orientation = "auto",
) -> ScreenPlan:
    """Judge 1x, 2x and 4x of a picture on a screen, which turns with the picture like a paper."""
    width, height = numbers.sides(width, height)
    checked_bleed(fit, 0)
    across, down = numbers.sides(screen.width, screen.height)
    if needs_turn(across, down, width, height, orientation):
        across, down = down, across
    # A screen is a sheet whose pixels are an inch wide.
    sheet = PrintSize(across, down)
    sizes: dict[int, tuple[int, int]] = {m: (width * m, height * m) for m in MULTIPLIERS}
    exact = next((m for m in MULTIPLIERS if is_enough(*sizes[m], sheet, 1, fit)), None)
    decides = max if fit == "crop" else min
    return ScreenPlan(
        screen=screen,
        sizes=sizes,
        recommended=1 if exact == 1 else 2,
        pixel_for_pixel=exact,
        factor_needed=decides(across / width, down / height),
    )
