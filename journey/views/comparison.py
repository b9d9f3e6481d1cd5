"""Two pictures from the history beside each other: which ones, and how they are viewed, as an address says.

/compare?task=ENTRY               the original of an entry against its result
/compare?left=X&right=Y           X and Y are ENTRY (its result) or ENTRY.original
&view=slider|side|difference      and how: the slider's place (`at`, in percent), the zoom (`fit`, or 1.0 for one
&at=50&zoom=fit&x=0.5&y=0.5       pixel of the larger picture per screen pixel) and the point in the middle
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image

from journey.history import LIVE, Entry, State
from journey.pictures.detail import most_detailed
from journey.storage.stored import StoredPicture
from journey.views.pictures import PREVIEW
from journey.views.words import moment, pixels, state_words

ViewKind = Literal["slider", "side", "difference"]
LARGEST_ZOOM = 16.0
"""Screen pixels for each pixel of the picture: enough to count them."""
SEEN_AT_ONCE = (640, 480)
"""Screen pixels, across and down: about what a card shows of a picture at 100 %, on a phone as well."""
SAME_SHAPE = 0.005
"""Fraction by which the proportions of two pictures may differ and still count as the same: results are rounded."""

_ORIGINAL = ".original"
_PARAMETERS = ("task", "left", "right", "view", "at", "zoom", "x", "y")


@dataclass(frozen=True)
class View:
    """`at` is the slider's place in percent of the width, `zoom` is None for "fit", `x` and `y` are parts of the frame.

    The fields have the same names as in the address, because the viewer writes the address itself.
    """

    view: ViewKind = "slider"
    at: float = 50.0
    zoom: float | None = None
    x: float = 0.5
    y: float = 0.5


USUAL = View()
WITH_ZOOM = ("zoom", "x", "y")
"""Fields that are in the address together, and only when the picture is zoomed."""


@dataclass(frozen=True)
class Pair:
    """The names of two pictures as an address has them. None: nothing was chosen for that side."""

    left: str | None = None
    right: str | None = None


@dataclass(frozen=True)
class Side:
    """A stored picture of an entry: its result or its original."""

    entry: Entry
    is_original: bool
    picture: StoredPicture

    @property
    def name(self) -> str:
        return self.entry.id + (_ORIGINAL if self.is_original else "")

    @property
    def label(self) -> str:
        """`Original`, or `4x · fast`. The network's name comes from outside."""
        if self.is_original:
            return "Original"
        network = self.entry.enlarged_by
        return f"{self.entry.type} · {network}" if network else f"{self.entry.type} result"


@dataclass(frozen=True)
class Viewed:
    """A side and what can be shown of it. `levels` is None without tiles; `problem` says why there will be none."""

    side: Side
    levels: int | None
    problem: str | None

    @property
    def waits(self) -> bool:
        """True while its tiles are still to come."""
        return self.levels is None and self.problem is None


def own_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    """Those that belong to Compare, in the order in which they are written."""
    return {name: parameters[name] for name in _PARAMETERS if name in parameters}


def asked_pair(parameters: Mapping[str, str]) -> Pair:
    """The two pictures that an address names. If it names only one side, the other is its original or its result."""
    left, right, task = (parameters.get(name) or None for name in ("left", "right", "task"))
    if left is None and right is None:
        return Pair(task + _ORIGINAL, task) if task else Pair()
    return Pair(left or f"{entry_id(str(right))}{_ORIGINAL}", right or entry_id(str(left)))


def pair_of(entry: Entry, begun: Entry) -> Pair:
    """The picture that an order began with against the result of an entry."""
    return Pair(begun.id + _ORIGINAL, entry.id)


def asked_view(parameters: Mapping[str, Any]) -> View:
    """The view that an address, or the viewer, names. What cannot be understood gets its default."""
    kind: Any = parameters.get("view")
    zoom = _number(parameters.get("zoom"), math.nan)
    return View(
        view=kind if kind in get_args(ViewKind) else USUAL.view,
        at=min(100.0, max(0.0, _number(parameters.get("at"), USUAL.at))),
        zoom=min(zoom, LARGEST_ZOOM) if zoom > 0 else None,
        x=min(1.0, max(0.0, _number(parameters.get("x"), USUAL.x))),
        y=min(1.0, max(0.0, _number(parameters.get("y"), USUAL.y))),
    )


def close_look(preview: Path, size: tuple[int, int]) -> View:
    """The slider at 100 % on the most detailed place of a picture; `size` is the picture's, in pixels.

    A preview that cannot be read hides that place, so the view is of the middle.
    """
    width, height = (seen / whole for seen, whole in zip(SEEN_AT_ONCE, size, strict=True))
    try:
        with Image.open(preview) as picture:
            x, y = most_detailed(picture, width, height)
    except OSError:
        return View(zoom=1.0)
    return View(zoom=1.0, x=round(x, 5), y=round(y, 5))


