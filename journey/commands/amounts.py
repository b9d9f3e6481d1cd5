"""Papers, lengths and sizes as people write them in a command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from journey.errors import InvalidRequest

if TYPE_CHECKING:
    from journey.printing import Paper, Unit

_LENGTH = re.compile(r"\s*(?P<number>[\d.,]+)\s*(?P<unit>mm|cm|in|\")?\s*", re.IGNORECASE)
_PAPER = re.compile(r"\s*(?P<width>[\d.,]+)\s*[x×*]\s*(?P<height>[\d.,]+)\s*(?P<unit>mm|cm|in|\")\s*", re.IGNORECASE)
_UNITS: dict[str, Unit] = {"mm": "mm", "cm": "cm", "in": "in", '"': "in"}
_SIZE = re.compile(r"\s*(\d{1,6})\s*[x×*]\s*(\d{1,6})\s*(?:px)?\s*", re.IGNORECASE)


def paper(text: str) -> Paper:
    """`A3`, `24x36`, or a size of its own such as `30x40cm`. Raises InvalidRequest."""
    from journey import printing
    from journey.printing.inputs import number

    by_name = {name.casefold(): sheet for name, sheet in printing.PAPERS.items()}
    if (sheet := by_name.get(text.strip().replace("×", "x").replace(" ", "").casefold())) is not None:
        return sheet
    if found := _PAPER.fullmatch(text):
        try:
            width, height = number(found["width"], "paper's width"), number(found["height"], "paper's height")
            return printing.custom_paper(width, height, _unit(found["unit"]))
        except ValueError as error:
            raise InvalidRequest(f"--paper: {error}") from None
    raise InvalidRequest(
        f"--paper: there is no paper named {text[:40]!r}. Use one of {', '.join(printing.PAPERS)}, or a size such as "
        "30x40cm or 11.69x16.54in."
    )


def millimetres(text: str) -> float:
    """`3`, `3mm`, `0.3cm` or `0.125in` as millimetres. Raises InvalidRequest."""
    from journey import printing
    from journey.printing.inputs import number

    found = _LENGTH.fullmatch(text)
    if not found:
        raise InvalidRequest(f"{text[:40]!r} is not a length. Write it as 3mm or 0.125in.")
    try:
        value = number(found["number"], "length")
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    return value * printing.MM_PER_INCH / printing.PER_INCH[_unit(found["unit"] or "mm")]


def pixels(text: str) -> tuple[int, int]:
    """`1024x1536`, or the size of the picture in this file. Raises InvalidRequest and PictureRefused."""
    if found := _SIZE.fullmatch(text):
        return int(found[1]), int(found[2])
    if Path(text).is_file():
        from journey.pictures.checking import inspect
        from journey.printing.shop.specs import MAX_SOURCE_PIXELS

        picture = inspect(Path(text), max_pixels=MAX_SOURCE_PIXELS)
        return picture.width, picture.height
    raise InvalidRequest(f"{text[:80]!r} is neither a size such as 1024x1536 nor a picture file.")


def _unit(text: str) -> Unit:
    return _UNITS[text.lower()]
