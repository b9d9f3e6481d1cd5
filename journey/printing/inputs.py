"""Turns what people type, pick or link to into numbers and targets, or a ValueError with a sentence for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from journey import printing
from journey.printing import Cut, Paper, Plan, Screen, Unit
from journey.printing.sizes import PER_INCH

CUSTOM = "custom"
TARGETS: tuple[str, ...] = (*printing.PAPERS, CUSTOM, *printing.SCREENS)
"""Names of all targets: the papers family by family, a custom size, the screens."""
SHEETS: tuple[str, ...] = (*printing.PAPERS, CUSTOM)
"""Names of what a print can be cut into."""

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
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_SHOWN = 40
_DECIMALS: Mapping[Unit, int] = {"mm": 2, "cm": 3, "in": 3}


def number(text: str, name: str) -> float:
    """A number as people write it: `1024`, `1,024`, `29.7` or `29,7`. Its limits are checked where it is used."""
    plain = "".join(text.split())
    plain = plain.replace(",", "") if _GROUPED.fullmatch(plain) else plain.replace(",", ".")
    if not plain:
        raise ValueError(f"Enter the {name}.")
    if not _NUMBER.fullmatch(plain):
        shown = text.strip()[:_SHOWN]
        raise ValueError(f"The {name} must be a number, and “{shown}” is not one.")
    return float(plain)


def whole(text: str, name: str) -> int:
    """The same for pixels, which must be whole."""
    value = number(text, name)
    if not value.is_integer():
        raise ValueError(f"The {name} must be a whole number of pixels, and “{text.strip()[:_SHOWN]}” is not.")
    return int(value)


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


def target(name: str, width: str = "", height: str = "", unit: Unit = "mm") -> Paper | Screen:
    """The paper or screen of this name, or a custom paper of the size that was typed. Raises ValueError."""
    if name == CUSTOM:
        return printing.custom_paper(number(width, "paper's width"), number(height, "paper's height"), unit)
    if name in printing.SCREENS:
        return printing.SCREENS[name]
    if name in printing.PAPERS:
        return printing.PAPERS[name]
    raise ValueError(f"There is no paper named “{name[:_SHOWN]}”. Choose one from the list.")


def cut(name: str, width: str, height: str, unit: Unit, *, overlap: str, margin: str) -> Cut:
    """A cut into sheets of this name, or of the size that was typed. Raises ValueError."""
    if name == CUSTOM:
        sheet = printing.custom_paper(number(width, "sheet's width"), number(height, "sheet's height"), unit)
    elif name in printing.PAPERS:
        sheet = printing.PAPERS[name]
    else:
        raise ValueError(f"There is no sheet named “{name[:_SHOWN]}”. Choose one from the list.")
    return Cut(sheet, number(overlap, "overlap"), number(margin, "printer's margin"))


def target_label(name: str) -> str:
    """For a list: `A3 · 297 × 420 mm · ISO A`."""
    if name == CUSTOM:
        return "Custom size"
    if name in printing.SCREENS:
        return f"{printing.SCREENS[name].label} · screen"
    paper = printing.PAPERS[name]
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
