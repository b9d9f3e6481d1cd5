"""Turns what people type, pick or link to into numbers and targets, or a ValueError with a sentence for them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from journey import printing
from journey.printing import Cut, Paper, Plan, Screen, Unit
from journey.printing.numbers import ascii_digits
from journey.printing.sizes import PER_INCH

CUSTOM = "custom"
Papers = Mapping[str, Paper]
"""Sheets by name: `PAPERS`, with those of one's own where there are any."""

MIDJOURNEY: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "3:4": (928, 1232),
    "2:3": (896, 1344),
    "9:16": (816, 1456),
    "2:3 large": (1024, 1536),
    "1:1 upscaled": (2048, 2048),
}
"""Usual sizes of Midjourney pictures in pixels, portrait, by their shape."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_BY_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", re.ASCII)
_BY_POINTS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+", re.ASCII)
_BY_APOSTROPHES = re.compile(r"[+-]?\d{1,3}('\d{3})+([.,]\d*)?", re.ASCII)
_FRACTION = re.compile(r"(?:(\d{1,6})[\s-]+)?(\d{1,6})/([1-9]\d{0,5})", re.ASCII)
_LENGTH = re.compile(r"\s*(?P<number>[\d.,]+)\s*(?P<unit>mm|cm|in|\")?\s*", re.IGNORECASE)
_SIZE = re.compile(r"\s*(?P<width>[\d.,]+)\s*[x×*]\s*(?P<height>[\d.,]+)\s*(?P<unit>mm|cm|in|\")\s*", re.IGNORECASE)
_MEGABYTES = re.compile(r"\s*(?P<number>[\d.,]+)\s*(?:MB)?\s*", re.IGNORECASE)
_UNITS: Mapping[str, Unit] = {"mm": "mm", "cm": "cm", "in": "in", '"': "in"}
_SIGNS = str.maketrans("，．、٫٬−－＋’‘＇⁄／", ",.,.,--+'''//")
"""Marks of other keyboards, and the minus of typography."""
_SHOWN = 40
_DECIMALS: Mapping[Unit, int] = {"mm": 2, "cm": 3, "in": 3}

_LARGEST: Mapping[Unit, float] = {"in": 400, "cm": 1_000, "mm": 100_000}
"""Nobody types a longer side with a comma between thousands: in 8,268 inches it is the decimal one of 21 cm."""
_NARROW_MM = 5
"""A paper as narrow as this is more likely a slip."""


def number(text: str, name: str, *, most: float = math.inf) -> float:
    """A number as people write it: `1024`, `1,024`, `1.189,5`, `29.7`, `29,7`, `1'189`, `8½`, `8 1/2`, `１０２４`.

    A comma that would make it larger than `most` is a decimal one. Its limits are checked where it is used.
    """
    spaced = "".join(f" {unicodedata.normalize('NFKC', sign)}" if _is_fraction(sign) else sign for sign in text)
    typed = ascii_digits(spaced).translate(_SIGNS).strip()
    if fraction := _FRACTION.fullmatch(typed):
        return int(fraction[1] or 0) + int(fraction[2]) / int(fraction[3])
    plain = _with_point("".join(typed.split()), most)
    if not plain:
        raise ValueError(f"Enter the {name}.")
    if not _NUMBER.fullmatch(plain):
        shown = text.strip()[:_SHOWN]
        raise ValueError(f"The {name} must be a number, and “{shown}” is not one.")
    return float(plain)


def _with_point(plain: str, most: float) -> str:
    """The number without marks between thousands, and with a point before its decimals."""
    if _BY_APOSTROPHES.fullmatch(plain):
        plain = plain.replace("'", "")
    elif _BY_COMMAS.fullmatch(plain):
        whole = plain.replace(",", "")
        is_decimal = plain.count(",") == 1 and "." not in plain and (plain[0] == "0" or abs(float(whole)) > most)
        return plain.replace(",", ".") if is_decimal else whole
    elif _BY_POINTS.fullmatch(plain.partition(",")[0]) and ("," in plain or plain.count(".") > 1):
        plain = plain.replace(".", "")
    return plain.replace(",", ".")


def _is_fraction(sign: str) -> bool:
    return unicodedata.category(sign) == "No" and "\u2044" in unicodedata.normalize("NFKC", sign)


def whole(text: str, name: str) -> int:
    """The same for pixels, which must be whole: a point before three digits stands between thousands."""
    digits = "".join(ascii_digits(text).translate(_SIGNS).split())
    value = number(digits.replace(".", "") if _BY_POINTS.fullmatch(digits) else text, name)
    if not value.is_integer():
        raise ValueError(f"The {name} must be a whole number of pixels, and “{text.strip()[:_SHOWN]}” is not.")
    return int(value)


def dpi(text: str) -> float:
    """Pixels per inch, as typed."""
    return number(text, "DPI", most=10_000)


def millimetres(text: str, name: str) -> float:
    """A bleed, an overlap or a margin, as typed."""
    return number(text, name, most=1_000)


def measured(text: str) -> float:
    """`3`, `3mm`, `0.3cm` or `0.125in` as millimetres. Raises ValueError."""
    found = _LENGTH.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:_SHOWN]!r} is not a length. Write it as 3mm or 0.125in.")
    unit = _UNITS[(found["unit"] or "mm").lower()]
    return round(number(found["number"], "length") * printing.MM_PER_INCH / PER_INCH[unit], 6)


def paper_of_size(text: str) -> Paper:
    """`30x40cm`, `11.69x16.54in`. Raises ValueError."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text[:_SHOWN]!r} is not a size. Write it as 30x40cm or 11.69x16.54in.")
    width, height = number(found["width"], "paper's width"), number(found["height"], "paper's height")
    return printing.custom_paper(width, height, _UNITS[found["unit"].lower()])


