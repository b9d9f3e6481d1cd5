"""A result that could not be fetched from here: where it is, and how a person brings it home."""

from __future__ import annotations

import streamlit as st

from journey.errors import JourneyError
from journey.studio import Entry
from journey.views.facts import own_link
from journey.workspace import workspace
from pages.frame.protection import say_error
from pages.frame.sign_in import tab
from pages.frame.visitor import person


def by_hand(entry: Entry) -> None:
    """A link to a result that is missing here, for whoever queued it, and a place for the file that was saved."""
    if not entry.lacks_result:
        return
    with st.container(border=True):
        st.write(
            "If a browser can open the result, save the picture there and upload it here: that costs nothing more."
        )
        if link := own_link(entry.result_url, entry, person()):
            st.link_button("Open the result", link, icon=":material/open_in_new:")
        given = st.file_uploader("Upload the file you saved", key=f"by_hand_{entry.id}")
        if given is None:
            return
        try:
            workspace().hand_in.take(entry, given.getvalue(), asker=tab())
        except JourneyError as error:
            say_error(str(error))
        else:
            st.rerun()
