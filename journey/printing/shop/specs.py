"""What is wanted on paper, what was made, and the names of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from journey import printing
from journey.pictures.kinds import without_ending
from journey.printing import Box, FileFormat, Fit, Orientation, Paper, numbers
from journey.storage.names import plain


@dataclass(frozen=True)
class Format:
    """A kind of print file: what people choose it for, and whether it keeps transparency (else it is white there)."""

    used_for: str
    extension: str
    media_type: str
    is_transparent: bool


FORMATS: Mapping[FileFormat, Format] = {
    "TIFF": Format("lossless, what most print shops prefer", ".tif", "image/tiff", is_transparent=True),
    "PDF": Format(
        "one page of exactly this size, with trim and bleed marked", ".pdf", "application/pdf", is_transparent=False
    ),
    "JPEG": Format("small, for online print services (quality 95)", ".jpg", "image/jpeg", is_transparent=False),
    "PNG": Format("lossless, keeps transparency", ".png", "image/png", is_transparent=True),
}
"""In the order in which they are offered. `encoding` writes them."""

MAX_PIXELS = 250_000_000
"""Pixels of the largest file made: an A0 at 400 DPI."""
MAX_SOURCE_PIXELS = 410_000_000
"""Pixels of the largest source taken: as many as a result may have unless the settings say otherwise."""
JPEG_MAX_SIDE = 65_500
"""Where libjpeg stops, with which most programs read a JPEG. The format itself would go to 65,535."""
NAME_LIMIT = 80

PROOF_PAPER = Paper("10x15cm", 10, 15, "cm", "photo and poster")

SERVICE_LIMITS: tuple[tuple[str, tuple[FileFormat, ...], int], ...] = (
    ("Printful", ("PNG", "TIFF", "JPEG", "PDF"), 200),
    ("Prodigi", ("PNG", "TIFF", "JPEG"), 300),
    ("Prodigi", ("PDF",), 1000),
)
"""Largest uploads in MB (millions of bytes), as the services publish them."""

Profile = Literal["source", "sRGB", "none"]


@dataclass(frozen=True)
class PrintSpec:
    """What is wanted on paper. `position` moves a crop along its free axis, 0 (left, top) to 1; contain centres.

    `flatten` puts white in place of transparency, also in formats that can have it. `at_most_mb` is how many millions
    of bytes a JPEG may have. `ratio` is its place in a set by ratio, and part of the file's name. Raises ValueError for
    numbers that cannot be used and for files that would be too large.
    """

    paper: Paper
    dpi: float = 300
    format: FileFormat = "TIFF"
    fit: Fit = "crop"
    bleed_mm: float = 0
    orientation: Orientation = "auto"
    position: float = 0.5
    flatten: bool = False
    at_most_mb: float | None = None
    ratio: str = ""

    @property
    def is_transparent(self) -> bool:
        """Whether what is transparent in the picture stays so."""
        return FORMATS[self.format].is_transparent and not self.flatten

    def __post_init__(self) -> None:
        if not isinstance(self.paper, Paper):
            raise ValueError("Choose a paper, or type the size of one.")
        _check_format(self.format)
        if self.at_most_mb is not None and self.format != "JPEG":
            raise ValueError("Only a JPEG can be made to fit a size: all others keep every pixel as it is.")
        if self.at_most_mb is not None:
            numbers.number(self.at_most_mb, 0.01, 100_000, "The most MB must be a number from 0.01 to 100,000.")
        self.on(1, 1)
        across, down = printing.pixels_needed(self.paper, self.dpi, self.bleed_mm)
        if across * down > MAX_PIXELS:
            raise ValueError(
                f"{self.paper.label} at {self.dpi:g} DPI has {across} × {down} = {across * down / 1e6:.0f} megapixels; "
                f"the limit is {MAX_PIXELS / 1e6:.0f}. Choose a lower DPI or a smaller paper."
            )
        if self.format == "JPEG" and max(across, down) > JPEG_MAX_SIDE:
            raise ValueError(
                f"A JPEG has at most {JPEG_MAX_SIDE:,} pixels a side, and this one would have {max(across, down):,}. "
                "Choose TIFF, PNG or PDF, or a lower DPI."
            )

    def on(self, width: int, height: int) -> printing.Plan:
        """The plan for a picture of this size in pixels. Raises ValueError."""
        return printing.plan(
            width,
            height,
            self.paper,
            self.dpi,
            fit=self.fit,
            bleed_mm=self.bleed_mm,
            orientation=self.orientation,
            position=self.position,
        )


@dataclass(frozen=True)
class PrintFile:
    """A file that was written.

    Width and height are in pixels, `size` is in bytes. `profile` says where the colour profile comes from:
    the source's own bytes, or sRGB because it had none; "none" for a re-tagged file whose colours are not RGB.
    `effective_dpi` and `grade` judge the source's own pixels on this paper, `crop` is in these pixels; all
    three are None for a re-tagged file. `quality` is that of a JPEG which had to fit a size. `notes` are sentences
    that people should read before they order.
    """

    path: Path
    format: FileFormat
    width: int
    height: int
    dpi: float
    size: int
    profile: Profile
    spec: PrintSpec | None = None
    effective_dpi: float | None = None
    grade: str | None = None
    crop: Box | None = None
    quality: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PrintSet:
    """A ZIP with one file for each paper, `manifest.csv` and `manifest.txt`. The files' paths are names in the ZIP."""

    path: Path
    size: int
    files: tuple[PrintFile, ...]


