"""A plan as a picture: what lies on the paper, what is cut away, and where it is safe to put text.

Pure functions. The ground is transparent, and the colours can be read on light and on dark pages.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from journey import printing
from journey.printing import MM_PER_INCH, Orientation, Panels, Paper, Plan, Unit

SIDE = 900
"""Longest side of a drawing in pixels. Shown at half that size, it is sharp on every display."""
SAFE_MM = 4
"""How far inside the trim line text is safe, unless the product says. Print shops ask for 3 to 5 mm."""

_PAPER_SIDE = 640
_SHAPE_PX = 4_000  # finer than any drawing
_RULER = 56  # room for the measure below and beside the sheet
_MARGIN = 10
_FONT = 26
_SMALLEST_FONT = 13
_LINE = 3

_WORDS = (70, 80, 84, 255)
_INK = (118, 129, 133, 255)  # 4:1 against both of the theme's grounds
_SHADOW = (0, 0, 0, 70)
_TRIM = (15, 139, 139, 255)
_SAFE = (255, 255, 255, 235)
_SAFE_GAP = (20, 28, 32, 170)
_BLEED = (214, 64, 69, 120)
_OVERLAP = (255, 255, 255, 150)
_DIMMED = 70
"""Opacity of what is cut away, out of 255."""


class Geometry(NamedTuple):
    """Rectangles of a drawing in its pixels, as left, top, right, bottom. `scale` is pixels per inch."""

    size: tuple[int, int]
    scale: float
    picture: tuple[float, float, float, float]
    sheet: tuple[float, float, float, float]
    trim: tuple[float, float, float, float]
    safe: tuple[float, float, float, float] | None


def geometry(plan: Plan, *, side: int = SIDE) -> Geometry:
    """Where everything lies. `safe` is None on a paper that is too small for a safe area."""
    now = plan.options[1]
    bleed = plan.bleed_mm / MM_PER_INCH
    paper = plan.paper.size
    wide, high = paper.width_in + 2 * bleed, paper.height_in + 2 * bleed
    across, down = now.width / now.dpi, now.height / now.dpi
    if plan.fit == "crop":
        # The axis that is kept whole fills the sheet by definition; rounding must not leave a gap there.
        across, down = max(across, wide), max(down, high)
        left, top = -now.crop.left / now.dpi, -now.crop.top / now.dpi
        left, top = max(left, wide - across), max(top, high - down)
    else:
        left, top = (wide - across) / 2, (high - down) / 2
    min_x, min_y = min(0.0, left), min(0.0, top)
    total_x, total_y = max(wide, left + across) - min_x, max(high, top + down) - min_y
    room = side - _RULER - 2 * _MARGIN
    scale = min(room / total_x, room / total_y)

    def box(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        x, y = _MARGIN + (x - min_x) * scale, _MARGIN + (y - min_y) * scale
        return x, y, x + width * scale, y + height * scale

    safe = safe_area(plan.paper)
    inset = bleed + (safe or 0) / MM_PER_INCH
    return Geometry(
        size=(round(total_x * scale) + 2 * _MARGIN + _RULER, round(total_y * scale) + 2 * _MARGIN + _RULER),
        scale=scale,
        picture=box(left, top, across, down),
        sheet=box(0, 0, wide, high),
        trim=box(bleed, bleed, paper.width_in, paper.height_in),
        safe=box(inset, inset, wide - 2 * inset, high - 2 * inset) if safe else None,
    )


def safe_area(paper: Paper) -> float | None:
    """How many millimetres inside the edge text is safe; None on a paper of which that would leave hardly anything."""
    said = paper.product.safe_mm if paper.product else None
    inset = SAFE_MM if said is None else said
    return inset if inset and min(paper.size.in_unit("mm")) > 4 * inset else None


def draw_paper(
    paper: Paper, *, bleed_mm: float = 0, unit: Unit = "mm", words: str = "", side: int = _PAPER_SIDE
) -> bytes:
    """An empty paper the way it lies, as a PNG of at most `side` pixels each way, with `words` in the middle.

    Raises ValueError when the bleed is not smaller than the paper.
    """
    across, down = (length + 2 * bleed_mm for length in paper.size.in_unit("mm"))
    finest = _SHAPE_PX / max(across, down)
    shape = max(1, round(across * finest)), max(1, round(down * finest))
    lies: Orientation = "landscape" if paper.width > paper.height else "portrait"
    plan = printing.plan(*shape, paper, bleed_mm=bleed_mm, orientation=lies)
    return draw(plan, Image.new("RGB", (1, 1), "white"), unit=unit, words=words, side=side)


def draw(
    plan: Plan,
    picture: Image.Image | None = None,
    *,
    unit: Unit = "mm",
    labels: tuple[str, str] | None = None,
    guides: bool = True,
    panels: Panels | None = None,
    words: str = "",
    side: int = SIDE,
) -> bytes:
    """A PNG of at most `side` pixels each way: the picture (any small copy of it) to scale on the paper.

    Without a picture, a neutral one of the same shape is drawn. `labels` give the width and the height, by default
    those of the paper in `unit`. `guides` draws the bleed, the trim line and the safe area, `panels` where the print is
    cut into sheets; `words` are written in the middle of the paper.
    """
    at = geometry(plan, side=side)
    canvas = Image.new("RGBA", at.size, (0, 0, 0, 0))
    sheet = _whole(at.sheet)
    _paper(canvas, sheet)
    left, top, right, bottom = _whole(at.picture)
    size = (max(1, right - left), max(1, bottom - top))
    shown = placeholder(size) if picture is None else picture.convert("RGBA").resize(size, Image.Resampling.BICUBIC)
    dimmed = shown.copy()
    dimmed.putalpha(dimmed.getchannel("A").point(lambda alpha: alpha * _DIMMED // 255))
    outside = Image.new("RGBA", at.size, (0, 0, 0, 0))
    outside.paste(dimmed, (left, top))
    outside.paste((0, 0, 0, 0), sheet)
    canvas.alpha_composite(outside)
    inside = Image.new("RGBA", at.size, (0, 0, 0, 0))
    inside.paste(shown, (left, top))
    canvas.alpha_composite(inside.crop(sheet), sheet[:2])

    if guides:
        _guides(canvas, at, bleeds=plan.bleed_mm > 0)
    if panels:
        _overlaps(canvas, sheet, plan.needed, panels)
    across, down = (f"{_measure(side)} {unit}" for side in plan.paper.size.in_unit(unit))
    _rulers(canvas, _whole(at.trim), *(labels or (across, down)))
    if words:
        _words(canvas, words, _whole(at.trim))
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def placeholder(size: tuple[int, int]) -> Image.Image:
    """A neutral picture for when only the size is known: two hills and a sun, never distorted."""
    width, height = size
    picture = Image.new("RGBA", size, (188, 201, 204, 255))
    drawing = ImageDraw.Draw(picture)
    unit = min(width, height)
    middle_x, middle_y = width / 2, height / 2
    drawing.ellipse(_around(middle_x + 0.2 * unit, middle_y - 0.22 * unit, 0.09 * unit), fill=(236, 214, 160, 255))
    for peak_x, peak_y, reach, colour in (
        (middle_x - 0.12 * unit, middle_y - 0.12 * unit, 1.1, (139, 158, 163, 255)),
        (middle_x + 0.2 * unit, middle_y + 0.06 * unit, 1.3, (104, 126, 132, 255)),
    ):
        fall = height - peak_y
        drawing.polygon(
            [(peak_x, peak_y), (peak_x - reach * fall, height), (peak_x + reach * fall, height)], fill=colour
        )
    return picture


def _paper(canvas: Image.Image, sheet: tuple[int, int, int, int]) -> None:
    drawing = ImageDraw.Draw(canvas)
    left, top, right, bottom = sheet
    drawing.rectangle((left + 5, top + 5, right + 4, bottom + 4), fill=_SHADOW)
    drawing.rectangle((left, top, right - 1, bottom - 1), fill="white")


def _guides(canvas: Image.Image, at: Geometry, *, bleeds: bool) -> None:
    over = Image.new("RGBA", canvas.size, (0, 0, 0, 0))
    drawing = ImageDraw.Draw(over)
    sheet, trim = _whole(at.sheet), _whole(at.trim)
    if bleeds:
        drawing.rectangle((*sheet[:2], sheet[2] - 1, sheet[3] - 1), fill=_BLEED)
        over.paste((0, 0, 0, 0), trim)
    drawing.rectangle((*trim[:2], trim[2] - 1, trim[3] - 1), outline=_TRIM, width=_LINE)
    if at.safe is not None:
        left, top, right, bottom = _whole(at.safe)
        corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
        for start, end in itertools.pairwise(corners):
            # Light dashes on a dark line, so that one of the two shows on any picture.
            drawing.line((start, end), fill=_SAFE_GAP, width=2)
            for dash in _dashes(start, end):
                drawing.line(dash, fill=_SAFE, width=2)
    canvas.alpha_composite(over)


def _overlaps(canvas: Image.Image, sheet: tuple[int, int, int, int], size: tuple[int, int], panels: Panels) -> None:
    """What neighbouring panels of a print of so many pixels have in common: light, between dark lines."""
    over = Image.new("RGBA", canvas.size, (0, 0, 0, 0))
    drawing = ImageDraw.Draw(over)
    left, top, right, bottom = sheet
    across, down = (right - left) / size[0], (bottom - top) / size[1]
    boxes = [panel.box for panel in panels.each]
    for box in boxes[1 : panels.columns]:
        x = left + box.left * across
        drawing.rectangle((x, top, x + panels.overlap * across, bottom - 1), fill=_OVERLAP, outline=_SAFE_GAP)
    for box in boxes[panels.columns :: panels.columns]:
        y = top + box.top * down
        drawing.rectangle((left, y, right - 1, y + panels.overlap * down), fill=_OVERLAP, outline=_SAFE_GAP)
    canvas.alpha_composite(over)


def _dashes(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    for at in range(0, length, 16):
        first, last = at / length, min(length, at + 9) / length
        yield (
            (start[0] + (end[0] - start[0]) * first, start[1] + (end[1] - start[1]) * first),
            (start[0] + (end[0] - start[0]) * last, start[1] + (end[1] - start[1]) * last),
        )


def _rulers(canvas: Image.Image, trim: tuple[int, int, int, int], across: str, down: str) -> None:
    """The paper's width below and its height on the right, each between two ticks."""
    drawing = ImageDraw.Draw(canvas)
    left, top, right, bottom = trim
    y, x = canvas.height - _RULER // 2, canvas.width - _RULER // 2
    drawing.line((left, y, right, y), fill=_INK, width=2)
    drawing.line((x, top, x, bottom), fill=_INK, width=2)
    for end in (left, right):
        drawing.line((end, y - 9, end, y + 9), fill=_INK, width=2)
    for end in (top, bottom):
        drawing.line((x - 9, end, x + 9, end), fill=_INK, width=2)
    _label(canvas, across, ((left + right) // 2, y), right - left)
    _label(canvas, down, (x, (top + bottom) // 2), bottom - top, upright=True)


def _label(canvas: Image.Image, text: str, middle: tuple[int, int], room: int, *, upright: bool = False) -> None:
    """Text in the middle of a line, which makes room for it; smaller where there is little room."""
    font = ImageFont.load_default(_FONT)
    length = font.getlength(text)
    if length > room - 24:
        font = ImageFont.load_default(max(_SMALLEST_FONT, _FONT * (room - 24) / length))
        length = font.getlength(text)
    tile = Image.new("RGBA", (round(length) + 16, _RULER - 16), (0, 0, 0, 0))
    ImageDraw.Draw(tile).text((tile.width / 2, tile.height / 2), text, font=font, fill=_INK, anchor="mm")
    if upright:
        tile = tile.transpose(Image.Transpose.ROTATE_90)
    x = min(max(0, middle[0] - tile.width // 2), canvas.width - tile.width)
    y = min(max(0, middle[1] - tile.height // 2), canvas.height - tile.height)
    canvas.paste(tile, (max(0, x), max(0, y)))


def _words(canvas: Image.Image, text: str, box: tuple[int, int, int, int]) -> None:
    """Text in the middle of a box, turned in a tall one, and left out where it would be too small to read."""
    left, top, right, bottom = box
    text = text.replace("×", "x")  # the font lacks this sign
    upright = bottom - top > 3 * (right - left)
    room, height = (bottom - top, right - left) if upright else (right - left, bottom - top)
    size = min(_FONT, 0.6 * height, 0.85 * _FONT * room / ImageFont.load_default(_FONT).getlength(text))
    if size < _SMALLEST_FONT:
        return
    font = ImageFont.load_default(size)
    tile = Image.new("RGBA", (math.ceil(font.getlength(text)), 2 * _FONT), (0, 0, 0, 0))
    ImageDraw.Draw(tile).text((tile.width / 2, tile.height / 2), text, font=font, fill=_WORDS, anchor="mm")
    if upright:
        tile = tile.transpose(Image.Transpose.ROTATE_90)
    x, y = (left + right - tile.width) // 2, (top + bottom - tile.height) // 2
    canvas.paste(_WORDS, (x, y), tile)


def _measure(value: float) -> str:
    return f"{value:.4g}" if value < 1000 else f"{value:.0f}"


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (round(side) for side in box)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _around(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return x - radius, y - radius, x + radius, y + radius
