"""The team's tasks: find one, see how far it is, open it."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from journey import print_inputs, printing
from journey.errors import FileMissing
from journey.files import file_url
from journey.history import Entry
from journey.images import THUMBNAIL
from journey.wording import moment, pixels, print_size, progress, state_words
from journey.workspace import LABELS, workspace
from pages import _parts

ROWS = 50
ANY = "any size"
space = workspace()


def thumbnail(entry: Entry) -> str | None:
    key = entry.result_key or entry.source_key
    try:
        space.files.path(str(key), THUMBNAIL)
    except FileMissing:
        return None
    return file_url("", str(key), THUMBNAIL)


def row(entry: Entry, now: float) -> dict[str, object]:
    return {
        "Picture": thumbnail(entry),
        "Name": entry.name,
        "State": state_words(entry, now),
        "Progress": progress(entry),
        "Engine": LABELS[entry.engine],
        "Enlarged": entry.type,
        "Network": entry.result_model or entry.model,
        "Before": pixels(entry.source_width, entry.source_height),
        "After": pixels(entry.result_width, entry.result_height),
        "Prints at 300 DPI": print_size(entry.result_width, entry.result_height),
        "Credits": entry.credits,
        "Who": entry.person,
        "When": moment(entry.created_at, st.context.timezone),
    }


def open_selected() -> None:
    """Keep what was opened in the address, so that it can be shared and survives new rows."""
    if rows := st.session_state.table.selection.rows:
        st.query_params["task"] = st.session_state.shown[rows[0]]


def details(entry: Entry) -> None:
    _parts.task_card(entry, full=True)
    with st.expander("What happened when", icon=":material/timeline:"):
        for step in space.history.timeline(entry.id):
            words = state_words(entry, time.time()) if step.state == entry.state else step.state.value
            st.text(f"{moment(step.at, st.context.timezone)}   {words}" + (f"   {step.words}" if step.words else ""))
        if entry.task_id:
            st.caption("Task ID")
            st.code(entry.task_id, language=None)


def ready_for() -> tuple[int, int] | None:
    """The pixels of the paper that results have to fill, from the filter; None without one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Ready for",
            [ANY, *printing.PAPERS],
            format_func=lambda each: each if each == ANY else print_inputs.target_label(each),
            key="ready_for",
            persist_state="session",
            width=320,
        )
        dpi = st.text_input("at DPI", key="ready_dpi", max_chars=20, persist_state="session", width=120)
    if name == ANY:
        return None
    try:
        across, down = printing.pixels_needed(printing.PAPERS[name], print_inputs.number(dpi, "DPI"))
    except ValueError as error:
        _parts.say_error(str(error))
        return None
    return across - printing.TOLERANCE_PX, down - printing.TOLERANCE_PX


def take_filter() -> None:
    """The filter as the address asks for it: `?ready=A3&at=300`."""
    st.session_state.setdefault("ready_for", ANY)
    st.session_state.setdefault("ready_dpi", "300")
    asked = st.query_params.get("ready"), st.query_params.get("at")
    if asked == st.session_state.get("ready_address") or asked == (None, None):
        return
    if asked[0] is not None:
        known = {name.lower(): name for name in printing.PAPERS}
        st.session_state.ready_for = known.get(asked[0].lower(), ANY)
        if st.session_state.ready_for == ANY:
            _parts.say_error(f"There is no paper named “{asked[0][:40]}”, so all tasks are shown.")
    if asked[1] is not None:
        st.session_state.ready_dpi = asked[1][:20]


def give_filter() -> None:
    """Keep the filter in the address, so that it can be shared."""
    name = st.session_state.ready_for
    if name == ANY:
        asked: tuple[str | None, str | None] = (None, None)
        for parameter in ("ready", "at"):
            st.query_params.pop(parameter, None)
    else:
        asked = name, st.session_state.ready_dpi
        if (st.query_params.get("ready"), st.query_params.get("at")) != asked:
            st.query_params.update({"ready": name, "at": st.session_state.ready_dpi})
    st.session_state.ready_address = asked


_parts.header("History", "Every task of this studio, whoever started it.")
total = space.history.count()
if total == 0:
    st.info("No tasks yet. Upscale a picture and it will be listed here.", icon=":material/history:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    st.stop()

if wanted := st.query_params.get("task"):
    opened = space.history.get(wanted)
    if opened is None:
        _parts.say_error("There is no task with this address. It may have been deleted.")
    else:
        details(opened)

take_filter()
fills = ready_for()
give_filter()
matching = space.history.count(fills=fills) if fills else total
pages = max(1, -(-matching // ROWS))
if st.session_state.get("page", 1) > pages:
    st.session_state.page = pages
place = st.number_input("Page", 1, pages, 1, key="page", bind="query-params") if pages > 1 else 1


@st.fragment(run_every=_parts.WATCH_SECONDS)
def table() -> None:
    shown = space.history.latest(limit=ROWS, offset=(place - 1) * ROWS, fills=fills)
    st.session_state.shown = [entry.id for entry in shown]
    now = time.time()
    st.dataframe(
        pd.DataFrame([row(entry, now) for entry in shown]),
        key="table",
        hide_index=True,
        row_height=64,
        on_select=open_selected,
        selection_mode="single-row",
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d %%"),
        },
        alt="Tasks, the newest first",
    )


if fills and not matching:
    st.info(
        f"None of the {total:,} tasks has a result that fills this paper. Choose a smaller one, or fewer DPI.",
        icon=":material/print:",
    )
    st.page_link("print_size.py", label="Plan a print", icon=":material/straighten:")
else:
    of_all = f"{matching:,} of {total:,} tasks" if fills else f"{total:,} task{'' if total == 1 else 's'}"
    st.caption(f"{of_all}. Select a row to open it.")
    table()
