"""Original against result: side by side, and under a slider."""

from __future__ import annotations

import streamlit as st

from journey.history import State
from journey.wording import moment
from journey.workspace import workspace
from pages import _parts

CHOICES = 100
space = workspace()

_parts.header("Compare", "Original against result, side by side or under a slider.")
finished = [entry for entry in space.history.latest(limit=CHOICES, states=[State.FINISHED]) if entry.result_key]
wanted = st.query_params.get("task")
if wanted and all(entry.id != wanted for entry in finished):
    linked = space.history.get(wanted)
    if linked is not None and linked.state is State.FINISHED and linked.result_key:
        finished.append(linked)
    else:
        _parts.say_error("There is no finished task with this address, so there is nothing to compare.")
if not finished:
    st.info("Nothing to compare yet. Upscale a picture first.", icon=":material/compare:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    st.stop()

by_id = {entry.id: entry for entry in finished}
if wanted in by_id:
    st.session_state.compared = wanted


def keep_in_address() -> None:
    st.query_params["task"] = st.session_state.compared


chosen = st.selectbox(
    "Task",
    list(by_id),
    format_func=lambda each: (
        f"{by_id[each].name} · {by_id[each].type} · {moment(by_id[each].finished_at, st.context.timezone)}"
    ),
    key="compared",
    on_change=keep_in_address,
)
how = st.segmented_control("View", ["Slider", "Side by side"], default="Slider", required=True, key="view")
entry = by_id[chosen]
if how == "Slider":
    _parts.before_after(entry, key=f"viewer_{entry.id}")
else:
    _parts.side_by_side(entry)
st.caption(f"Made with {entry.result_model}." if entry.result_model else "")
