"""What can be done with a task, whatever its state: stop, download, compare, print, use again."""

from __future__ import annotations

import streamlit as st

from journey.errors import JourneyError
from journey.studio import LIVE, Entry, State
from journey.views import links
from journey.views.comparison import USUAL, View, address, pair_of
from journey.views.words import download_words
from journey.workspace import workspace
from pages.forms import paper
from pages.frame.protection import say_error
from pages.frame.visitor import origin


def actions(entry: Entry, begun: Entry, *, fills_form: bool, view: View = USUAL) -> None:
    """A row of buttons and links. With `fills_form` the form of Upscale is on this page.

    Compare opens at `view`, with the picture of `begun`, the first step of the order or the entry itself.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        # What is being sent here can be stopped in a moment; a call elsewhere cannot be taken back.
        can_stop = entry.state in LIVE and (entry.state is not State.SUBMITTING or entry.provider.is_here)
        if can_stop or entry.state is State.ASKING:
            _stop(entry)
        if entry.result:
            st.link_button(
                download_words(entry.result),
                str(links.result(entry, origin())),
                type="primary",
                icon=":material/download:",
            )
            st.page_link(
                "compare.py",
                label="Compare",
                icon=":material/compare:",
                query_params=address(pair_of(entry, begun), view),
            )
            st.page_link(
                "print_size.py",
                label="Print-ready file",
                icon=":material/print:",
                query_params=links.task(entry) | (paper.meant() if fills_form else {}),
            )
        label, icon = "Reuse settings", ":material/tune:"
        if not fills_form:
            st.page_link("upscale.py", label=label, icon=icon, query_params=links.again(entry))
        elif st.button(label, key=f"use_{entry.id}", icon=icon, type="tertiary"):
            st.session_state.use_again = entry.id
            st.rerun()
        st.page_link("history.py", label="Details", icon=":material/receipt_long:", query_params=links.task(entry))


def _stop(entry: Entry) -> None:
    label = "Stop" if entry.provider.can_cancel or entry.state in (State.QUEUED, State.ASKING) else "Stop watching"
    if not st.button(label, key=f"stop_{entry.id}", icon=":material/stop:"):
        return
    try:
        workspace().stop_entry(entry)
    except JourneyError as error:
        say_error(str(error))
    else:
        st.rerun()
