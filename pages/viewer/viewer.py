"""The viewer of two pictures: slider, side by side and difference, with a zoom down to single pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from journey.views.comparison import View, Viewed, asked_view, viewer_codec, viewer_data


def _source(ending: str) -> str:
    return Path(__file__).with_suffix(f".{ending}").read_text(encoding="utf-8")


_COMPONENT = st.components.v2.component("compare_viewer", html=_source("html"), css=_source("css"), js=_source("js"))


def viewer(
    left: Viewed,
    right: Viewed,
    *,
    view: View,
    on_view: Callable[[View], None],
    key: str = "compare_viewer",
    in_card: bool = False,
    arrives: bool = False,
    start: int = 0,
    print_dpi: float = 300,
    screen_ppi: float | None = None,
) -> None:
    """Draw both. `view` is applied whenever `start` has changed; `on_view` is called after each change of the view.

    `key` tells several on one page apart. In a card the viewer is lower, has fewer buttons, lets the page scroll past
    it, and leaves the page's address alone; a tap goes to the whole picture and back. With `arrives` when it is first
    drawn, and its beginning in view, the browser scrolls until all of it is. `screen_ppi` is the screen's pixels per
    inch; None: what browsers assume.
    """

    def told() -> None:
        on_view(asked_view(st.session_state[key].view))

    _COMPONENT(
        key=key,
        data={
            **viewer_data(left, right),
            "codec": viewer_codec(),
            "in_card": in_card,
            "arrives": arrives,
            "view": asdict(view),
            "start": start,
            "print_dpi": print_dpi,
            "screen_ppi": screen_ppi,
        },
        on_view_change=told,
    )
