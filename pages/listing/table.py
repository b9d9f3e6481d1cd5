"""The list of History: one page of it as a table, drawn again whenever something has changed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import streamlit as st

from journey.studio import Filter, Found
from journey.views import links
from journey.views.listing import ORDERS, Listing, nothing_matches, row, where_it_looked
from journey.workspace import workspace
from pages.frame.protection import protected
from pages.frame.watching import WATCH_SECONDS
from pages.listing import find
from pages.listing.tools import tools

ROWS = 50
TABLE_HEIGHT = 640
CONTENT: Literal["content"] = "content"
SELECTION: tuple[Literal["multi-row", "single-cell"], ...] = ("multi-row", "single-cell")
COLUMNS = {
    "Picture": st.column_config.ImageColumn(width=72),
    "Name": st.column_config.TextColumn(width="medium"),
    "Progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d %%", width="small"),
    "Tags": st.column_config.ListColumn(width="small"),
    "Comment": st.column_config.TextColumn(width="medium"),
}
state = st.session_state


@st.fragment(run_every=WATCH_SECONDS)
@protected()
def task_table(chosen: Listing, wanted: Filter) -> None:
    """The tasks that match, page by page."""
    if opened := state.pop("opened", None):
        entry = workspace().history.get(opened)
        if entry is not None:
            st.query_params.update(links.task(entry))
        st.rerun()
    listing = replace(chosen, page=state.place)
    found, total, table = _look(wanted, listing)
    pages = max(1, -(-found.total // ROWS))
    if listing.page > pages:
        find.turn_to(pages)
        listing = replace(listing, page=pages)
        found, total, table = _look(wanted, listing)
    find.give(listing)
    selected = _ticks([entry.id for entry in found.entries])
    if not found.total:
        _nothing_found(found, total)
        return
    tools(listing, found, total)
    st.dataframe(
        table,
        key=_table_key(),
        height=TABLE_HEIGHT if len(table) > 8 else CONTENT,
        hide_index=True,
        row_height=64,
        on_select=_chosen,
        selection_mode=SELECTION,
        selection_default=selected,
        column_config=COLUMNS,
        placeholder="",
        alt=f"Tasks, {ORDERS[listing.order].lower()}",
    )
    if pages > 1:
        st.pagination(pages, default=listing.page, key=find.pager(), on_change=find.turned)


def _look(wanted: Filter, listing: Listing) -> tuple[Found, int, pd.DataFrame]:
    """What is on this page of the list, how many tasks there are in all, and the page as a table.

    Read again only when something has changed, or when a minute has passed: some words depend on the time.
    """
    now = time.time()
    lists, timezone = workspace().history.lists, st.context.timezone
    pulse = lists.pulse()
    asked = (pulse, listing, state.get("edits", 0), int(now / 60), timezone)
    if state.get("looked", (None,))[0] != asked:
        found = lists.search(wanted, order=listing.order, limit=ROWS, offset=(listing.page - 1) * ROWS)
        rows = [row(entry, found.tags.get(entry.id, ()), timezone, now) for entry in found.entries]
        state.looked = asked, found, pd.DataFrame(rows)
    _, found, table = state.looked
    return found, pulse[0], table


def _table_key() -> str:
    return f"table_{state.get('tables', 0)}"


def _chosen() -> None:
    """Remember by id what is ticked, because rows move; a click on any cell opens its task."""
    shown, selection = state.shown, state[_table_key()].selection
    state.ticked = [shown[place] for place in selection.rows if place < len(shown)]
    if selection.cells and selection.cells[0][0] < len(shown):
        state.opened = shown[selection.cells[0][0]]
        # A new table, because this one would come back with the click still in it.
        state.tables = state.get("tables", 0) + 1


def _ticks(ids: list[str]) -> Any:
    """The ticks, which follow their tasks when new ones push them down."""
    state.ticked = [each for each in state.get("ticked", []) if each in ids]
    places = [place for place, each in enumerate(ids) if each in state.ticked]
    selected = {"selection": {"rows": places, "columns": [], "cells": []}}
    if ids != state.get("shown") and _table_key() in state:
        state[_table_key()] = selected
    state.shown = ids
    return selected


def _nothing_found(found: Found, total: int) -> None:
    if not total:
        st.info("No tasks are left. Upscale a picture and it will be listed here.", icon=":material/history:")
        return
    st.info(
        f"{nothing_matches(total)} Search for fewer words, or clear the filters.",
        icon=":material/search_off:",
    )
    if said := where_it_looked(found):
        st.caption(said)
