"""A picture and a plan become the file that a print shop takes.

Sources are local PNG, JPEG or WebP files that have been checked on their way in. *Keep pixels* (`retag`)
writes the DPI and nothing else; *exact size* (`exact_size`, `print_set`, `proof`) crops and resamples to
the paper, a band of rows at a time, so that memory hardly grows with the print.

Everything here takes seconds and belongs in a worker process: `start` hands any of these functions to an
executor and returns a `PrintJob` to poll and to stop.

Numbers that cannot be used raise ValueError, sources that cannot be read PictureRefused, stopped work
Stopped; each with a sentence for people. A full disk is an OSError. Nothing half-written stays behind.
"""

from __future__ import annotations

import csv
import io
import math
import re
import struct
import unicodedata
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO, Concatenate, Generic, Literal, ParamSpec, TypeVar, get_args

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, RectangleObject, StreamObject

from journey import images, printing
from journey.errors import PictureRefused, Stopped
from journey.printing import MM_PER_INCH, Box, Fit, Orientation, Paper

P = ParamSpec("P")
T = TypeVar("T")

FileFormat = Literal["PNG", "TIFF", "JPEG", "PDF"]
EXTENSIONS: dict[FileFormat, str] = {"PNG": ".png", "TIFF": ".tif", "JPEG": ".jpg", "PDF": ".pdf"}
MEDIA_TYPES = {
    ".png": "image/png",
    ".tif": "image/tiff",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
}

MAX_PIXELS = 250_000_000
"""Largest file made, and largest source taken: an A0 at 400 DPI."""
JPEG_MAX_SIDE = 65_535
JPEG_QUALITY = 95
NAME_LIMIT = 80
SET_LIMIT = 30
"""Most files in one print set."""

PROOF_PAPER = Paper("10x15cm", 10, 15, "cm", "photo and poster")

SERVICE_LIMITS: tuple[tuple[str, tuple[FileFormat, ...], int], ...] = (
    ("Printful", ("PNG", "TIFF", "JPEG", "PDF"), 200),
    ("Prodigi", ("PNG", "TIFF", "JPEG"), 300),
    ("Prodigi", ("PDF",), 1000),
)
"""Largest uploads in MB (millions of bytes), as the services publish them."""

POINTS_PER_INCH = 72
"""PDF measures in points."""

_BAND_PIXELS = 1_000_000
_PIECE = 1 << 20

Progress = Callable[[int, int], object]
"""Called with (done, total), in rows of pixels."""
ShouldStop = Callable[[], bool]

_Profile = Literal["source", "sRGB", "none"]


@dataclass(frozen=True)
class PrintSpec:
    """What is wanted on paper. `position` moves a crop along its free axis, 0 (left, top) to 1; contain centres.

    Raises ValueError for numbers that cannot be used and for files that would be too large.
    """

    paper: Paper
    dpi: float = 300
    format: FileFormat = "TIFF"
    fit: Fit = "crop"
    bleed_mm: float = 0
    orientation: Orientation = "auto"
    position: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.paper, Paper):
            raise ValueError("Choose a paper, or type the size of one.")
        _check_format(self.format)
        printing.plan(
            1,
            1,
            self.paper,
            self.dpi,
            fit=self.fit,
            bleed_mm=self.bleed_mm,
            orientation=self.orientation,
            position=self.position,
        )
        across, down = printing.pixels_needed(self.paper, self.dpi, self.bleed_mm)
        if across * down > MAX_PIXELS:
            raise ValueError(
                f"{self.paper.label} at {self.dpi:g} DPI has {across} × {down} = {across * down / 1e6:.0f} megapixels; "
                f"up to {MAX_PIXELS / 1e6:.0f} are possible. Choose fewer DPI or a smaller paper."
            )
        if self.format == "JPEG" and max(across, down) > JPEG_MAX_SIDE:
            raise ValueError(
                f"A JPEG has at most {JPEG_MAX_SIDE:,} pixels a side, and this would have {max(across, down):,}. "
                "Choose TIFF, PNG or PDF, or fewer DPI."
            )

    def on(self, width: int, height: int) -> printing.Plan:
        """The plan for a picture of so many pixels."""
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
    three are None for a re-tagged file. `notes` are sentences that people should read before they order.
    """

    path: Path
    format: FileFormat
    width: int
    height: int
    dpi: float
    size: int
    profile: _Profile
    spec: PrintSpec | None = None
    effective_dpi: float | None = None
    grade: str | None = None
    crop: Box | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PrintSet:
    """A ZIP with one file for each paper, `manifest.csv` and `manifest.txt`. The files' paths are names in the ZIP."""

    path: Path
    size: int
    files: tuple[PrintFile, ...]


def file_name(title: str, spec: PrintSpec) -> str:
    """Such as `fjord_A3_300dpi_bleed3mm.tif`. The title may be any text."""
    parts = [_paper_word(spec.paper), f"{spec.dpi:g}dpi"]
    if spec.bleed_mm:
        parts.append(f"bleed{spec.bleed_mm:g}mm")
    if spec.fit == "contain":
        parts.append("contain")
    if spec.orientation != "auto":
        parts.append(spec.orientation)
    return _name(title, "_".join(parts), EXTENSIONS[spec.format])


