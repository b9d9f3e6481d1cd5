"""The sheets that people print on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self

from journey.printing import numbers
from journey.printing.sizes import PER_INCH, PrintSize, Unit, checked_unit, size_text

PAPER_LIMITS: Mapping[Unit, tuple[float, int]] = {"in": (0.04, 4_000), "cm": (0.1, 10_000), "mm": (1, 100_000)}
"""Shortest and longest side of a paper: from a millimetre to about 100 m."""


FileFormat = Literal["PNG", "TIFF", "JPEG", "PDF"]
"""The kinds of print file, which `shop` writes."""


@dataclass(frozen=True)
class Product:
    """What a print shop asks for, besides the size. None where it says nothing."""

    name: str
    bleed_mm: float | None = None
    safe_mm: float | None = None
    """How far inside the paper's edge text is safe."""
    dpi: float | None = None
    format: FileFormat | None = None
    largest_mb: float | None = None
    """The largest file taken, in millions of bytes."""


@dataclass(frozen=True)
class Paper:
    """A sheet (its trimmed size), in the unit that defines it. `product` is what a shop makes of it."""

    name: str
    width: float
    height: float
    unit: Unit
    family: str
    product: Product | None = None

    def __post_init__(self) -> None:
        low, high = PAPER_LIMITS[checked_unit(self.unit)]
        for side, name in ((self.width, "width"), (self.height, "height")):
            numbers.number(
                side, low, high, f"The paper's {name} must be a number from {low:g} to {high:,} {self.unit}."
            )

    @property
    def size(self) -> PrintSize:
        """Width and height in inches."""
        per_inch = PER_INCH[self.unit]
        return PrintSize(self.width / per_inch, self.height / per_inch)

    @property
    def label(self) -> str:
        """For people: `A3 · 297 × 420 mm`, or just `8 × 10 in` where the name is the size."""
        size = size_text(self.width, self.height, self.unit, 3)
        if self.product:
            return f"{self.product.name} · {size}"
        return size if self.name[:1].isdigit() else f"{self.name} · {size}"

    def turned(self) -> Self:
        """The same sheet after a quarter turn."""
        return replace(self, width=self.height, height=self.width)


def custom_paper(width: float, height: float, unit: Unit) -> Paper:
    """A sheet of any size in "in", "cm" or "mm". Raises ValueError."""
    paper = Paper("custom", width, height, unit, "custom")
    return replace(paper, name=size_text(width, height, unit, 3))


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
