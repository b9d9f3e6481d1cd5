"""A batch under way: how far it has got as a whole, each picture, and what can be done with all of them."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from journey.errors import JourneyError
from journey.studio import LIVE, State, Variant
from journey.studio.batches.store import Batch, Item, Progress, progress, seconds_left
from journey.views import batches as words
from journey.views import links
from journey.views.words import counted, file_size, literal, moment
from journey.views.words import progress as percent
from journey.workspace import workspace
from pages.batches.table import ROW_HEIGHT, table_height
from pages.frame.protection import acting, protected, say_error
from pages.frame.visitor import origin
from pages.frame.watching import refreshes

REFRESH_SECONDS = 1.0
state = st.session_state


def batch_progress(batch_id: str) -> None:
    """The batch of this id, drawn again and again until it is over."""
    batch = workspace().batches.get(batch_id)
    if batch is None:
        say_error("There is no batch with this address. It may have been deleted.")
        st.button("New batch", key="batch_new", icon=":material/add:", on_click=st.query_params.clear)
        return
    _head(batch)
    over = progress(workspace().batches.items(batch_id)).over

    is_refresh = refreshes()

    @st.fragment(run_every=None if over else REFRESH_SECONDS)
    @protected()
    def live() -> None:
        now = workspace().batches.get(batch_id) or batch
        items = workspace().batches.items(batch_id)
        how_far = progress(items)
        if is_refresh() and how_far.over and not over:
            st.rerun()
        _draw(now, items, how_far)

    live()


def _head(batch: Batch) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.header(literal(batch.name), anchor=False)
            st.caption(
                moment(batch.created_at, st.context.timezone) + (f" · {literal(batch.person)}" if batch.person else "")
            )
        with st.container(horizontal=True, width="content"):
            st.page_link(
                "history.py",
                label="Open in History",
                icon=":material/history:",
                query_params=links.queued_together(batch.id),
            )
            st.button("New batch", key="batch_new", icon=":material/add:", on_click=st.query_params.clear)
    if batch.elsewhere:
        st.info(words.elsewhere(batch), icon=":material/content_copy:")
    of_batch, left = state.get("batch_left", (None, 0))
    if left and of_batch == batch.id:
        st.caption(f"{counted(left, 'line')} not used. You will find what you entered under “New batch”.")


def _draw(batch: Batch, items: list[Item], how_far: Progress) -> None:
    left = None if batch.held else _time_left(items)
    st.progress(min(1.0, how_far.fraction), text=words.progress(how_far, left, held=batch.held))
    st.caption(words.states(how_far))
    _actions(batch, items, how_far)
    if problem := state.pop("batch_stop_problem", None):
        say_error(problem)
    if not items:
        st.info("Every picture of this batch is part of another batch.", icon=":material/content_copy:")
        return
    now = time.time()
    st.dataframe(
        pd.DataFrame([words.item_row(item, batch, now) for item in items]),
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
        st.warning(words.undecided(items), icon=":material/help:")


def _time_left(items: list[Item]) -> float | None:
    """In seconds: estimated for this machine; for other providers, by the pace so far."""
    live = [item.entry for item in items if item.entry.state in LIVE]
    if not all(entry.provider.is_here for entry in live):
        return seconds_left(items, time.time())
    left = 0.0
    for entry in live:
        usual = workspace().usual_seconds(
            Variant(entry.provider, entry.network),
            entry.order_scale,
            size=entry.source_size or (1024, 1024),
            then_network=entry.then_network,
        )
        if usual is None:
            return None
        left += (words.SECONDS_EACH + usual) * (1 - percent(entry) / 100)
    return left


def _actions(batch: Batch, items: list[Item], how_far: Progress) -> None:
    """What can be done with the whole batch. Stopping asks for confirmation, in place."""
    store = workspace().batches
    with st.container(horizontal=True, vertical_alignment="center"):
        if not how_far.over:
            if batch.held:
                st.button(
                    "Resume",
                    key="batch_resume",
                    icon=":material/play_arrow:",
                    type="primary",
                    on_click=acting(store.resume),
                    args=(batch.id,),
                )
            elif any(item.entry.state is State.QUEUED for item in items):
                st.button(
                    "Pause",
                    key="batch_pause",
                    icon=":material/pause:",
                    on_click=acting(store.pause),
                    args=(batch.id,),
                    help="Pictures that were sent go on; the others wait until you resume.",
                )
            st.button("Stop…", key="batch_stop", icon=":material/stop:", on_click=_ask_to_stop, args=(batch.id,))
        if how_far.failed:
            st.button(
                words.retry_words(items),
                key="batch_retry",
                icon=":material/replay:",
                on_click=_retry,
                args=(batch.id,),
            )
        if how_far.finished:
            _offer_download(batch, items)
    if state.get("batch_asked") == batch.id and not how_far.over:
        _confirm_stop(batch, items)


def _offer_download(batch: Batch, items: list[Item]) -> None:
    results = [item.entry.result for item in items if item.entry.result]
    st.link_button(
        f"Download {counted(len(results), 'result')} as ZIP · {file_size(sum(each.bytes or 0 for each in results))}",
        origin() + workspace().results_url(batch),
        type="primary",
        icon=":material/download:",
        disabled=not results,
    )


def _confirm_stop(batch: Batch, items: list[Item]) -> None:
    st.warning(words.stop_words(items), icon=":material/stop:")
    with st.container(horizontal=True):
        st.button(
            "Stop all", key="batch_stop_all", icon=":material/stop:", type="primary", on_click=_stop, args=(batch,)
        )
        if any(item.entry.state is State.OPEN for item in items):
            st.button("Only cancel what is waiting", key="batch_cancel", on_click=_cancel, args=(batch.id,))
        st.button("Keep going", key="batch_keep", on_click=_ask_to_stop, args=(None,))


def _ask_to_stop(batch_id: str | None) -> None:
    state.batch_asked = batch_id


@acting
def _cancel(batch_id: str) -> None:
    workspace().batches.cancel_waiting(batch_id)
    state.batch_asked = None


@acting
def _stop(batch: Batch) -> None:
    """Cancel what waits first, so that nothing is sent while the others are stopped. Results that came are kept."""
    workspace().batches.cancel_waiting(batch.id)
    state.batch_asked = None
    for item in workspace().batches.items(batch.id):
        entry = item.entry
        goes_on = entry.step == 1 and entry.state in (State.SUBMITTING, State.ARCHIVING)
        if entry.state is State.OPEN or goes_on:
            try:
                workspace().stop_entry(entry)
            except JourneyError as error:
                state.batch_stop_problem = str(error)


@acting
def _retry(batch_id: str) -> None:
    workspace().batches.retry(batch_id)
    workspace().wake()