def file_name(title: str, spec: PrintSpec) -> str:
    """Such as `fjord_A3_300dpi_bleed3mm.tif`. The title may be any text."""
    parts = [*([spec.ratio] if spec.ratio else []), paper_word(spec.paper), f"{spec.dpi:g}dpi"]
    if spec.bleed_mm:
        parts.append(f"bleed{spec.bleed_mm:g}mm")
    if spec.fit == "contain":
        parts.append("contain")
    if spec.orientation != "auto":
        parts.append(spec.orientation)
    return name_for(title, "_".join(parts), FORMATS[spec.format].extension)


def service_warnings(size: int, file_format: FileFormat) -> tuple[str, ...]:
    """One sentence when a file of `size` bytes is larger than what a print service takes, else nothing."""
    megabytes = size / 1e6
    over = [
        f"{name} takes up to {limit} MB"
        for name, formats, limit in SERVICE_LIMITS
        if file_format in formats and megabytes > limit
    ]
    if not over:
        return ()
    remedy = "a lower DPI" if file_format == "JPEG" else "JPEG or a lower DPI"
    return (f"The file is {megabytes:.0f} MB: {', '.join(over)}. Choose {remedy} for such a service.",)


def product_warnings(size: int, spec: PrintSpec) -> tuple[str, ...]:
    """One sentence when a file of `size` bytes is larger than the shop of this product takes, else nothing."""
    product = spec.paper.product
    if product is None or product.largest_mb is None or size <= product.largest_mb * 1e6:
        return ()
    remedy = "a lower DPI" if spec.format == "JPEG" else "JPEG, which can be made to fit, or a lower DPI"
    taken = f"{product.name} takes files of up to {product.largest_mb:g} MB"
    return (f"{taken}, and this one has {size / 1e6:.0f}. Choose {remedy}.",)


def name_for(title: str, rest: str, extension: str) -> str:
    """A name of at most NAME_LIMIT plain characters; `rest` stays as it is. What was uploaded has its file's name."""
    room = max(16, NAME_LIMIT - len(rest) - len(extension) - 4)  # an underscore, and `-30` where names collide
    return f"{plain(without_ending(title), room)}_{rest}{extension}"


def paper_word(paper: Paper) -> str:
    """`A3`, `8x10`, and `30x40cm` for a custom size."""
    return re.sub(r"[^A-Za-z0-9.x]+", "", paper.name.replace("×", "x")) or "paper"


def _check_format(file_format: object) -> None:
    if file_format not in FORMATS:
        raise ValueError(f"The format must be one of {', '.join(FORMATS)}.")


def checked_dpi(dpi: float) -> float:
    """The same number; raises ValueError when it cannot be used."""
    printing.print_size(1, 1, dpi)
    return float(dpi)
