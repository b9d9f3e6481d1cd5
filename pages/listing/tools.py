"""What can be done with the ticked tasks of History, or with all that match."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from journey.errors import InvalidRequest
from journey.studio import Entry, Found
from journey.views import links
from journey.views.listing import Listing, matches, where_it_looked
from journey.views.words import counted, literal
from journey.workspace import EXPORT_FORMS, workspace
from pages.frame.protection import say_error
from pages.frame.visitor import origin

state = st.session_state


def tools(listing: Listing, found: Found, total: int) -> None:
    """How many tasks match, and what can be done with them."""
    ticked = [entry for entry in found.entries if entry.id in state.get("ticked", ())]
    of_all = matches(found, total, leaves_out=listing.leaves_out)
    of_all = of_all[:1].upper() + of_all[1:]
    # The buttons stay on the left, because the table shows its own on the right, above itself.
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(f"Ticked · {len(ticked)}", icon=":material/check_box:", key="ticked_open", disabled=not ticked):
            _with_ticked(ticked)
        with st.popover("Export", icon=":material/download:", key="export_open"):
            _export(listing, found, [entry.id for entry in ticked])
        st.caption(f"**{of_all}.** Click one to open it; tick some to tag, compare or delete them.", width="content")
    if said := where_it_looked(found):
        st.caption(said)


def _with_ticked(ticked: Sequence[Entry]) -> None:
    _tag([entry.id for entry in ticked])
    if len(ticked) == 2:
        st.page_link(
            "compare.py", label="Compare these two", icon=":material/compare:", query_params=links.pair(*ticked)
        )
    if finished := [entry for entry in ticked if entry.result]:
        st.page_link(
            "batch.py",
            label="Upscale their results as a batch",
            icon=":material/stacks:",
            query_params=links.batch_of(finished),
        )
    st.divider()
    _delete(ticked)


def _tag(ids: Sequence[str]) -> None:
    labels = workspace().history.labels
    tag = st.selectbox(
        "Tag",
        labels.known_tags(),
        index=None,
        format_func=literal,
        accept_new_options=True,
        placeholder="Choose or type a tag",
        key="bulk_tag",
    )
    with st.container(horizontal=True):
        if st.button("Add tag", key="bulk_add", icon=":material/new_label:") and _tag_them(ids, tag):
            st.rerun(scope="fragment")
        if st.button("Remove tag", key="bulk_remove", icon=":material/label_off:", disabled=not tag):
            labels.untag(ids, str(tag))
            _changed(f"“{literal(str(tag))}” removed from {counted(len(ids), 'task')}.")
            st.rerun(scope="fragment")


def _tag_them(ids: Sequence[str], tag: str | None) -> bool:
    if tag is None:
        say_error("Choose a tag first, or type a new one.")
        return False
    try:
        spelled = workspace().history.labels.tag(ids, tag)
    except InvalidRequest as error:
        say_error(str(error))
        return False
    _changed(f"{counted(len(ids), 'task')} tagged “{literal(spelled)}”.")
    return True


def _delete(ticked: Sequence[Entry]) -> None:
    over = [entry for entry in ticked if entry.state.over]
    st.write(f"Delete {counted(len(over), 'task')}, pictures included? This cannot be undone.")
    st.caption(", ".join(literal(entry.name, limit=40) for entry in over))
    if left := len(ticked) - len(over):
        st.caption(f"{counted(left, 'ticked task')} will stay, because only tasks that have ended can be deleted.")
    if st.button("Delete for good", key="bulk_delete", type="primary", icon=":material/delete:", disabled=not over):
        gone = workspace().removal.delete([entry.id for entry in over])
        _changed(f"{counted(len(gone), 'task')} deleted.")
        st.rerun(scope="fragment")


def _changed(what: str) -> None:
    """Say what was done, and read the list again: tags do not change the pulse."""
    state.edits = state.get("edits", 0) + 1
    st.toast(what, icon=":material/check:")


def _export(listing: Listing, found: Found, ticked: list[str]) -> None:
    number = "" if found.is_more else f" {found.total:,}"
    matching = "the task that matches" if found.total == 1 else f"all{number} that match"
    meant = f"the {counted(len(ticked), 'ticked task')}" if ticked else matching
    st.caption(f"Every fact about {meant}, as it is when you click. No pictures, no secrets.")
    # Links instead of download buttons: this part is drawn often, and such a button would get a new file each time.
    for form in EXPORT_FORMS:
        url = workspace().export_url(form, listing, timezone=st.context.timezone, ids=ticked)
        st.link_button(f"Download {form.upper()}", origin() + url, icon=":material/download:", width="stretch")
