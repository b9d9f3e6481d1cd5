"""One task as a card: what it is, how far it has got, and everything that can be done with it."""

from __future__ import annotations

import time

import streamlit as st

from journey.studio import LIVE, Entry, Kin, State, Variant, find_kin, is_pair
from journey.views import links
from journey.views.ways import enlarged
from journey.views.words import (
    cleaning_words,
    literal,
    moment,
    origin_words,
    pair_words,
    pixels,
    print_size,
    progress,
    progress_words,
    state_words,
    took,
)
from journey.workspace import workspace
from pages.frame.protection import protected
from pages.frame.watching import refreshes
from pages.task.actions import actions
from pages.task.arrival import begins
from pages.task.by_hand import by_hand
from pages.task.decisions import decisions
from pages.task.ending import draw_again_when_over
from pages.task.pictures import picture
from pages.task.result import result
from pages.task.two_steps import two_steps

REFRESH_SECONDS = 1.0
THUMBNAIL_WIDTH = 96
_LOOKS: dict[State, tuple[str, str]] = {
    State.FINISHED: (":material/check_circle:", "green"),
    State.FAILED: (":material/error:", "red"),
    State.ASKING: (":material/help:", "orange"),
    State.AMBIGUOUS: (":material/help:", "orange"),
    State.CANCELLED: (":material/block:", "gray"),
    State.ABANDONED: (":material/visibility_off:", "gray"),
    State.STOPPED: (":material/stop_circle:", "gray"),
}


def task_card(entry: Entry, *, full: bool = False, kin: Kin | None = None, fills_form: bool = False) -> None:
    """Draw it; `full` adds the result, under a slider with its original.

    With `fills_form` the form of Upscale is on this page, and “Reuse settings” fills it at once.
    `kin` is what `find_kin` found for all cards of a page; without it, kin is looked up for this card.
    """
    kin = find_kin(workspace().history.lists, [entry]) if kin is None else kin
    begun = kin.first_step(entry) or entry
    with st.container(border=True, key=f"card_{entry.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            picture(entry.source, alt=f"Original: {entry.name}", thumbnail=True, width=THUMBNAIL_WIDTH)
            with st.container():
                st.text(entry.name)
                _badges(entry)
                if entry.state in LIVE:
                    _live_progress(entry)
                else:
                    _outcome(entry, begun)
        _kinship(entry, kin)
        decisions(entry)
        by_hand(entry)
        if entry.result and full:
            result(entry, begun, fills_form=fills_form)
        else:
            actions(entry, begun, fills_form=fills_form)


def _badges(entry: Entry) -> None:
    with st.container(horizontal=True):
        if entry.state not in LIVE:
            icon, color = _LOOKS[entry.state]
            st.badge(state_words(entry, time.time()), icon=icon, color=color)  # type: ignore[arg-type]  # one of its colours
        st.badge(entry.provider.label, color="gray")
        st.badge(enlarged(entry), color="gray")
        if entry.enlarged_by:
            st.badge(literal(entry.enlarged_by), color="gray")


def _live_progress(entry: Entry) -> None:
    """The only part of a card that is drawn again and again; when the task ends, the whole page is drawn once."""
    is_first, is_refresh = begins(entry), refreshes()
    usual = workspace().usual_seconds(
        Variant(entry.provider, entry.network),
        entry.order_scale,
        size=entry.source_size,
        then_network=entry.then_network,
    )

    @st.fragment(run_every=REFRESH_SECONDS)
    @protected()
    def line() -> None:
        current = workspace().history.get(entry.id)
        if is_refresh() and (
            current is None or current.state not in LIVE or current.lacks_result != entry.lacks_result
        ):
            st.rerun()
        current = current or entry
        with st.container(gap=None):
            st.progress(progress(current), text=progress_words(current, time.time(), usual))
            draw_again_when_over(entry, begins=is_first)
        if current.note:
            st.text(current.note)

    line()


def _outcome(entry: Entry, begun: Entry) -> None:
    """`begun` is the first step of its order, or the entry itself."""
    if entry.state is State.FINISHED:
        st.caption(
            f"{pixels(begun.source_size)} → {pixels(entry.result_size)} · "
            f"prints {print_size(entry.result_size)} at 300 DPI · took {took(entry, begun)}"
        )
        if cleaned := cleaning_words(entry):
            st.caption(cleaned)
    else:
        st.caption(moment(entry.finished_at or entry.changed_at, st.context.timezone))
    if entry.note:
        st.text(entry.note)


def came_from(task_id: str, index: str | None, kin: Kin) -> None:
    """The task that a picture came from, with a link when it is ours."""
    parent = kin.of_task(task_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(origin_words(task_id, index), width="content")
        if parent is not None:
            st.page_link(
                "history.py",
                label=f"Open {literal(parent.name, limit=40)}",
                icon=":material/account_tree:",
                query_params=links.task(parent),
            )


def _kinship(entry: Entry, kin: Kin) -> None:
    two_steps(entry, kin)
    if entry.came_from and entry.step != 2:
        came_from(entry.came_from, entry.came_from_index, kin)
    if not is_pair(entry.batch):
        return
    other = kin.other_half(entry)
    if other is None or not (entry.result and other.result):
        st.text(pair_words(entry, other, time.time()))
        return
    left, right = sorted((entry, other), key=lambda half: (half.created_at, half.id))
    st.page_link("compare.py", label="Compare A/B", icon=":material/compare:", query_params=links.pair(left, right))
