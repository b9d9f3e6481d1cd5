"""Papers, lengths and sizes as people write them in a command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from journey.errors import InvalidRequest

if TYPE_CHECKING:
    from journey.printing import Fit, Paper

_SIZE = re.compile(r"\s*(\d{1,6})\s*[x×*]\s*(\d{1,6})\s*(?:px)?\s*", re.IGNORECASE)


def papers() -> Mapping[str, Paper]:
    """Every paper by its name: those of one's own list, then the usual ones. Raises CannotStart."""
    from journey.printing.own_papers import all_papers
    from journey.settings import read_settings

    settings = read_settings()
    return all_papers(settings.papers_place, asked_for=settings.papers is not None)


def paper(text: str) -> Paper:
    """`A3`, `24x36`, one of one's own, or a size such as `30x40cm`. Raises InvalidRequest and CannotStart."""
    from journey.printing import inputs

    known = papers()
    by_name = {_bare(name): sheet for name, sheet in known.items()}
    if (sheet := by_name.get(_bare(text))) is not None:
        return sheet
    if text.strip()[:1].isdigit():
        try:
            return inputs.paper_of_size(text)
        except ValueError as error:
            raise InvalidRequest(f"--paper: {error}") from None
    raise InvalidRequest(
        f"--paper: there is no paper named {text[:40]!r}. Use one of {', '.join(known)}, or a size such as "
        "30x40cm or 11.69x16.54in."
    )


def asked(sheet: Paper, dpi: float | None, bleed: str | None, fit: Fit) -> tuple[float, float]:
    """DPI, and bleed in mm: as typed, else as the product has them, else 300 and none. Raises InvalidRequest."""
    product = sheet.product
    if dpi is None:
        dpi = (product and product.dpi) or 300
    if bleed is not None:
        return dpi, millimetres(bleed)
    return dpi, (product and product.bleed_mm) or 0 if fit == "crop" else 0


def millimetres(text: str) -> float:
    """`3`, `3mm`, `0.3cm` or `0.125in` as millimetres. Raises InvalidRequest."""
    from journey.printing import inputs

    try:
        return inputs.measured(text)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None


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


def _bare(name: str) -> str:
    return name.replace("×", "x").replace(" ", "").casefold()
