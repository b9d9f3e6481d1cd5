"""The viewer of two pictures: slider, side by side and difference, with a zoom down to single pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from journey.pictures.previews import PREVIEW
from journey.storage.files import file_url
from journey.views.comparison import Side, View, asked_view

_SOURCES = Path(__file__).with_suffix("")
_COMPONENT = st.components.v2.component(
    "compare_viewer",
    **{kind: (_SOURCES / f"viewer.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js")},
)


@dataclass(frozen=True)
class Picture:
    """One side as the viewer draws it. `levels` is None without tiles; `problem` is True when none will come."""

    side: Side
    width: int
    height: int
    levels: int | None
    problem: bool


def viewer(
    left: Picture,
    right: Picture,
    *,
    view: View,
    start: int,
    print_dpi: float,
    screen_ppi: float | None,
    on_view: Callable[[View], None],
) -> None:
    """Draw both. `view` is taken over whenever `start` is another number; `on_view` is told after each change.

    `screen_ppi` is pixels of the screen per inch; None: as many as browsers assume.
    """
    key = "compare_viewer"
    original_and_result = left.side.is_original and not right.side.is_original

    def told() -> None:
        on_view(asked_view(st.session_state[key].view))

    _COMPONENT(
        key=key,
        data={
            "left": _data(left),
            "right": _data(right),
            "alt": f"{left.side.entry.name}, {left.side.label}, and {right.side.entry.name}, {right.side.label}",
            "handle": "Move between original and result" if original_and_result else "Move between left and right",
            "view": asdict(view),
            "start": start,
            "print_dpi": print_dpi,
            "screen_ppi": screen_ppi,
        },
        on_view_change=told,
    )


def _data(picture: Picture) -> dict[str, Any]:
    side = picture.side
    return {
        "key": f"{side.key}/{side.file}",
        "preview": file_url("", side.key, PREVIEW),
        "tiles": f"/tiles/{side.key}",
        "label": side.label,
        "width": picture.width,
        "height": picture.height,
        "levels": picture.levels,
        "problem": picture.problem,
    }
