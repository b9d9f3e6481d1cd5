"""The ratios in which sellers deliver a picture: whoever buys it prints any size of them without cutting more away."""

from __future__ import annotations

from dataclasses import dataclass

from journey.printing.fitting import Orientation
from journey.printing.papers import PAPERS, Paper
from journey.printing.plans import Plan, plan


@dataclass(frozen=True)
class Ratio:
    """Papers of one shape, the smallest first. `word` is what stands in the names of files."""

    name: str
    word: str
    papers: tuple[Paper, ...]


def _inches(name: str, *sizes: tuple[int, int]) -> Ratio:
    papers = (Paper(f"{width}x{height}", width, height, "in", "ratio") for width, height in sizes)
    return Ratio(name, name.replace(":", "x"), tuple(PAPERS.get(paper.name, paper) for paper in papers))


RATIOS: tuple[Ratio, ...] = (
    _inches("2:3", (4, 6), (8, 12), (12, 18), (16, 24), (20, 30), (24, 36)),
    _inches("3:4", (6, 8), (9, 12), (12, 16), (15, 20), (18, 24), (24, 32)),
    _inches("4:5", (4, 5), (8, 10), (12, 15), (16, 20), (24, 30)),
    _inches("11:14", (11, 14), (22, 28)),
    Ratio("ISO A", "ISO", tuple(paper for paper in PAPERS.values() if paper.family == "ISO A")),
    _inches("square", (5, 5), (8, 8), (10, 10), (12, 12), (16, 16), (20, 20), (24, 24), (30, 30)),
)


def largest(
    ratio: Ratio,
    width: int,
    height: int,
    dpi: float,
    *,
    bleed_mm: float = 0,
    orientation: Orientation = "auto",
    position: float = 0.5,
    most_pixels: float = float("inf"),
) -> Plan | None:
    """A crop to the largest paper of this ratio that the picture fills as it is; None when it fills none.

    Papers that have more than `most_pixels` at this DPI are left out. Raises ValueError.
    """
    plans = (
        plan(width, height, paper, dpi, bleed_mm=bleed_mm, orientation=orientation, position=position)
        for paper in reversed(ratio.papers)
    )
    return next(
        (each for each in plans if each.options[1].enough and each.needed[0] * each.needed[1] <= most_pixels), None
    )


def cut_away(made: Plan) -> str:
    """What a crop leaves out, as a sentence."""
    now = made.options[1]
    across, down = 1 - now.crop.width / now.width, 1 - now.crop.height / now.height
    if max(across, down) < 0.005:
        return "Nothing is cut away."
    return f"{max(across, down):.0%} of the {'width' if across > down else 'height'} is cut away.".replace("%", " %")
