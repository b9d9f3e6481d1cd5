"""Turns what people type, pick or link to into numbers and targets, or a ValueError with a sentence for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from journey import printing
from journey.printing import Cut, Paper, Plan, Screen, Unit

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
