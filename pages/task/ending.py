"""Draws a part of the page again at the moment a task ends, and not only when that part looks next."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from journey.studio import Entry
from journey.views import links

_COMPONENT = st.components.v2.component("task_ending", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def draw_again_when_over(entry: Entry, *, begins: bool = False) -> None:
    """Call it in a fragment: the browser has that fragment drawn again once this task is over. It shows nothing.

    With `begins` when it is first drawn, the browser scrolls to it.
    """
    data = {"path": links.end_of(entry), "begins": begins}
    _COMPONENT(key=f"ending_{entry.id}", data=data, on_ended_change=lambda: None)