def address(pair: Pair, view: View) -> dict[str, str]:
    """The parameters that lead here again; defaults are left out."""
    parts: dict[str, str] = {}
    if pair.right and pair.left == pair.right + _ORIGINAL:
        parts["task"] = pair.right
    else:
        parts |= {name: value for name, value in (("left", pair.left), ("right", pair.right)) if value}
    for name, value in asdict(view).items():
        is_meant = view.zoom is not None if name in WITH_ZOOM else value != getattr(USUAL, name)
        if is_meant:
            parts[name] = value if isinstance(value, str) else _text(value)
    return parts


def entry_id(name: str) -> str:
    return name.removesuffix(_ORIGINAL)


def side_of(name: str, entry: Entry | None, now: float) -> Side | str:
    """The picture of this name, or a sentence that says why there is none. `entry` is the one in the name."""
    if entry is None:
        return "There is no task with this address, so this picture cannot be shown. Choose one below."
    if name.endswith(_ORIGINAL):
        if entry.source is None:
            return f"The original of “{entry.name}” is not stored here. Choose another picture below."
        return Side(entry, True, entry.source)
    if entry.result:
        return Side(entry, False, entry.result)
    if entry.state in LIVE:
        words = state_words(entry, now).lower()
        return f"“{entry.name}” is not finished yet ({words}). It will appear here when it is."
    if entry.state is State.FINISHED:
        return f"The result of “{entry.name}” is no longer stored. Choose another picture below."
    return f"“{entry.name}” has no result ({state_words(entry, now).lower()}). Choose another picture below."


def own_sides(entry: Entry, begun: Entry) -> tuple[Side, Side] | None:
    """The picture that an order began with and the result of an entry; None unless both are known.

    `begun` is the first step of the entry's order, or the entry itself.
    """
    if begun.source is None or entry.result is None:
        return None
    return Side(begun, True, begun.source), Side(entry, False, entry.result)


def sides(entries: Iterable[Entry], now: float) -> dict[str, Side]:
    """The pictures of these entries by name, results before their originals, each original once."""
    found: dict[str, Side] = {}
    originals: set[str] = set()
    for entry in entries:
        for name in (entry.id, entry.id + _ORIGINAL):
            side = side_of(name, entry, now)
            if isinstance(side, str) or (side.is_original and side.picture.key in originals):
                continue
            found[name] = side
            if side.is_original:
                originals.add(side.picture.key)
    return found


def options(found: Mapping[str, Side], timezone: str | None) -> dict[str, str]:
    """A line for each picture in a picker. No two are the same: those that would be also show part of an id."""
    lines = {name: _option(side, timezone) for name, side in found.items()}
    times = Counter(lines.values())
    return {name: line if times[line] == 1 else f"{line} · {found[name].entry.id[:6]}" for name, line in lines.items()}


def _option(side: Side, timezone: str | None) -> str:
    when = "" if side.is_original else f" · {moment(side.entry.finished_at, timezone)}"
    return f"{side.entry.name} · {side.label} · {pixels(side.picture.size)}{when}"


def remark(left: Side, right: Side) -> str | None:
    """What to say about two pictures that are the same, or that do not cover each other exactly."""
    if left.name == right.name:
        return "The same picture is on both sides."
    if shapes_differ(left.picture.size, right.picture.size):
        return "The two pictures have different proportions, so their centres are aligned."
    return None


def viewer_codec() -> dict[str, Any]:
    """What the viewer needs to write an address as `address` does, and its largest zoom."""
    return {"usual": asdict(USUAL), "with_zoom": WITH_ZOOM, "largest_zoom": LARGEST_ZOOM}


def viewer_data(left: Viewed, right: Viewed) -> dict[str, Any]:
    """Both sides as the viewer draws them, in words and numbers."""
    shown = [f"{each.side.entry.name}, {each.side.label}" for each in (left, right)]
    original_and_result = left.side.is_original and not right.side.is_original
    return {
        "left": _side_data(left),
        "right": _side_data(right),
        "alt": f"{shown[0]}, and {shown[1]}",
        "handle": "Move between original and result" if original_and_result else "Move between left and right",
    }


def _side_data(viewed: Viewed) -> dict[str, Any]:
    side, picture = viewed.side, viewed.side.picture
    return {
        "key": f"{picture.key}/{picture.file}",
        "preview": picture.beside(PREVIEW).url(),
        "tiles": f"/tiles/{picture.key}",
        "label": side.label,
        "width": picture.width,
        "height": picture.height,
        "levels": viewed.levels,
        "problem": viewed.problem is not None,
    }


def shapes_differ(left: tuple[int, int], right: tuple[int, int]) -> bool:
    """True when the proportions (width, height) of two pictures are not the same."""
    return abs(left[0] * right[1] / (left[1] * right[0]) - 1) >= SAME_SHAPE


def _number(value: object, otherwise: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return otherwise
    return number if math.isfinite(number) else otherwise


def _text(value: float) -> str:
    # As JavaScript writes it, so that the viewer and the page write the same address.
    return format(round(value, 5), ".10g")