def service_warnings(size: int, file_format: FileFormat) -> tuple[str, ...]:
    """One sentence when a file of so many bytes is above what a print service takes, else nothing."""
    megabytes = size / 1e6
    over = [
        f"{name} takes up to {limit} MB"
        for name, formats, limit in SERVICE_LIMITS
        if file_format in formats and megabytes > limit
    ]
    if not over:
        return ()
    remedy = "fewer DPI" if file_format == "JPEG" else "JPEG or fewer DPI"
    return (f"The file has {megabytes:.0f} MB: {', '.join(over)}. Choose {remedy} for such a service.",)


def retag(
    source: Path,
    folder: Path,
    *,
    dpi: float = 300,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """Keep the pixels and write the DPI.

    A PNG or JPEG is copied without decoding: only what is needed to show the picture goes along, so no
    place, camera or editing data does. A picture that an EXIF tag turns is written anew, upright, and a
    WebP becomes a PNG. PNG counts whole pixels per metre, so 300 DPI reads back as 299.9994.
    """
    work = _Work(on_progress, should_stop)
    dpi = _dpi(dpi)
    with source.open("rb") as file:
        kind = images.sniff(file.read(32))
    file_format: FileFormat = "JPEG" if kind == "JPEG" else "PNG"
    target = folder / _name(title, f"{dpi:g}dpi", EXTENSIONS[file_format])
    if kind == "WEBP" or _is_turned(source, kind):
        picture = _decoded(source)
        width, height = picture.size
        work.begin(height)
        box = Box(0, 0, width, height)
        profile = _write(picture, _Layout(picture.size, box, box), target, file_format, dpi, work).profile
        notes: tuple[str, ...] = (
            "A WebP holds no DPI, so this is a PNG with the same pixels."
            if kind == "WEBP"
            else "The picture was stored turned; it was written anew, upright.",
        )
    else:
        work.begin(1)
        copy = _copy_png if kind == "PNG" else _copy_jpeg
        with _new_file(target) as file:
            width, height, profile = copy(source, file, dpi, work)
        work.advance(1)
        notes = ()
    size = target.stat().st_size
    return PrintFile(
        path=target,
        format=file_format,
        width=width,
        height=height,
        dpi=dpi,
        size=size,
        profile=profile,
        notes=(*notes, *service_warnings(size, file_format)),
    )


def exact_size(
    source: Path,
    folder: Path,
    spec: PrintSpec,
    *,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """Crop (or set on white margins) and resample to the paper at its DPI, bleed included.

    The ICC profile is kept byte for byte; a picture without one is tagged sRGB. Transparency stays in PNG and
    TIFF, where the margins of contain are transparent too, and becomes white in JPEG and PDF. PNG, TIFF and
    PDF are lossless; JPEG has quality 95 and full colour resolution. A PDF has one page of exactly paper plus
    bleed, with TrimBox and BleedBox.
    """
    work = _Work(on_progress, should_stop)
    picture = _decoded(source)
    work.begin(_rows(spec, picture))
    return _print(picture, folder / file_name(title, spec), spec, work)


def print_set(
    source: Path,
    folder: Path,
    specs: Sequence[PrintSpec],
    *,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintSet:
    """One picture on many papers, as a ZIP. The files in it are not compressed a second time."""
    if not 1 <= len(specs) <= SET_LIMIT:
        raise ValueError(f"A print set has 1 to {SET_LIMIT} files. Choose the papers to make.")
    work = _Work(on_progress, should_stop)
    picture = _decoded(source)
    work.begin(sum(_rows(spec, picture) for spec in specs))
    target = folder / _name(title, "print_set", ".zip")
    files: list[PrintFile] = []
    with _new_file(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for spec, name in zip(specs, _distinct([file_name(title, spec) for spec in specs]), strict=True):
            made = _print(picture, folder / name, spec, work)
            try:
                archive.write(made.path, name)
            finally:
                made.path.unlink()
            files.append(replace(made, path=Path(name)))
        archive.writestr("manifest.csv", _manifest_csv(files))
        archive.writestr("manifest.txt", _manifest_text(title, picture.size, files))
    return PrintSet(target, target.stat().st_size, tuple(files))


def proof(
    source: Path,
    folder: Path,
    spec: PrintSpec,
    *,
    paper: Paper = PROOF_PAPER,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """The most detailed part of the final print at its true size, on a small paper, to print at home first.

    The pixels are those that `exact_size` would put there. A print smaller than the proof's paper lies in
    the middle of it. Print it at 100 %, without fitting to the page.
    """
    work = _Work(on_progress, should_stop)
    picture = _decoded(source)
    print_layout = _layout(picture, spec)
    turned = printing.turn(paper, *print_layout.size)
    layout = _most_detailed(picture, print_layout, printing.pixels_needed(turned, spec.dpi), spec)
    work.begin(layout.size[1])
    name = _name(
        title, f"{_paper_word(spec.paper)}_{spec.dpi:g}dpi_proof_{_paper_word(paper)}", EXTENSIONS[spec.format]
    )
    made = _write(picture, layout, folder / name, spec.format, spec.dpi, work, paper=paper)
    return _judged(made, picture, spec, "Print it at 100 %, without fitting to the page: then it has its true size.")


@dataclass
class _Work:
    """Counts rows, and raises Stopped between two of them."""

    on_progress: Progress | None
    should_stop: ShouldStop | None
    total: int = 0
    done: int = 0

    def begin(self, total: int) -> None:
        self.total = total
        self.advance(0)

    def advance(self, steps: int) -> None:
        self.done += steps
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)
        self.check()

    def check(self) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Stopped("The print file was stopped.")


# Geometry


@dataclass(frozen=True)
class _Layout:
    """A file of `size` pixels in which `part` of the source (its pixels, fractions allowed) fills `placed`."""

    size: tuple[int, int]
    placed: Box
    part: tuple[float, float, float, float]

    def cut(self, window: Box, size: tuple[int, int]) -> _Layout:
        """A window of this file (inside `placed`), unscaled, in the middle of another."""
        left, top, right, bottom = self.part
        across, down = (right - left) / self.placed.width, (bottom - top) / self.placed.height
        x, y = window.left - self.placed.left, window.top - self.placed.top
        part = (
            left + x * across,
            top + y * down,
            min(right, left + (x + window.width) * across),
            min(bottom, top + (y + window.height) * down),
        )
        return _Layout(size, _centred(window.width, window.height, size), part)


def _layout(picture: Image.Image, spec: PrintSpec) -> _Layout:
    plan = spec.on(*picture.size)
    if spec.fit == "crop":
        return _Layout(plan.needed, Box(0, 0, *plan.needed), plan.options[1].crop)
    scale = min(plan.needed[0] / picture.width, plan.needed[1] / picture.height)
    inner = [min(most, max(1, round(side * scale))) for side, most in zip(picture.size, plan.needed, strict=True)]
    return _Layout(plan.needed, _centred(inner[0], inner[1], plan.needed), (0, 0, *picture.size))


def _centred(width: int, height: int, size: tuple[int, int]) -> Box:
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return Box(left, top, left + width, top + height)


def _rows(spec: PrintSpec, picture: Image.Image) -> int:
    return spec.on(*picture.size).needed[1]


def _most_detailed(picture: Image.Image, layout: _Layout, size: tuple[int, int], spec: PrintSpec) -> _Layout:
    """Cut out the window of at most `size` pixels with the most contrast, bleed apart."""
    bleed = round(spec.bleed_mm / MM_PER_INCH * spec.dpi)
    area = layout.placed
    if bleed:
        area = Box(bleed, bleed, max(bleed + 1, layout.size[0] - bleed), max(bleed + 1, layout.size[1] - bleed))
    width, height = min(size[0], area.width), min(size[1], area.height)
    left, top, right, bottom = layout.part
    across, down = (right - left) / layout.placed.width, (bottom - top) / layout.placed.height

    step = max(1, max(picture.size) // 2048)
    grey = np.asarray(_flat(picture).convert("L").reduce(step), dtype=np.float32)
    contrast = np.zeros_like(grey)
    contrast[:, 1:] += np.abs(np.diff(grey, axis=1))
    contrast[1:] += np.abs(np.diff(grey, axis=0))
    summed = np.zeros((grey.shape[0] + 1, grey.shape[1] + 1))
    summed[1:, 1:] = contrast.cumsum(0, dtype=np.float64).cumsum(1)

    # Windows start on a grid: 64 places an axis are finer than an eye would choose.
    lefts = _places(area.left, area.right - width)
    tops = _places(area.top, area.bottom - height)
    x0 = _nearest((left + (lefts - layout.placed.left) * across) / step, grey.shape[1])
    x1 = _nearest((left + (lefts + width - layout.placed.left) * across) / step, grey.shape[1])
    y0 = _nearest((top + (tops - layout.placed.top) * down) / step, grey.shape[0])
    y1 = _nearest((top + (tops + height - layout.placed.top) * down) / step, grey.shape[0])
    sums = (summed[y1][:, x1] - summed[y0][:, x1]) - (summed[y1][:, x0] - summed[y0][:, x0])
    # Where several are equal (a plain picture), the one nearest to the middle.
    off_centre = np.hypot(np.linspace(-1, 1, len(tops))[:, None], np.linspace(-1, 1, len(lefts))[None])
    row, column = np.unravel_index(np.argmax(sums - 1e-9 * (sums.max() + 1) * off_centre), sums.shape)
    x, y = int(lefts[column]), int(tops[row])
    return layout.cut(Box(x, y, x + width, y + height), size)


def _places(first: int, last: int) -> np.ndarray:
    """Up to 65 whole numbers, an odd count, so that the middle is among them."""
    places: np.ndarray = np.unique(np.linspace(first, last, 65).round().astype(int))
    return places


def _nearest(places: np.ndarray, most: int) -> np.ndarray:
    nearest: np.ndarray = np.clip(np.rint(places).astype(int), 0, most)
    return nearest


# Exact size


def _print(picture: Image.Image, target: Path, spec: PrintSpec, work: _Work) -> PrintFile:
    made = _write(
        picture, _layout(picture, spec), target, spec.format, spec.dpi, work, paper=spec.paper, bleed_mm=spec.bleed_mm
    )
    return _judged(made, picture, spec)


def _judged(made: PrintFile, picture: Image.Image, spec: PrintSpec, *notes: str) -> PrintFile:
    option = spec.on(*picture.size).options[1]
    if not option.enough:
        quality = f"{option.dpi_shown} DPI on this paper ({option.grade.word}, {option.grade.in_words})"
        notes = (*notes, f"The picture itself has {quality}; {spec.dpi:g} DPI in the file add no detail.")
    return replace(
        made,
        spec=spec,
        effective_dpi=option.dpi,
        grade=option.grade.word,
        crop=option.crop,
        notes=(*notes, *made.notes),
    )


def _write(
    picture: Image.Image,
    layout: _Layout,
    target: Path,
    file_format: FileFormat,
    dpi: float,
    work: _Work,
    *,
    paper: Paper | None = None,
    bleed_mm: float = 0,
) -> PrintFile:
    """`picture` is L, LA, RGB or RGBA. A PDF needs the paper, and the bleed that the layout includes."""
    ready, profile = _coloured(picture if file_format in ("PNG", "TIFF") else _flat(picture))
    sheet = _Sheet(layout.size, ready.mode, ready.info["icc_profile"], dpi)
    bands = _bands(ready, layout, work)
    with _new_file(target) as file:
        if file_format == "PNG":
            _write_png(file, bands, sheet)
        elif file_format == "TIFF":
            _write_tiff(file, bands, sheet)
        elif file_format == "JPEG":
            _write_jpeg(file, bands, sheet)
        else:
            assert paper is not None  # noqa: S101 - for the type checker: whoever asks for a PDF has a paper
            _write_pdf(file, bands, sheet, printing.turn(paper, *layout.size), bleed_mm)
    size = target.stat().st_size
    return PrintFile(
        path=target,
        format=file_format,
        width=layout.size[0],
        height=layout.size[1],
        dpi=dpi,
        size=size,
        profile=profile,
        notes=service_warnings(size, file_format),
    )


@dataclass(frozen=True)
class _Sheet:
    """What a file says about its pixels, which are 8 bits deep in each channel of `mode`."""

    size: tuple[int, int]
    mode: str
    icc: bytes
    dpi: float


def _coloured(picture: Image.Image) -> tuple[Image.Image, _Profile]:
    """With a profile in `info`: its own, or sRGB (which describes RGB only, so grey becomes RGB)."""
    if picture.info.get("icc_profile"):
        return picture, "source"
    coloured = picture.convert({"L": "RGB", "LA": "RGBA"}.get(picture.mode, picture.mode))
    coloured.info = {"icc_profile": _srgb()}
    return coloured, "sRGB"


def _flat(picture: Image.Image) -> Image.Image:
    """On white, without transparency."""
    if picture.mode not in ("LA", "RGBA"):
        return picture
    flat = Image.new(picture.mode[:-1], picture.size, "white")
    flat.paste(picture.convert(flat.mode), mask=picture.getchannel("A"))
    flat.info = dict(picture.info)
    return flat


def _bands(picture: Image.Image, layout: _Layout, work: _Work) -> Iterator[Image.Image]:
    """The file's pixels from top to bottom, as pictures of its full width."""
    width, height = layout.size
    placed = layout.placed
    left, top, right, bottom = layout.part
    # Pillow would weigh colours by their transparency itself, but over the whole picture in each call.
    weighed = {"LA": "La", "RGBA": "RGBa"}.get(picture.mode, picture.mode)
    source = picture if weighed == picture.mode else picture.convert(weighed)
    margins: dict[str, float | tuple[float, ...]] = {
        "L": 255,
        "RGB": (255,) * 3,
        "LA": (255, 0),
        "RGBA": (255, 255, 255, 0),
    }
    margin = margins[picture.mode]
    rows = max(1, _BAND_PIXELS // width)
    for start in range(0, height, rows):
        end = min(height, start + rows)
        first, last = max(start, placed.top), min(end, placed.bottom)
        whole = placed.width == width and (first, last) == (start, end)
        band = None if whole else Image.new(picture.mode, (width, end - start), margin)
        if first < last:
            part = (
                left,
                top + (bottom - top) * ((first - placed.top) / placed.height),
                right,
                top + (bottom - top) * ((last - placed.top) / placed.height),
            )
            resized = source.resize((placed.width, last - first), Image.Resampling.LANCZOS, box=part)
            if weighed != picture.mode:
                resized = resized.convert(picture.mode)
            if band is None:
                band = resized
            else:
                band.paste(resized, (placed.left, first - start))
        assert band is not None  # noqa: S101 - for the type checker: a whole band always has rows to resize
        yield band
        work.advance(end - start)


def _write_png(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet) -> None:
    colour = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[sheet.mode]
    file.write(_PNG_SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", *sheet.size, 8, colour, 0, 0, 0))
    _write_chunk(file, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(sheet.icc))
    _write_chunk(file, b"pHYs", _png_density(sheet.dpi))
    for piece in _deflated(bands):
        _write_chunk(file, b"IDAT", piece)
    _write_chunk(file, b"IEND", b"")


def _deflated(bands: Iterator[Image.Image]) -> Iterator[bytes]:
    """Rows as PNG and PDF store them: each predicted from its neighbours by Paeth's filter, then deflated.

    Runs and Huffman codes only (Z_RLE): for filtered photographs that is both faster and smaller than
    searching for repetitions.
    """
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    above: np.ndarray | None = None
    for band in bands:
        array = np.asarray(band)
        rows = array.reshape(array.shape[0], -1).astype(np.int16)
        channels = len(band.getbands())
        filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 4
        filtered[:, 1:] = _paeth(rows, np.zeros_like(rows[0]) if above is None else above, channels)
        above = rows[-1]
        yield deflate.compress(filtered.data)
    yield deflate.flush()


def _paeth(rows: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    """What is left of int16 rows after the prediction of the PNG specification (filter type 4)."""
    b = np.vstack([above[np.newaxis], rows[:-1]])
    a, c = np.zeros_like(rows), np.zeros_like(rows)
    a[:, channels:] = rows[:, :-channels]
    c[:, channels:] = b[:, :-channels]
    to_a, to_b = np.abs(b - c), np.abs(a - c)
    to_c = np.abs(a + b - 2 * c)
    predicted = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    return (rows - predicted).astype(np.uint8)


def _write_tiff(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet) -> None:
    """Every band becomes one LZW strip; Pillow makes the strip, and the directory follows at the end."""
    file.write(b"II*\x00\x00\x00\x00\x00")
    offsets, counts, rows_per_strip = [], [], 0
    for band in bands:
        rows_per_strip = rows_per_strip or band.height
        alone = io.BytesIO()
        band.save(
            alone, "TIFF", compression="tiff_lzw", tiffinfo={_TIFF_PREDICTOR: 2, _TIFF_ROWS_PER_STRIP: band.height}
        )
        alone.seek(0)
        with Image.open(alone, formats=("TIFF",)) as strip:
            assert isinstance(strip, TiffImagePlugin.TiffImageFile)  # noqa: S101 - for the type checker
            (offset,), (count,) = strip.tag_v2[_TIFF_OFFSETS], strip.tag_v2[_TIFF_COUNTS]
        offsets.append(file.tell())
        counts.append(count)
        file.write(alone.getbuffer()[offset : offset + count])
        file.write(b"\x00" * (count % 2))  # offsets are even

    at = file.tell()
    resolution = round(sheet.dpi * 1000), 1000
    file.write(
        _tiff_directory(
            at,
            (256, "I", sheet.size[:1]),
            (257, "I", sheet.size[1:]),
            (258, "H", (8,) * len(sheet.mode)),
            (259, "H", (5,)),  # LZW
            (262, "H", (2 if sheet.mode.startswith("RGB") else 1,)),
            (_TIFF_OFFSETS, "I", offsets),
            (277, "H", (len(sheet.mode),)),
            (_TIFF_ROWS_PER_STRIP, "I", (rows_per_strip,)),
            (_TIFF_COUNTS, "I", counts),
            (282, "Q", resolution),
            (283, "Q", resolution),
            (284, "H", (1,)),  # the channels of a pixel lie together
            (296, "H", (2,)),  # inches
            (_TIFF_PREDICTOR, "H", (2,)),
            *([(338, "H", (2,))] if sheet.mode.endswith("A") else []),  # colours not multiplied with the alpha
            (34675, "B", sheet.icc),
        )
    )
    file.seek(4)
    file.write(struct.pack("<I", at))


_TIFF_OFFSETS, _TIFF_ROWS_PER_STRIP, _TIFF_COUNTS, _TIFF_PREDICTOR = 273, 278, 279, 317
_TIFF_TYPES = {"H": (3, "H", 1), "I": (4, "I", 1), "Q": (5, "I", 2), "B": (7, "B", 1)}
"""SHORT, LONG, RATIONAL (two numbers each) and UNDEFINED: number of the type, how to pack it, numbers per value."""


def _tiff_directory(at: int, *entries: tuple[int, str, Sequence[int]]) -> bytes:
    """Little-endian, to be written at this offset; values longer than four bytes follow it. Entries go up by tag."""
    head = struct.pack("<H", len(entries))
    values = b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, numbers in entries:
        type_number, code, per_value = _TIFF_TYPES[kind]
        packed = struct.pack(f"<{len(numbers)}{code}", *numbers)
        head += struct.pack("<HHI", tag, type_number, len(numbers) // per_value)
        if len(packed) <= 4:
            head += packed.ljust(4, b"\x00")
        else:
            head += struct.pack("<I", values_at + len(values))
            values += packed + b"\x00" * (len(packed) % 2)
    return head + struct.pack("<I", 0) + values


def _write_jpeg(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet) -> None:
    whole = Image.new(sheet.mode, sheet.size)
    top = 0
    for band in bands:
        whole.paste(band, (0, top))
        top += band.height
    density = round(sheet.dpi)
    whole.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, dpi=(density, density), icc_profile=sheet.icc)


def _write_pdf(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet, paper: Paper, bleed_mm: float) -> None:
    """One page with one lossless picture from edge to edge, its boxes set for the trim."""
    colours = NumberObject(len(sheet.mode))
    writer = PdfWriter()
    profile = StreamObject()
    profile.set_data(sheet.icc)
    profile.update({NameObject("/N"): colours})
    picture = StreamObject()
    picture.set_data(b"".join(_deflated(bands)))
    picture.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(sheet.size[0]),
            NameObject("/Height"): NumberObject(sheet.size[1]),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/ColorSpace"): ArrayObject([NameObject("/ICCBased"), writer._add_object(profile)]),
            NameObject("/Filter"): NameObject("/FlateDecode"),
            NameObject("/DecodeParms"): DictionaryObject(
                {
                    NameObject("/Predictor"): NumberObject(15),
                    NameObject("/Colors"): colours,
                    NameObject("/BitsPerComponent"): NumberObject(8),
                    NameObject("/Columns"): NumberObject(sheet.size[0]),
                }
            ),
        }
    )
    bleed = bleed_mm / MM_PER_INCH * POINTS_PER_INCH
    across, down = paper.size.width_in * POINTS_PER_INCH + 2 * bleed, paper.size.height_in * POINTS_PER_INCH + 2 * bleed
    drawing = StreamObject()
    drawing.set_data(f"{across:.4f} 0 0 {down:.4f} 0 0 cm /Picture Do".encode())
    page = writer.add_blank_page(across, down)
    page.bleedbox = RectangleObject((0, 0, across, down))
    page.trimbox = RectangleObject((bleed, bleed, across - bleed, down - bleed))
    page[NameObject("/Contents")] = writer._add_object(drawing)
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/Picture"): writer._add_object(picture)})}
    )
    writer.write(file)


@cache
def _srgb() -> bytes:
    """The sRGB profile that comes with Little CMS, with a fixed date, so that equal work makes equal files."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(made)


# Sources


def _decoded(source: Path) -> Image.Image:
    """Upright, 8 bits, L, LA, RGB or RGBA; without the alpha channel when nothing is transparent."""
    picture = images._decoded(source, MAX_PIXELS)
    if picture.mode in ("LA", "RGBA") and picture.getchannel("A").getextrema() == (255, 255):
        opaque = picture.convert(picture.mode[:-1])
        opaque.info = dict(picture.info)
        return opaque
    return picture


def _is_turned(source: Path, kind: images.FormatName) -> bool:
    """Whether a tag says that the picture is to be turned or mirrored before it is shown."""
    if kind == "PNG":
        # Pillow decodes a whole PNG to find this out, so it is only asked when there is something to find.
        with source.open("rb") as file:
            if not any(_may_turn(file, each) for each in _png_chunks(file)):
                return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks about odd metadata, which is not copied anyway
        with Image.open(source, formats=(kind,)) as image:
            return image.getexif().get(_EXIF_ORIENTATION, 1) in range(2, 9)


_EXIF_ORIENTATION = 0x0112


# PNG, chunk by chunk

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD")
)
_PNG_COLOURS = frozenset((b"gAMA", b"cHRM", b"sRGB", b"iCCP"))
_PNG_DAMAGED = "The PNG is damaged or cut short. Save or download it again and try once more."


@dataclass(frozen=True)
class _Chunk:
    """`at` is where its data begin in the file."""

    kind: bytes
    at: int
    length: int


def _png_chunks(file: BinaryIO) -> Iterator[_Chunk]:
    """Every chunk up to IEND. The file may be read and moved between two of them."""
    at = len(_PNG_SIGNATURE)
    while True:
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            raise PictureRefused(_PNG_DAMAGED)
        length, kind = struct.unpack(">I4s", header)
        yield _Chunk(kind, at + 8, length)
        if kind == b"IEND":
            return
        at += 12 + length


def _may_turn(file: BinaryIO, chunk: _Chunk) -> bool:
    if chunk.kind == b"eXIf":
        return True
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return False
    file.seek(chunk.at)
    return file.read(min(chunk.length, 32)).startswith((b"Raw profile type", b"XML:com.adobe.xmp"))


def _copy_png(source: Path, target: BinaryIO, dpi: float, work: _Work) -> tuple[int, int, _Profile]:
    width = height = 0
    coloured: _Profile | None = None
    with source.open("rb") as file:
        target.write(_PNG_SIGNATURE)
        for chunk in _png_chunks(file):
            if chunk.kind not in _PNG_KEPT:
                continue
            work.check()
            if chunk.kind in _PNG_COLOURS:
                coloured = "source"
            elif chunk.kind in (b"PLTE", b"IDAT") and coloured is None:
                _write_chunk(target, b"sRGB", b"\x00")
                coloured = "sRGB"
            if chunk.kind == b"IHDR":
                file.seek(chunk.at)
                width, height = struct.unpack(">II", file.read(8))
            _copy_chunk(file, target, chunk)
            if chunk.kind == b"IHDR":
                _write_chunk(target, b"pHYs", _png_density(dpi))
    if not width or coloured is None:
        raise PictureRefused(_PNG_DAMAGED)
    return width, height, coloured


def _copy_chunk(source: BinaryIO, target: BinaryIO, chunk: _Chunk) -> None:
    """Byte for byte, and only when its checksum is right."""
    target.write(struct.pack(">I", chunk.length))
    source.seek(chunk.at - 4)
    checksum, left = 0, chunk.length + 4
    while left:
        piece = source.read(min(left, _PIECE))
        if not piece:
            raise PictureRefused(_PNG_DAMAGED)
        checksum = zlib.crc32(piece, checksum)
        target.write(piece)
        left -= len(piece)
    said = source.read(4)
    if said != struct.pack(">I", checksum):
        raise PictureRefused(_PNG_DAMAGED)
    target.write(said)


def _write_chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))


def _png_density(dpi: float) -> bytes:
    per_metre = round(dpi / MM_PER_INCH * 1000)
    return struct.pack(">IIB", per_metre, per_metre, 1)


# JPEG, segment by segment

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DHT, _DAC, _SOI, _EOI, _SOS, _DQT, _DNL, _DRI = 0xC4, 0xCC, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_JPEG_KEPT = _SOF | {_DHT, _DAC, _SOS, _DQT, _DNL, _DRI}
_ICC_MARK = b"ICC_PROFILE\x00"
_ADOBE_LENGTH = 12
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_JPEG_DAMAGED = "The JPEG is damaged or cut short. Save or download it again and try once more."


@dataclass(frozen=True)
class _Segment:
    """`data` is what follows the length; `scan` the coded pixels that follow a start of scan."""

    marker: int
    data: bytes
    scan: bytes = b""


def _jpeg_segments(jpeg: bytes) -> Iterator[_Segment]:
    """Every segment up to the end of the picture; what some cameras add behind it is left alone."""
    at = 2
    while at < len(jpeg):
        if jpeg[at] != 0xFF:
            raise PictureRefused(_JPEG_DAMAGED)
        while jpeg[at : at + 1] == b"\xff":
            at += 1
        marker = jpeg[at : at + 1]
        if not marker or marker[0] == _EOI:
            return
        at += 1
        if marker[0] == 0x01 or 0xD0 <= marker[0] <= _SOI:  # these stand alone
            continue
        length = int.from_bytes(jpeg[at : at + 2], "big")
        end = at + length
        if length < 2 or end > len(jpeg):
            raise PictureRefused(_JPEG_DAMAGED)
        data = jpeg[at + 2 : end]
        at = end
        if marker[0] == _SOS:
            found = _NEXT_MARKER.search(jpeg, end)
            at = found.start() if found else len(jpeg)
        yield _Segment(marker[0], data, jpeg[end:at])


def _copy_jpeg(source: Path, target: BinaryIO, dpi: float, work: _Work) -> tuple[int, int, _Profile]:
    segments = list(_jpeg_segments(source.read_bytes()))
    work.check()
    frame = next((each.data for each in segments if each.marker in _SOF and len(each.data) >= 6), None)
    if frame is None or not any(each.marker == _SOS for each in segments):
        raise PictureRefused(_JPEG_DAMAGED)
    height, width, components = struct.unpack(">HHB", frame[1:6])
    profiles = [each for each in segments if each.marker == _APP2 and each.data.startswith(_ICC_MARK)]
    adobe = [each for each in segments if each.marker == _APP14 and each.data.startswith(b"Adobe")][:1]
    is_jfif = any(each.marker == _APP0 and each.data.startswith(b"JFIF\x00") for each in segments)
    described: _Profile = "source"
    if not profiles:
        described = "sRGB" if components == 3 else "none"
        profiles = [_Segment(_APP2, _ICC_MARK + b"\x01\x01" + _srgb())] if components == 3 else []

    out = [_density_segment(dpi, jfif=is_jfif or _is_plain(frame, adobe))]
    out += profiles
    out += [_Segment(_APP14, each.data[:_ADOBE_LENGTH]) for each in adobe]
    out += [each for each in segments if each.marker in _JPEG_KEPT]
    target.write(bytes((0xFF, _SOI)))
    target.writelines(_marked(each) for each in out)
    target.write(bytes((0xFF, _EOI)))
    return width, height, described


def _marked(segment: _Segment) -> bytes:
    return struct.pack(">BBH", 0xFF, segment.marker, len(segment.data) + 2) + segment.data + segment.scan


def _is_plain(frame: bytes, adobe: Sequence[_Segment]) -> bool:
    """Whether the colours mean the same below a JFIF header, which says grey or YCbCr."""
    components = frame[5]
    if components == 1:
        return True
    if components != 3:
        return False
    if adobe:
        return adobe[0].data[_ADOBE_LENGTH - 1 : _ADOBE_LENGTH] == b"\x01"
    return bytes(frame[6:15:3]) != b"RGB"


def _density_segment(dpi: float, *, jfif: bool) -> _Segment:
    """The DPI in a JFIF header, or in an EXIF one that holds nothing else."""
    if jfif:
        return _Segment(_APP0, struct.pack(">5sHBHHBB", b"JFIF", 0x0101, 1, round(dpi), round(dpi), 0, 0))
    entries = (
        struct.pack(">HHII", 0x011A, 5, 1, 50),  # XResolution, at 50
        struct.pack(">HHII", 0x011B, 5, 1, 58),  # YResolution, at 58
        struct.pack(">HHIHH", 0x0128, 3, 1, 2, 0),  # ResolutionUnit: inches
    )
    resolution = struct.pack(">II", round(dpi * 1000), 1000)
    return _Segment(
        _APP1,
        b"Exif\x00\x00MM\x00*"
        + struct.pack(">IH", 8, len(entries))
        + b"".join(entries)
        + struct.pack(">I", 0)
        + resolution * 2,
    )


# Names and manifests


def _name(title: str, rest: str, extension: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    room = max(8, NAME_LIMIT - len(rest) - len(extension) - 4)  # an underscore, and `-30` where names collide
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:room].strip("-") or "picture"
    return f"{stem}_{rest}{extension}"


def _paper_word(paper: Paper) -> str:
    """`A3`, `8x10`, and `30x40cm` for a custom size."""
    return re.sub(r"[^A-Za-z0-9.x]+", "", paper.name.replace("×", "x")) or "paper"


def _distinct(names: Sequence[str]) -> list[str]:
    """The same names, numbered from the second equal one on."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        stem, dot, extension = name.rpartition(".")
        out.append(name if seen[name] == 1 else f"{stem}-{seen[name]}{dot}{extension}")
    return out


def _manifest_row(made: PrintFile) -> dict[str, str]:
    spec, crop = made.spec, made.crop
    assert spec is not None and crop is not None and made.effective_dpi is not None  # noqa: S101, PT018 - files of a set have a paper
    return {
        "file": made.path.name,
        "paper": spec.paper.label,
        "width_px": str(made.width),
        "height_px": str(made.height),
        "dpi": f"{spec.dpi:g}",
        "effective_dpi": f"{math.floor(made.effective_dpi * 10) / 10:.1f}",
        "grade": made.grade or "",
        "fit": spec.fit,
        "crop_left_top_right_bottom_px": " ".join(map(str, crop)),
        "bleed_mm": f"{spec.bleed_mm:g}",
        "profile": made.profile,
        "bytes": str(made.size),
        "notes": " ".join(made.notes),
    }


def _manifest_csv(files: Sequence[PrintFile]) -> str:
    rows = [_manifest_row(made) for made in files]
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, rows[0])
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _manifest_text(title: str, size: tuple[int, int], files: Sequence[PrintFile]) -> str:
    shown = " ".join("".join(each if each.isprintable() else " " for each in title[:200]).split()) or "picture"
    lines = [f"Print set of {shown}, a picture of {size[0]} × {size[1]} px", ""]
    for made in files:
        row = _manifest_row(made)
        bleed = f", bleed {row['bleed_mm']} mm on each side" if row["bleed_mm"] != "0" else ""
        lines += [
            row["file"],
            f"  {row['paper']}{bleed}: {made.width} × {made.height} px at {row['dpi']} DPI, {made.size / 1e6:.1f} MB",
            f"  the picture's own {row['effective_dpi']} DPI: {row['grade']}; {row['fit']}; "
            + ("its own colour profile" if made.profile == "source" else "sRGB"),
            *(f"  {note}" for note in made.notes),
            "",
        ]
    return "\n".join(lines)


# Checks and files


def _check_format(file_format: object) -> None:
    if file_format not in get_args(FileFormat):
        raise ValueError("The format must be PNG, TIFF, JPEG or PDF.")


def _dpi(dpi: float) -> float:
    printing.print_size(1, 1, dpi)  # raises the sentence for a DPI that cannot be used
    return float(dpi)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is complete, or not at all."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# In the background


class PrintJob(Generic[T]):
    """Work that runs in another process, to be polled from any thread.

    The worker writes how far it is into a small hidden file beside its results; when that file is removed
    the worker stops at the next band of rows. Both sides only ever open, read and remove it, so this works
    for every executor whose workers share a disk with the caller.
    """

    def __init__(self, future: Future[T], progress_file: Path) -> None:
        self.future = future
        self._progress_file = progress_file
        future.add_done_callback(lambda _: progress_file.unlink(missing_ok=True))

    @property
    def done(self) -> bool:
        """Finished, failed or stopped: `result` answers at once."""
        return self.future.done()

    @property
    def progress(self) -> float:
        """From 0 to 1; 1 once it is done, whatever came of it."""
        try:
            return min(1.0, max(0.0, float(self._progress_file.read_text(encoding="ascii"))))
        except (OSError, ValueError):
            return 1.0 if self.done else 0.0

    def stop(self) -> None:
        """Ask the work to end; `result` then raises Stopped. Does nothing to work that is done."""
        self._progress_file.unlink(missing_ok=True)

    def result(self, timeout: float | None = None) -> T:
        """What the function returned; raises what it raised, or TimeoutError after `timeout` seconds."""
        return self.future.result(timeout)


def start(
    workers: Executor,
    work: Callable[Concatenate[Path, Path, P], T],
    source: Path,
    folder: Path,
    *args: P.args,
    **kwargs: P.kwargs,
) -> PrintJob[T]:
    """Run `retag`, `exact_size`, `print_set` or `proof` in a worker process, without waiting for it.

    `start(workers, exact_size, source, folder, spec, title="fjord")`. The folder has to exist and stays the
    caller's; nothing but finished files is left in it.
    """
    progress_file = folder / f".{uuid.uuid4().hex}.progress"
    progress_file.write_text("0.0000", encoding="ascii")
    try:
        future = workers.submit(_work_in_background, work, progress_file, source, folder, args, kwargs)
    except BaseException:
        progress_file.unlink(missing_ok=True)
        raise
    return PrintJob(future, progress_file)


def _work_in_background(
    work: Callable[..., T],
    progress_file: Path,
    source: Path,
    folder: Path,
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> T:
    def report(done: int, total: int) -> None:
        # Opened without creating it: a file that is gone is the order to stop. Always six bytes, so that a
        # reader never sees an old number's tail behind a new one.
        try:
            with progress_file.open("r+b") as file:
                file.write(f"{done / total:.4f}".encode())
        except FileNotFoundError:
            raise Stopped("The print file was stopped.") from None

    try:
        return work(source, folder, *args, on_progress=report, should_stop=lambda: not progress_file.exists(), **kwargs)
    finally:
        progress_file.unlink(missing_ok=True)
