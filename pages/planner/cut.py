"""The sheets that a large print is cut into."""

from __future__ import annotations

from functools import partial

import streamlit as st

from journey.printing import Cut, inputs
from journey.views.planner import DEFAULTS, NUMBER_LIMIT
from journey.workspace import workspace
from pages.forms.choosing import type_in
from pages.frame.protection import say_error
from pages.planner.state import choose_unit, key, unit_of, value


def choose_cut() -> Cut | None:
    """None when something is wrong with it, and the page says what."""
    papers = workspace().papers
    names = inputs.sheets(papers)
    if value("sheet") not in names:
        st.session_state[key("sheet")] = DEFAULTS["sheet"]
    st.selectbox(
        "Sheet",
        names,
        format_func=partial(inputs.target_label, papers=papers),
        key=key("sheet"),
        persist_state="session",
        help="What you print on. It is turned where that takes fewer sheets.",
    )
    if value("sheet") == inputs.CUSTOM:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            type_in("Sheet width", key=key("sw"), limit=NUMBER_LIMIT)
            type_in("Sheet height", key=key("sh"), limit=NUMBER_LIMIT)
            choose_unit("Sheet measured in", "su", "sw", "sh")
    with st.container(horizontal=True):
        type_in(
            "Overlap in mm",
            key=key("overlap"),
            limit=NUMBER_LIMIT,
            help="How much of the picture neighbouring sheets share, to glue them: usually 10 mm.",
        )
        type_in(
            "Printer's margin in mm",
            key=key("margin"),
            limit=NUMBER_LIMIT,
            help="The edge that your printer leaves white: usually 3 to 6 mm, or 0 at a shop.",
        )
    try:
        return inputs.cut(
            value("sheet"),
            value("sw"),
            value("sh"),
            unit_of("su"),
            overlap=value("overlap"),
            margin=value("margin"),
            papers=papers,
        )
    except ValueError as error:
        say_error(str(error))
        return None
