"""Large prints: banners beyond the pages that Acrobat shows, JPEGs written in pieces, and panels put together again."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PageObject, PdfReader

from journey.printing import PAPERS, Cut, Fit, Paper, custom_paper
from journey.printing.shop import FORMATS, FileFormat, PrintFile, PrintSpec, exact_size, panels

A4 = PAPERS["A4"]
BANNER = custom_paper(6000, 2000, "mm")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Colour noise, so that each part of it can be told from every other."""
    rough = np.random.default_rng(1).integers(0, 256, (120, 105, 3), dtype=np.uint8)
    Image.fromarray(rough).save(tmp_path / "s.png")
    return tmp_path / "s.png"


def boxes_in_mm(page: PageObject) -> dict[str, list[float]]:
    per_mm = 72 / 25.4 / float(page.user_unit)
    return {
        "media": [float(each) / per_mm for each in page.mediabox],
        "bleed": [float(each) / per_mm for each in page.bleedbox],
        "trim": [float(each) / per_mm for each in page.trimbox],
    }


def page_pictures(made: PrintFile) -> list[np.ndarray]:
    """The picture of each page, decoded by pypdf."""
    found = []
    for page in PdfReader(made.path, strict=True).pages:
        (embedded,) = page.images
        with Image.open(io.BytesIO(embedded.data)) as image:
            found.append(np.asarray(image))
    return found


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(("paper", "dpi", "size"), [(PAPERS["A0"], 300, (9933, 14043)), (BANNER, 100, (23622, 7874))])
def test_an_a0_and_a_banner_can_be_made(
    file_format: FileFormat, paper: Paper, dpi: float, size: tuple[int, int]
) -> None:
    """An A0 at 300 DPI and a banner of 6 × 2 m at 100 DPI are within the limits in every format."""
    assert size == PrintSpec(paper, dpi, file_format).on(*size).needed


@pytest.mark.parametrize(
    ("paper", "bleed_mm", "unit"),
    [
        (BANNER, 0, 10),
        (BANNER, 10, 10),
        (custom_paper(100, 60_000, "mm"), 0, 100),
        (custom_paper(200, 1, "in"), 0, 1),  # 14,400 points: the longest page in points
        (PAPERS["A0"], 3, 1),
    ],
)
def test_no_page_is_too_long_for_acrobat(
    tmp_path: Path, picture: Path, paper: Paper, bleed_mm: float, unit: int
) -> None:
    """A page beyond 14,400 points is measured in larger units; its boxes are the paper and the bleed all the same."""
    spec = PrintSpec(paper, 3, "PDF", bleed_mm=bleed_mm)
    made = exact_size(picture, tmp_path, spec)
    reader = PdfReader(made.path, strict=True)
    (page,) = reader.pages
    assert unit == page.user_unit
    assert "%PDF-1.6" == reader.pdf_header
    assert max(float(side) for side in page.mediabox) <= 14_400
    across, down = sorted(side * 25.4 for side in (spec.paper.size.width_in, spec.paper.size.height_in))
    boxes = boxes_in_mm(page)
    trim = boxes["trim"]
    assert [across, down] == pytest.approx(sorted((trim[2] - trim[0], trim[3] - trim[1])), abs=0.01)
    assert [bleed_mm, bleed_mm] == pytest.approx(trim[:2], abs=0.001)
    assert boxes["media"] == boxes["bleed"]
    assert [0, 0, trim[2] + bleed_mm, trim[3] + bleed_mm] == pytest.approx(boxes["media"], abs=0.001)
    assert (unit > 1) == any(f"1:{unit}" in note for note in made.notes)


def test_the_picture_of_a_banner_fills_its_page(tmp_path: Path, picture: Path) -> None:
    """What is drawn is scaled to the larger unit as well, so that the picture reaches all four edges."""
    made = exact_size(picture, tmp_path, PrintSpec(BANNER, 5, "PDF"))
    (page,) = PdfReader(made.path).pages
    operators = page.get_contents().get_data().decode()  # type: ignore[union-attr]
    outer, inner = (list(map(float, each.split())) for each in re.findall(r"((?:[\d.]+ ){6})cm", operators))
    assert [float(page.mediabox.width), float(page.mediabox.height)] == pytest.approx(
        [outer[0] * inner[0], outer[3] * inner[3]], abs=0.001
    )


