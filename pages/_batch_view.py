"""A batch under way: how far it is as a whole, each picture, and what can be done with all of them."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from journey.api.models import CREDITS_PER_UPSCALE
from journey.errors import JourneyError
from journey.history import LIVE, Entry, State
from journey.pictures.previews import THUMBNAIL
from journey.storage.files import file_url
from journey.studio.batches.store import PAUSED_NOTE, Batch, Item, Progress, progress, seconds_left
from journey.views import batches as words
from journey.views.words import counted, file_size, literal, moment, pixels, state_words
from journey.views.words import progress as percent
from journey.web.results_zip import download_url
from journey.workspace import LABELS, workspace
from pages import _parts

REFRESH_SECONDS = 1.0
ROW_HEIGHT = 64
ROWS_SEEN = 8
SECONDS_EACH = 0.7
"""For sending and storing one picture, however small."""
state = st.session_state


def show(batch_id: str) -> None:
    batch = workspace().batches.get(batch_id)
    if batch is None:
        _parts.say_error("There is no batch with this address. It may have been deleted.")
        st.button("New batch", key="batch_new", icon=":material/add:", on_click=st.query_params.clear)
        return
    head(batch)
    over = progress(workspace().batches.items(batch_id)).over

    @st.fragment(run_every=None if over else REFRESH_SECONDS)
    @_parts.protected()
    def live() -> None:
        now = workspace().batches.get(batch_id) or batch
        items = workspace().batches.items(batch_id)
        how_far = progress(items)
        if how_far.over and not over:
            st.rerun()
        draw(now, items, how_far)

    live()


def head(batch: Batch) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.header(literal(batch.name), anchor=False)
            st.caption(
                moment(batch.created_at, st.context.timezone) + (f" · {literal(batch.person)}" if batch.person else "")
            )
        with st.container(horizontal=True, width="content"):
            st.page_link(
                "history.py", label="Open in History", icon=":material/history:", query_params={"batch": batch.id}
            )
            st.button("New batch", key="batch_new", icon=":material/add:", on_click=st.query_params.clear)
    if batch.elsewhere:
        st.info(
            f"{counted(batch.elsewhere, 'picture')} of it "
            f"{'is' if batch.elsewhere == 1 else 'are'} being enlarged elsewhere in the studio already, with the same "
            "settings, so nothing was queued twice.",
            icon=":material/content_copy:",
        )
    of_batch, left = state.get("batch_left", (None, 0))
    if left and of_batch == batch.id:
        st.caption(f"{counted(left, 'line')} not used. What was entered is still there under “New batch”.")


def draw(batch: Batch, items: list[Item], how_far: Progress) -> None:
    left = None if batch.held else time_left(items)
    st.progress(min(1.0, how_far.fraction), text=words.progress(how_far, left, held=batch.held))
    st.caption(words.states(how_far))
    actions(batch, items, how_far)
    if problem := state.pop("batch_stop_problem", None):
        _parts.say_error(problem)
    if not items:
        st.info("Every picture of this batch is in another one.", icon=":material/content_copy:")
        return
    now = time.time()
    st.dataframe(
        pd.DataFrame([row(item, batch, now) for item in items]),
        key=f"batch_items_{batch.id}",
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=table_height(len(items)),
        placeholder="",
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Name": st.column_config.TextColumn(width=180),
            "Progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d %%"),
            "Result": st.column_config.TextColumn(width=150),
            "Download": st.column_config.LinkColumn(display_text="Download"),
            "Details": st.column_config.LinkColumn(display_text="Open"),
            "Note": st.column_config.TextColumn(width="large"),
        },
        alt="The pictures of this batch",
    )
    if how_far.undecided:
        st.warning(
            f"For {counted(how_far.undecided, 'picture')} it is not known whether JourneyAPI accepted the call. "
            "These are never sent again by themselves: open them to decide.",
            icon=":material/help:",
        )


def time_left(items: list[Item]) -> float | None:
    """As estimated for this machine; elsewhere by the pace so far."""
    live = [item.entry for item in items if item.entry.state in LIVE]
    if any(entry.engine == "journeyapi" for entry in live):
        return seconds_left(items, time.time())
    usual = {
        way: workspace().usual_seconds("embedded", way[0], size=(1000, 1000), network=way[1])
        for way in {(entry.scale, entry.model) for entry in live}
    }
    if None in usual.values():
        return None
    megapixels = [(entry, (entry.source_width or 1024) * (entry.source_height or 1024) / 1e6) for entry in live]
    return sum(
        (SECONDS_EACH + (usual[entry.scale, entry.model] or 0) * size) * (1 - percent(entry) / 100)
        for entry, size in megapixels
    )


def table_height(rows: int) -> int:
    """Screen pixels for so many rows and their head; a long table scrolls."""
    return ROW_HEIGHT * min(rows, ROWS_SEEN) + 40


def row(item: Item, batch: Batch, now: float) -> dict[str, object]:
    entry = item.entry
    stored = entry.state is State.FINISHED and entry.result_key and entry.result_file
    key = entry.result_key or entry.source_key
    note = None if entry.note == PAUSED_NOTE else entry.note
    said = "Paused" if item.waits and batch.held else "Waiting its turn" if item.waits else state_words(entry, now)
    return {
        "Picture": file_url("", key, THUMBNAIL) if key else None,
        "Name": entry.name,
        "State": said,
        "Progress": percent(entry),
        "Enlarged": entry.type,
        "Result": pixels(entry.result_width, entry.result_height),
        "Download": f"{file_url('', str(entry.result_key), str(entry.result_file))}?download" if stored else None,
        "Details": f"/history?task={entry.id}",
        "Note": " ".join(filter(None, (entry.error, note, f"Try {item.tries}." if item.tries > 1 else ""))),
    }


def actions(batch: Batch, items: list[Item], how_far: Progress) -> None:
    """What can be done with all of it. Stopping is asked once, in place."""
    store = workspace().batches
    with st.container(horizontal=True, vertical_alignment="center"):
        if not how_far.over:
            if batch.held:
                st.button(
                    "Resume",
                    key="batch_resume",
                    icon=":material/play_arrow:",
                    type="primary",
                    on_click=_parts.acting(store.resume),
                    args=(batch.id,),
                )
            elif any(item.entry.state is State.QUEUED for item in items):
                st.button(
                    "Pause",
                    key="batch_pause",
                    icon=":material/pause:",
                    on_click=_parts.acting(store.pause),
                    args=(batch.id,),
                    help="What was sent goes on; what waits is not sent until you resume.",
                )
            st.button("Stop…", key="batch_stop", icon=":material/stop:", on_click=ask_to_stop, args=(batch.id,))
        if how_far.failed:
            failed = [item.entry for item in items if item.entry.state is State.FAILED]
            st.button(
                f"Try {counted(len(failed), 'failed picture')} again · {price(failed)}",
                key="batch_retry",
                icon=":material/replay:",
                on_click=retry,
                args=(batch.id,),
            )
        if how_far.finished:
            results = [item.entry for item in items if item.entry.state is State.FINISHED and item.entry.result_key]
            st.link_button(
                f"Download {counted(len(results), 'result')} as ZIP · "
                f"{file_size(sum(entry.result_bytes or 0 for entry in results))}",
                _parts.origin() + download_url(batch.download_key),
                type="primary",
                icon=":material/download:",
                disabled=not results,
            )
    if state.get("batch_asked") == batch.id and not how_far.over:
        confirm_stop(batch, items)


def price(entries: list[Entry]) -> str:
    paid = CREDITS_PER_UPSCALE * sum(entry.engine == "journeyapi" for entry in entries)
    return f"{paid:,} credits more" if paid else "free"


def confirm_stop(batch: Batch, items: list[Item]) -> None:
    queued = sum(item.entry.state is State.QUEUED for item in items)
    running = [item.entry for item in items if item.entry.state is State.OPEN]
    here = sum(entry.engine == "embedded" for entry in running)
    sentences = [f"{counted(queued, 'picture')} not sent yet {'is' if queued == 1 else 'are'} cancelled."]
    if here:
        sentences.append(f"{here} being worked on here stop.")
    if elsewhere := len(running) - here:
        sentences.append(
            f"{elsewhere} that {LABELS['journeyapi']} works on cannot be stopped: they are paid for "
            f"({elsewhere * CREDITS_PER_UPSCALE} credits) and would no longer be watched."
        )
    st.warning("Stop this batch? " + " ".join(sentences), icon=":material/stop:")
    with st.container(horizontal=True):
        st.button(
            "Stop all", key="batch_stop_all", icon=":material/stop:", type="primary", on_click=stop, args=(batch,)
        )
        if running:
            st.button("Only cancel what waits", key="batch_cancel", on_click=cancel, args=(batch.id,))
        st.button("Keep going", key="batch_keep", on_click=ask_to_stop, args=(None,))


def ask_to_stop(batch_id: str | None) -> None:
    state.batch_asked = batch_id


@_parts.acting
def cancel(batch_id: str) -> None:
    workspace().batches.cancel_waiting(batch_id)
    state.batch_asked = None


@_parts.acting
def stop(batch: Batch) -> None:
    """What waits first, so that nothing is sent while the others are being stopped. A result that came is kept."""
    workspace().batches.cancel_waiting(batch.id)
    state.batch_asked = None
    for item in workspace().batches.items(batch.id):
        if item.entry.state is State.OPEN:
            try:
                workspace().stop_entry(item.entry)
            except JourneyError as error:
                state.batch_stop_problem = str(error)


@_parts.acting
def retry(batch_id: str) -> None:
    workspace().batches.retry(batch_id)
    workspace().wake()
