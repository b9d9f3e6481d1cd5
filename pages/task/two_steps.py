"""Orders of two steps on a card: which step this is, the way to the other, and going on after a failure."""

from __future__ import annotations

import streamlit as st

from journey.errors import JourneyError
from journey.studio import Entry, Kin
from journey.views import links
from journey.views.ways import can_go_on, follows_words
from journey.workspace import workspace
from pages.frame.protection import say_error
from pages.frame.visitor import expect


def two_steps(entry: Entry, kin: Kin) -> None:
    """Nothing for an order of one step."""
    if entry.step is None:
        return
    other = kin.second_step(entry) if entry.step == 1 else kin.first_step(entry)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(follows_words(entry), width="content")
        if other is not None:
            st.page_link(
                "history.py",
                label=f"Open step {other.step}",
                icon=":material/account_tree:",
                query_params=links.task(other),
            )
    first, second = (entry, other) if entry.step == 1 else (other, entry)
    if first is not None and can_go_on(first, second):
        _offer_to_go_on(entry)


def _offer_to_go_on(entry: Entry) -> None:
    label = "Go on with step 2 · free"
    if not st.button(label, key=f"go_on_{entry.id}", icon=":material/resume:", type="primary"):
        return
    try:
        queued = workspace().orders.go_on(entry)
    except JourneyError as error:
        say_error(str(error))
        return
    expect(queued)
    st.session_state.newest = queued.id
    st.rerun()