def megabytes(text: str, name: str = "largest file") -> float:
    """`20`, `20 MB`, `1.5MB`: millions of bytes, above 0. Raises ValueError."""
    found = _MEGABYTES.fullmatch(text)
    size = number(found["number"], name) if found else 0
    if not 0 < size <= 100_000:
        raise ValueError(f"The {name} must be a number of megabytes above 0, and “{text.strip()[:_SHOWN]}” is not one.")
    return size


def _side(text: str, name: str, unit: Unit) -> float:
    """A side of a paper, in that unit. Raises ValueError for one that is so narrow that it must be a slip."""
    value = number(text, name, most=_LARGEST[unit])
    low, _ = printing.PAPER_LIMITS[unit]
    if low <= value < _NARROW_MM * printing.PER_INCH[unit] / printing.PER_INCH["mm"]:
        meant = value * 1_000
        is_grouped = meant.is_integer() and low * 100 <= meant <= _LARGEST[unit] and re.search(r"[.,]\d{3}\b", text)
        question = f"Did you mean {meant:g} {unit}? Write it without the point" if is_grouped else "Is the unit right"
        raise ValueError(f"A {name} of {value:g} {unit} is hardly meant. {question}{'.' if is_grouped else '?'}")
    return value


@dataclass(frozen=True)
class Length:
    """A length as it was typed, and as it is shown now. What nobody has typed anew changes back to exactly what was."""

    typed: str
    typed_in: Unit
    shown: str
    shown_in: Unit

    @classmethod
    def of(cls, text: str, unit: Unit, before: Length | None = None) -> Length:
        """The length in a field with this text and unit; `before` is what was shown there last."""
        is_as_shown = before is not None and (before.shown, before.shown_in) == (text, unit)
        return before if before is not None and is_as_shown else cls(text, unit, text, unit)

    def into(self, unit: Unit) -> Length:
        """The same in another unit, to a hundredth of a millimetre; what is no number stays as it is."""
        if unit == self.typed_in:
            return replace(self, shown=self.typed, shown_in=unit)
        try:
            side = number(self.typed, "length") / PER_INCH[self.typed_in] * PER_INCH[unit]
        except ValueError:
            return replace(self, shown=self.typed, shown_in=unit)
        return replace(self, shown=f"{side:.{_DECIMALS[unit]}f}".rstrip("0").rstrip("."), shown_in=unit)


def targets(papers: Papers) -> tuple[str, ...]:
    """Names of all targets: the papers in their order, a custom size, the screens."""
    return (*papers, CUSTOM, *printing.SCREENS)


def sheets(papers: Papers) -> tuple[str, ...]:
    """Names of what a print can be cut into."""
    return (*papers, CUSTOM)


def target(
    name: str, width: str = "", height: str = "", unit: Unit = "mm", *, papers: Papers = printing.PAPERS
) -> Paper | Screen:
    """The paper or screen of this name, or a custom paper of the size that was typed. Raises ValueError."""
    if name == CUSTOM:
        return printing.custom_paper(_side(width, "paper's width", unit), _side(height, "paper's height", unit), unit)
    if name in printing.SCREENS:
        return printing.SCREENS[name]
    if name in papers:
        return papers[name]
    raise ValueError(f"There is no paper named “{name[:_SHOWN]}”. Choose one from the list.")


def cut(
    name: str,
    width: str,
    height: str,
    unit: Unit,
    *,
    overlap: str,
    margin: str,
    papers: Papers = printing.PAPERS,
) -> Cut:
    """A cut into sheets of this name, or of the size that was typed. Raises ValueError."""
    if name == CUSTOM:
        sheet = printing.custom_paper(_side(width, "sheet's width", unit), _side(height, "sheet's height", unit), unit)
    elif name in papers:
        sheet = papers[name]
    else:
        raise ValueError(f"There is no sheet named “{name[:_SHOWN]}”. Choose one from the list.")
    return Cut(sheet, millimetres(overlap, "overlap"), millimetres(margin, "printer's margin"))


def target_label(name: str, papers: Papers = printing.PAPERS) -> str:
    """For a list: `A3 · 297 × 420 mm · ISO A`."""
    if name == CUSTOM:
        return "Custom size"
    if name in printing.SCREENS:
        return f"{printing.SCREENS[name].label} · screen"
    paper = papers[name]
    return f"{paper.label} · {paper.family}"


def free_axis(plan: Plan) -> str | None:
    """Which way the crop can be moved: "across", "down", or None when it cuts nothing."""
    now = plan.options[1]
    if plan.fit == "contain":
        return None
    if now.crop.width < now.width:
        return "across"
    return "down" if now.crop.height < now.height else None


def served(names_by_multiplier: Mapping[int, Sequence[str]]) -> str:
    """Which papers a picture can serve, as a sentence; each paper is named once, with its smallest multiplier."""
    parts: list[str] = []
    seen: set[str] = set()
    for multiplier, names in names_by_multiplier.items():
        new = [name for name in names if name not in seen]
        seen.update(new)
        if new:
            parts.append(f"{'now' if multiplier == 1 else f'at {multiplier}x'} {', '.join(new)}")
    return "; ".join(parts) if parts else "none of these papers, not even at 4x"
