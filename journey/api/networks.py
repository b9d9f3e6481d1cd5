"""The names of networks on the wire, in the field `model`, which only the embedded engine knows.

`fast`, `detail` and `faithful` are always the same three; a folder may add others. `detail-50` is a blend: 50 percent
of detail, and the rest faithful.
"""

from __future__ import annotations

import re

FAST, DETAIL, FAITHFUL = "fast", "detail", "faithful"

_BLEND = re.compile(rf"{DETAIL}-([1-9]\d?)")


def blend(strength: int) -> str:
    """The name for this much of detail, in percent from 0 (faithful) to 100 (detail)."""
    return FAITHFUL if strength == 0 else DETAIL if strength == 100 else f"{DETAIL}-{strength}"


def shown(name: str) -> str:
    """The name for people: `detail 50 %` for a blend, any other as it is."""
    strength = strength_of(name)
    return name if strength is None else f"{DETAIL} {strength} %"


def strength_of(name: str) -> int | None:
    """How much of a blend is detail, in percent from 1 to 99; None for the name of a network."""
    found = _BLEND.fullmatch(name)
    return int(found[1]) if found else None
