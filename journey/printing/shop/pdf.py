"""PDF, written from front to back: pages of an exact size, each with one lossless picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from PIL import Image

from journey.printing import MM_PER_INCH
from journey.printing.shop.sheet import Sheet, deflated

POINTS_PER_INCH = 72
"""PDF measures in points."""
MAX_SIDE_UNITS = 14_400
"""Acrobat shows no page with a longer side (PDF Reference 1.7, appendix C). A unit is a point or, in UserUnit, more."""

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right and top in points, from the lower left corner of the page."""

_CATALOG, _PAGES = 1, 2


class Document:
    """Objects are numbered and written as they come, so that no picture is ever held. `close` makes it complete."""

    def __init__(self, file: BinaryIO, icc: bytes) -> None:
        """`icc` is the profile of its pictures, which decides the version of the format."""
        self._file = file
        # The two objects that know all pages are written last.
        self._offsets = {_CATALOG: 0, _PAGES: 0}
        self._pages: list[int] = []
        # Version 1.6 brought UserUnit, and 1.7 profiles of ICC 4.2 (ISO 32000-1, 8.6.5.5). The second line tells
        # programs that the file is not text.
        version = b"1.7" if icc[8:10] >= b"\x04\x20" else b"1.6"
        file.write(b"%PDF-" + version + b"\n%\xe2\xe3\xcf\xd3\n")

    def add(self, value: str, *, number: int | None = None) -> int:
        """Write an object, and return its number."""
        number = self._begin(number)
        self._file.write(f"{value}\nendobj\n".encode("latin-1"))
        return number

    def add_stream(self, entries: str, pieces: Iterable[bytes]) -> int:
        """Write an object of bytes whose length is known only afterwards."""
        number = self._begin()
        self._file.write(f"<< {entries} /Length {number + 1} 0 R >>\nstream\n".encode("latin-1"))
        start = self._file.tell()
        self._file.writelines(pieces)
        length = self._file.tell() - start
        self._file.write(b"\nendstream\nendobj\n")
        self.add(str(length))
        return number

    def add_profile(self, icc: bytes, channels: int) -> int:
        return self.add_stream(f"/N {channels}", [icc])

    def add_picture(self, bands: Iterator[Image.Image], size: tuple[int, int], channels: int, profile: int) -> int:
        """Write a picture of 8 bits per channel without loss."""
        width, height = size
        return self.add_stream(
            f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8 "
            f"/ColorSpace [/ICCBased {profile} 0 R] /Filter /FlateDecode "
            f"/DecodeParms << /Predictor 15 /Colors {channels} /BitsPerComponent 8 /Columns {width} >>",
            deflated(bands),
        )

    def add_page(
        self, size: tuple[float, float], boxes: Mapping[str, Rectangle], picture: int, at: Rectangle, marks: str = ""
    ) -> None:
        """Add a page of this size in points with a picture, and with `marks`, which are PDF operators.

        Marks may use the font /F, which is Helvetica. A page that is too long for Acrobat is measured in larger units.
        """
        unit = user_unit(size)
        left, bottom, right, top = at
        drawn = f"q {right - left:.4f} 0 0 {top - bottom:.4f} {left:.4f} {bottom:.4f} cm /Picture Do Q"
        scale = f"{1 / unit:g} 0 0 {1 / unit:g} 0 0 cm\n" if unit > 1 else ""
        contents = self.add_stream("", [f"{scale}{drawn}\n{marks}".encode("latin-1")])
        all_boxes = {"MediaBox": (0.0, 0.0, *size), **boxes}
        entries = [f"/{name} [{' '.join(f'{each / unit:.6f}' for each in box)}]" for name, box in all_boxes.items()]
        if unit > 1:
            entries.append(f"/UserUnit {unit}")
        font = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >>"
        self._pages.append(
            self.add(
                f"<< /Type /Page /Parent {_PAGES} 0 R {' '.join(entries)} /Contents {contents} 0 R "
                f"/Resources << /XObject << /Picture {picture} 0 R >> {font if marks else ''} >> >>"
            )
        )

    def close(self) -> None:
        """Write what leads to the pages and to all objects. The file stays open."""
        kids = " ".join(f"{page} 0 R" for page in self._pages)
        self.add(f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>", number=_PAGES)
        self.add(f"<< /Type /Catalog /Pages {_PAGES} 0 R >>", number=_CATALOG)
        at = self._file.tell()
        count = len(self._offsets) + 1
        # A line of the table has exactly 20 bytes.
        lines = [f"xref\n0 {count}\n", "0000000000 65535 f \n"]
        lines += [f"{self._offsets[number]:010d} 00000 n \n" for number in range(1, count)]
        lines.append(f"trailer\n<< /Size {count} /Root {_CATALOG} 0 R >>\nstartxref\n{at}\n%%EOF\n")
        self._file.write("".join(lines).encode("ascii"))

    def _begin(self, number: int | None = None) -> int:
        number = number or len(self._offsets) + 1
        self._offsets[number] = self._file.tell()
        self._file.write(f"{number} 0 obj\n".encode("ascii"))
        return number


def write_pdf(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
    """One page with one lossless picture from edge to edge, its boxes set for the trim."""
    across, down = page_size(sheet)
    bleed = points(sheet.bleed_mm)
    channels = len(sheet.mode)
    document = Document(file, sheet.icc)
    picture = document.add_picture(bands, sheet.size, channels, document.add_profile(sheet.icc, channels))
    whole = (0.0, 0.0, across, down)
    boxes = {"BleedBox": whole, "TrimBox": (bleed, bleed, across - bleed, down - bleed)}
    document.add_page((across, down), boxes, picture, whole)
    document.close()


def page_size(sheet: Sheet) -> tuple[float, float]:
    """Width and height in points of the page that holds this: the paper, and the bleed on every side."""
    trim = sheet.trim
    assert trim is not None  # noqa: S101 - for the type checker: a PDF always has a paper
    bleed = points(sheet.bleed_mm)
    return trim.size.width_in * POINTS_PER_INCH + 2 * bleed, trim.size.height_in * POINTS_PER_INCH + 2 * bleed


def page_notes(sheet: Sheet) -> tuple[str, ...]:
    """A sentence about a page that is measured in larger units, else nothing."""
    unit = user_unit(page_size(sheet))
    if unit == 1:
        return ()
    longer = f"The page is longer than 5 m, so the PDF counts in units of {unit} points (UserUnit)."
    return (f"{longer} A program that does not know this shows it at 1:{unit}.",)


def user_unit(size: tuple[float, float]) -> int:
    """How many points a unit of a page of this size in points has: 1, or 10 and more where it is too long.

    Powers of ten, because what does not know UserUnit then shows the page at 1:10, as large prints are often drawn.
    """
    unit = 1
    while max(size) / unit > MAX_SIDE_UNITS:
        unit *= 10
    return unit


def points(mm: float) -> float:
    """Millimetres in points."""
    return mm / MM_PER_INCH * POINTS_PER_INCH
