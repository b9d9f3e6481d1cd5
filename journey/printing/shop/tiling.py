"""Panels: one large print as the pages of a PDF, with marks to put it together again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from journey import printing
from journey.printing import Box, Cut, Panel, Panels
from journey.printing.panels import MARKS_MM
from journey.printing.shop.encoding import bands, new_file, whole_print
from journey.printing.shop.layout import Layout, layout_for
from journey.printing.shop.making import judged
from journey.printing.shop.pdf import POINTS_PER_INCH, Document, Rectangle, points
from journey.printing.shop.progress import Progress, ShouldStop, Work
from journey.printing.shop.source import Source, decoded
from journey.printing.shop.specs import FORMATS, PrintFile, PrintSpec, name_for, paper_word

_GAP_MM = 1
"""Between the picture and a mark, so that a cut that is a little off shows no mark."""
_SHORT_MM = 2.5
"""Length of an overlap mark. A cut mark is as long as there is room."""
_FONT_SIZE = 7.0
_LETTER = 0.56
"""About the width of a letter of Helvetica, of its size."""
_AT_FULL_SIZE = "Print at 100 %, without fitting to the page."
_PUT_TOGETHER = (
    "To put the print together, begin at the top left. Cut each sheet along the long marks on its left and at its top, "
    "and glue it onto the sheets there, up to their short marks."
)


def panels(
    source: Path,
    folder: Path,
    spec: PrintSpec,
    cut: Cut,
    *,
    title: str = "picture",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> PrintFile:
    """Cut what `exact_size` would make into sheets, the pages of one PDF, row by row from the top left.

    Put together again, the panels are that print pixel for pixel. Marks and the label of each sheet lie outside of its
    picture, which is the TrimBox of the page. Width and height are those of the whole print. Raises ValueError when
    the sheets are too small or too many.
    """
    work = Work(on_progress, should_stop)
    name = f"{paper_word(spec.paper)}_{spec.dpi:g}dpi_panels_{paper_word(cut.sheet)}"
    target = folder / name_for(title, name, FORMATS["PDF"].extension)
    with decoded(source, folder, work) as picture:
        layout = layout_for(picture, spec)
        cut_up = printing.cut_into_panels(*layout.size, spec.dpi, cut)
        work.begin(layout.size[1] + sum(panel.box.height for panel in cut_up.each))
        # A panel has a part of each row of the print, and pages are written one after the other.
        with whole_print(picture, layout, folder, work) as whole, new_file(target) as file:
            _write(file, whole, cut_up, spec.dpi, work)
        made = PrintFile(
            path=target,
            format="PDF",
            width=layout.size[0],
            height=layout.size[1],
            dpi=spec.dpi,
            size=target.stat().st_size,
            profile="source" if picture.rows.icc else "sRGB",
        )
        return judged(made, picture, replace(spec, format="PDF"), *_notes(cut_up, cut))


def _write(file: BinaryIO, whole: Source, cut_up: Panels, dpi: float, work: Work) -> None:
    assert whole.rows.icc is not None  # noqa: S101 - for the type checker: a print always has a profile
    document = Document(file, whole.rows.icc)
    channels = whole.rows.channels
    profile = document.add_profile(whole.rows.icc, channels)
    sheet = cut_up.sheet.size
    across, down = sheet.width_in * POINTS_PER_INCH, sheet.height_in * POINTS_PER_INCH
    for panel in cut_up.each:
        size = panel.box.width, panel.box.height
        layout = Layout(size, Box(0, 0, *size), panel.box)
        picture = document.add_picture(bands(whole, layout, work, is_transparent=False), size, channels, profile)
        width, height = (side / dpi * POINTS_PER_INCH for side in size)
        left, bottom = (across - width) / 2, (down - height) / 2
        at = (left, bottom, left + width, bottom + height)
        marks = _marks(panel, cut_up, at, cut_up.overlap / dpi * POINTS_PER_INCH)
        document.add_page((across, down), {"TrimBox": at}, picture, at, marks)
    document.close()


def _marks(panel: Panel, cut_up: Panels, at: Rectangle, overlap: float) -> str:
    """Long marks where the picture ends, short ones where that of a neighbour ends, and which sheet this is."""
    left, bottom, right, top = at
    long, short = points(MARKS_MM), points(_GAP_MM + _SHORT_MM)
    xs = [(left, long), (right, long)]
    ys = [(bottom, long), (top, long)]
    if panel.column > 1:
        xs.append((left + overlap, short))
    if panel.column < cut_up.columns:
        xs.append((right - overlap, short))
    if panel.row > 1:
        ys.append((top - overlap, short))
    if panel.row < cut_up.rows:
        ys.append((bottom + overlap, short))
    gap = points(_GAP_MM)
    lines = [
        *(
            f"{x:.4f} {edge + way * gap:.4f} m {x:.4f} {edge + way * end:.4f} l"
            for x, end in xs
            for edge, way in ((bottom, -1), (top, 1))
        ),
        *(
            f"{edge + way * gap:.4f} {y:.4f} m {edge + way * end:.4f} {y:.4f} l"
            for y, end in ys
            for edge, way in ((left, -1), (right, 1))
        ),
    ]
    label = _label(panel, cut_up)
    start = left + overlap + 2 * gap
    size = min(_FONT_SIZE, max(1.0, (right - overlap - 2 * gap - start) / (_LETTER * len(label))))
    below = bottom - gap - size
    return f"0 G 0.3 w {' '.join(lines)} S\n0 g BT /F {size:.2f} Tf {start:.4f} {below:.4f} Td ({label}) Tj ET"


def _label(panel: Panel, cut_up: Panels) -> str:
    number = (panel.row - 1) * cut_up.columns + panel.column
    return (
        f"Sheet {number} of {len(cut_up.each)}: row {panel.row} of {cut_up.rows}, "
        f"column {panel.column} of {cut_up.columns}"
    )


def _notes(cut_up: Panels, cut: Cut) -> tuple[str, ...]:
    """How to put the print together."""
    count = len(cut_up.each)
    if count == 1:
        return (f"The print fits on one sheet. {_AT_FULL_SIZE}",)
    return (
        f"{count} sheets of {cut.sheet.label}, {cut_up.columns} across and {cut_up.rows} down. {_AT_FULL_SIZE}",
        _PUT_TOGETHER,
    )