def test_a_jpeg_that_few_could_read_is_refused() -> None:
    """65,500 px a side is as much as programs read of a JPEG; more is refused before any work, with what to do."""
    assert PrintSpec(custom_paper(655, 1, "in"), 100, "JPEG")
    with pytest.raises(ValueError, match=r"would have 65,501\. Choose TIFF, PNG or PDF"):
        PrintSpec(custom_paper(655.01, 1, "in"), 100, "JPEG")


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(700, 3), (333, 64), (1500, 1601)])
def test_a_jpeg_in_pieces_is_the_jpeg_made_at_once(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    """Pieces joined by restart markers decode to the pixels that Pillow stores in one go, whatever the height."""
    icc = b"\0" * 16 + b"GRAY" + b"\0" * 108 if mode == "L" else None
    rough = np.random.default_rng(2).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    whole = Image.fromarray(rough).convert(mode)
    whole.save(tmp_path / "s.png", icc_profile=icc)
    made = exact_size(tmp_path / "s.png", tmp_path, PrintSpec(custom_paper(*size, "in"), 1, "JPEG"))
    at_once = io.BytesIO()
    whole.save(at_once, "JPEG", quality=95, subsampling=0)
    with Image.open(at_once) as image:
        assert np.array_equal(np.asarray(image.convert("RGB")), pixels_rgb(made.path))


def pixels_rgb(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("fit", ["crop", "contain"])
def test_panels_put_together_are_the_large_print(tmp_path: Path, picture: Path, fit: Fit) -> None:
    """12 sheets of A4 with 10 mm overlap: their pictures, read out of the PDF, are the print pixel for pixel."""
    spec = PrintSpec(custom_paper(700, 800, "mm"), 30, "PNG", fit=fit)
    whole = pixels(exact_size(picture, tmp_path, spec).path)
    made = panels(picture, tmp_path, spec, Cut(A4, overlap_mm=10), title="Fjord")
    assert "fjord_700x800mm_30dpi_panels_A4.pdf" == made.path.name
    assert whole.shape == (made.height, made.width, 3)
    found = page_pictures(made)
    assert 12 == len(found)
    overlap = round(10 / 25.4 * 30)
    together = np.zeros_like(whole)
    top = 0
    for row in range(3):
        left = 0
        for sheet in found[4 * row : 4 * row + 4]:
            height, width = sheet.shape[:2]
            # What neighbours have in common is the same on both.
            before = together[top : top + height, left : left + width]
            assert np.array_equal(before[before.any(-1)], sheet[before.any(-1)])
            before[:] = sheet
            left += width - overlap
        top += height - overlap
    assert np.array_equal(whole, together)


def test_a_sheet_says_where_it_belongs(tmp_path: Path, picture: Path) -> None:
    """Each page is the sheet; its trim is the picture at its true size, within the margin and room for marks."""
    spec = PrintSpec(custom_paper(700, 800, "mm"), 30)
    made = panels(picture, tmp_path, spec, Cut(A4))
    pages = PdfReader(made.path, strict=True).pages
    for number, (page, sheet) in enumerate(zip(pages, page_pictures(made), strict=True)):
        row, column = divmod(number, 4)
        words = f"Sheet {number + 1} of 12: row {row + 1} of 3, column {column + 1} of 4"
        assert words == page.extract_text().strip()
        boxes = boxes_in_mm(page)
        assert [0, 0, 210, 297] == pytest.approx(boxes["media"], abs=0.001)
        left, bottom, right, top = boxes["trim"]
        assert [sheet.shape[1], sheet.shape[0]] == pytest.approx(
            [(right - left) / 25.4 * 30, (top - bottom) / 25.4 * 30]
        )
        assert min(left, bottom, 210 - right, 297 - top) >= 10 - 0.001


def test_marks_lie_outside_of_the_picture(tmp_path: Path, picture: Path) -> None:
    """Every line is between the picture and the margin of the printer; corners and overlaps have theirs."""
    made = panels(picture, tmp_path, PrintSpec(custom_paper(700, 800, "mm"), 60), Cut(A4, overlap_mm=10, margin_mm=5))
    (page,) = PdfReader(made.path).pages[5:6]  # row 2, column 2: a neighbour on each side
    operators = page.get_contents().get_data().decode()  # type: ignore[union-attr]
    per_mm = 72 / 25.4
    ends = [[float(each) / per_mm for each in line] for line in re.findall(r"(\S+) (\S+) m (\S+) (\S+) l", operators)]
    left, bottom, right, top = boxes_in_mm(page)["trim"]
    assert 16 == len(ends)
    for x, y, x2, y2 in ends:
        for at_x, at_y in ((x, y), (x2, y2)):
            assert not (left < at_x < right and bottom < at_y < top)
            assert 5 - 0.001 <= at_x <= 205.001
            assert 5 - 0.001 <= at_y <= 292.001
    upright = sorted({round(x, 2) for x, _, x2, _ in ends if x == x2})
    overlap = 24 / 60 * 25.4  # whole pixels
    assert [left, left + overlap, right - overlap, right] == pytest.approx(upright, abs=0.01)


def test_panels_leave_nothing_behind(tmp_path: Path, picture: Path) -> None:
    """The pixels of the whole print are in a hidden file only meanwhile."""
    folder = tmp_path / "out"
    folder.mkdir()
    seen: list[tuple[int, int]] = []
    spec = PrintSpec(PAPERS["A3"], 60)
    made = panels(picture, folder, spec, Cut(A4), on_progress=lambda *at: seen.append(at))
    assert [made.path] == list(folder.iterdir())
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(ValueError, match="no room"):
        panels(picture, folder, spec, Cut(PAPERS["A6"], overlap_mm=90))
    assert [made.path] == list(folder.iterdir())
