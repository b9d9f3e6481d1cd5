"""The team's tasks: find one, see how far it is, open it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from journey.views import links
from journey.views.listing import room_words
from journey.workspace import workspace
from pages.frame.header import header
from pages.frame.protection import say_error
from pages.frame.watching import watch
from pages.listing import find
from pages.listing.table import task_table
from pages.task.details import details

state = st.session_state


def show_room() -> None:
    """How much room pictures take, and how long results are kept."""
    space = workspace()
    pulse = state.looked[0][0]
    if state.get("stored", (None,))[0] != pulse:
        state.stored = pulse, space.history.lists.result_bytes()
    room = space.disk_use.look()
    counted_at = space.disk_use.told_at
    st.caption(room_words(state.stored[1], room, counted_at, st.context.timezone, space.settings.keep_days))


header("History", "Every task in this studio, whoever started it.")
asked = links.asked_task(st.query_params)
task = workspace().history.get(asked) if asked else None
if task:
    details(task)
    st.stop()
if asked:
    say_error("There is no task with this address. It may have been deleted.")
if not workspace().history.lists.count():
    st.info("No tasks yet. Upscale a picture and it will be listed here.", icon=":material/history:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    watch([], limit=1)
    st.stop()
listing = find.choose()
try:
    meant = listing.filter(st.context.timezone)
except ValueError as error:
    say_error(str(error))
    st.stop()
if replace(listing, page=1) != replace(state.get("chosen", listing), page=1):
    find.turn_to(1)
state.chosen = listing
task_table(listing, meant)
show_room()
