"""The team's tasks: find one, see how far it is, open it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pandas as pd
import streamlit as st

from journey.errors import InvalidRequest
from journey.history import Entry, Filter, Found, State
from journey.pictures.previews import THUMBNAIL
from journey.storage.files import file_url
from journey.views.listing import ORDERS, Listing
from journey.views.words import counted, file_size, literal, moment, pixels, print_size, progress, state_words, took
from journey.web.exports import Form
from journey.workspace import LABELS, workspace
from pages import _find, _parts, _task_details

ROWS = 50
TABLE_HEIGHT = 640
space = workspace()
state = st.session_state


def thumbnail(entry: Entry) -> str | None:
    """Whether it is still there is not looked up: a missing one is an empty cell."""
    key = entry.result_key if entry.state is State.FINISHED and entry.result_key else entry.source_key
    return file_url("", key, THUMBNAIL) if key else None


def row(entry: Entry, tags: Sequence[str], now: float) -> dict[str, object]:
    return {
        "Picture": thumbnail(entry),
        "Name": entry.name,
        "State": state_words(entry, now),
        "Progress": progress(entry),
        "Tags": list(tags),
        "Enlarged": entry.type,
        "After": pixels(entry.result_width, entry.result_height),
        "Prints at 300 DPI": print_size(entry.result_width, entry.result_height),
        "Engine": LABELS[entry.engine],
        "Network": entry.network,
        "Credits": entry.credits,
        "Took": took(entry),
        "Who": entry.person,
        "When": moment(entry.created_at, st.context.timezone),
        "Before": pixels(entry.source_width, entry.source_height),
        "Comment": entry.comment,
    }


COLUMNS = {
    "Picture": st.column_config.ImageColumn(width=72),
    "Name": st.column_config.TextColumn(width="medium"),
    "Progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d %%", width="small"),
    "Tags": st.column_config.ListColumn(width="small"),
    "Comment": st.column_config.TextColumn(width="medium"),
}


def table_key() -> str:
    return f"table_{state.get('tables', 0)}"


def chosen() -> None:
    """Remember by id what is ticked, because rows move; a click on any cell opens its task."""
    shown, selection = state.shown, state[table_key()].selection
    state.ticked = [shown[place] for place in selection.rows if place < len(shown)]
    if selection.cells and selection.cells[0][0] < len(shown):
        state.opened = shown[selection.cells[0][0]]
        # A new table: this one would come back with the click still in it.
        state.tables = state.get("tables", 0) + 1


def ticks(ids: list[str]) -> dict[str, object]:
    """The ticks, which follow their tasks when others came before them."""
    state.ticked = [each for each in state.get("ticked", []) if each in ids]
    places = [place for place, each in enumerate(ids) if each in state.ticked]
    selected = {"selection": {"rows": places, "columns": [], "cells": []}}
    if ids != state.get("shown") and table_key() in state:
        state[table_key()] = selected
    state.shown = ids
    return selected


def look(wanted: Filter, listing: Listing) -> tuple[Found, int, pd.DataFrame]:
    """What is on this page of the list, how many tasks there are in all, and both as a table.

    Asked again only when something has changed, or when a minute has passed: some words depend on the time.
    """
    now = time.time()
    pulse = space.history.pulse()
    asked = (pulse, listing, state.get("edits", 0), int(now / 60), st.context.timezone)
    if state.get("looked", (None,))[0] != asked:
        found = space.history.search(wanted, order=listing.order, limit=ROWS, offset=(listing.page - 1) * ROWS)
        rows = [row(entry, found.tags.get(entry.id, ()), now) for entry in found.entries]
        state.looked = asked, found, pd.DataFrame(rows)
    _, found, table = state.looked
    return found, pulse[0], table


@st.fragment(run_every=_parts.WATCH_SECONDS)
@_parts.protected()
def tasks(chosen_listing: Listing, wanted: Filter) -> None:
    if opened := state.pop("opened", None):
        st.query_params["task"] = opened
        st.rerun()
    listing = replace(chosen_listing, page=state.place)
    found, total, table = look(wanted, listing)
    pages = max(1, -(-found.total // ROWS))
    if listing.page > pages:
        _find.turn_to(pages)
        listing = replace(listing, page=pages)
        found, total, table = look(wanted, listing)
    _find.give(listing)
    selected = ticks([entry.id for entry in found.entries])
    if not found.total:
        nothing_found(total)
        return
    tools(listing, found, total)
    st.dataframe(
        table,
        key=table_key(),
        height=TABLE_HEIGHT if len(table) > 8 else "content",
        hide_index=True,
        row_height=64,
        on_select=chosen,
        selection_mode=["multi-row", "single-cell"],
        selection_default=selected,
        column_config=COLUMNS,
        placeholder="",
        alt=f"Tasks, {ORDERS[listing.order].lower()}",
    )
    if pages > 1:
        st.pagination(pages, default=listing.page, key=_find.pager(), on_change=_find.turned)


def nothing_found(total: int) -> None:
    if not total:
        st.info("No tasks are left. Upscale a picture and it will be listed here.", icon=":material/history:")
        return
    st.info(
        f"None of the {total:,} tasks matches. Search for fewer words, or clear the filters.",
        icon=":material/search_off:",
    )


def tools(listing: Listing, found: Found, total: int) -> None:
    """How many there are, and what can be done with the ticked ones or with all that match."""
    ticked = [entry for entry in found.entries if entry.id in state.get("ticked", ())]
    of_all = f"{found.total:,} of {total:,} tasks" if listing.leaves_out else counted(total, "task")
    # The buttons stay on the left: the table shows its own on the right, above itself.
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(f"Ticked · {len(ticked)}", icon=":material/check_box:", key="ticked_open", disabled=not ticked):
            with_ticked(ticked)
        with st.popover("Export", icon=":material/download:", key="export_open"):
            export(listing, found.total, [entry.id for entry in ticked])
        st.caption(f"**{of_all}.** Click one to open it; tick some to tag, compare or delete them.", width="content")


def with_ticked(ticked: Sequence[Entry]) -> None:
    ids = [entry.id for entry in ticked]
    tag = st.selectbox(
        "Tag",
        space.history.known_tags(),
        index=None,
        format_func=literal,
        accept_new_options=True,
        placeholder="Choose or type a tag",
        key="bulk_tag",
    )
    with st.container(horizontal=True):
        if st.button("Add tag", key="bulk_add", icon=":material/new_label:") and tag_them(ids, tag):
            st.rerun(scope="fragment")
        if st.button("Remove tag", key="bulk_remove", icon=":material/label_off:", disabled=not tag):
            space.history.untag(ids, str(tag))
            changed(f"“{literal(str(tag))}” is removed from {counted(len(ids), 'task')}.")
            st.rerun(scope="fragment")
    if len(ids) == 2:
        st.page_link(
            "compare.py",
            label="Compare these two",
            icon=":material/compare:",
            query_params={"left": ids[0], "right": ids[1]},
        )
    if finished := [entry.id for entry in ticked if entry.state is State.FINISHED]:
        st.page_link(
            "batch.py",
            label="Upscale their results as a batch",
            icon=":material/stacks:",
            query_params={"from": ",".join(finished)},
        )
    over = [entry.id for entry in ticked if entry.state.over]
    st.divider()
    st.write(f"Delete {counted(len(over), 'task')} with the pictures? This cannot be undone.")
    st.caption(", ".join(literal(entry.name, limit=40) for entry in ticked if entry.state.over))
    if len(over) < len(ids):
        st.caption(f"{len(ids) - len(over)} of those ticked are not over, and stay.")
    if st.button("Delete for good", key="bulk_delete", type="primary", icon=":material/delete:", disabled=not over):
        gone = space.delete(over)
        changed(f"{counted(len(gone), 'task')} deleted.")
        st.rerun(scope="fragment")


def tag_them(ids: Sequence[str], tag: str | None) -> bool:
    if tag is None:
        _parts.say_error("Choose a tag first, or type a new one.")
        return False
    try:
        spelled = space.history.tag(ids, tag)
    except InvalidRequest as error:
        _parts.say_error(str(error))
        return False
    changed(f"{counted(len(ids), 'task')} tagged “{literal(spelled)}”.")
    return True


def changed(what: str) -> None:
    """Say what was done, and look anew: tags do not change the pulse."""
    state.edits = state.get("edits", 0) + 1
    st.toast(what, icon=":material/check:")


def export(listing: Listing, total: int, ticked: list[str]) -> None:
    meant = f"the {len(ticked)} ticked" if ticked else f"all {total:,} that match"
    st.caption(f"Every fact of {meant}, made when you click. No pictures, no secrets.")
    # A link, and no download button: this part is drawn again and again, and each time such a button's file is another.
    for form in get_args(Form):
        url = space.export_url(form, listing, timezone=st.context.timezone, ids=ticked)
        st.link_button(f"Download {form.upper()}", _parts.origin() + url, icon=":material/download:", width="stretch")


def show_room() -> None:
    """How much room pictures take, and until when results are kept."""
    pulse = state.looked[0][0]
    if state.get("stored", (None,))[0] != pulse:
        state.stored = pulse, space.history.result_bytes()
    told = [f"Stored results: {file_size(state.stored[1])}."]
    if use := space.disk_use.look():
        when = moment(use.at, st.context.timezone)
        told.append(f"All files with originals and previews: {file_size(use.size)}, counted {when}.")
    if days := space.settings.keep_days:
        told.append(f"Results are removed {days} days after they are finished; their tasks stay here.")
    st.caption(" ".join(told))


_parts.header("History", "Every task of this studio, whoever started it.")
wanted_task = st.query_params.get("task")
opened_task = space.history.get(wanted_task) if wanted_task else None
if opened_task:
    _task_details.draw(opened_task)
    st.stop()
if wanted_task:
    _parts.say_error("There is no task with this address. It may have been deleted.")
if not space.history.count():
    st.info("No tasks yet. Upscale a picture and it will be listed here.", icon=":material/history:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    _parts.watch([], limit=1)
    st.stop()
current = _find.choose()
try:
    meant = current.filter(st.context.timezone)
except ValueError as error:
    _parts.say_error(str(error))
    st.stop()
if replace(current, page=1) != replace(state.get("chosen", current), page=1):
    _find.turn_to(1)
state.chosen = current
tasks(current, meant)
show_room()
