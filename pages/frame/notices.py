"""What people are told wherever they are: that a task of theirs ended, and how many are under way."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from journey.studio import Entry, State
from journey.views import notices
from journey.views.words import ending, endings, tab_title
from journey.workspace import workspace
from pages.frame.protection import protected
from pages.frame.visitor import person as visitor

REFRESH_SECONDS = 2.0
TOLD_ONE_BY_ONE = 3
ICONS = {
    State.FINISHED: ":material/check_circle:",
    State.FAILED: ":material/error:",
    State.ASKING: ":material/help:",
    State.AMBIGUOUS: ":material/help:",
}
"""Ordered by how much a person has to do about it, the most last."""


def show(page: str) -> None:
    """Draw nothing; from now on this tab's title counts what is under way, and each task's end is told once.

    People who are signed in are told of their own tasks, wherever these were queued. Without sign-in, a browser is
    told of the tasks that were queued in it. Call it once per run with the page's title, after the sign-in check.
    """

    @st.fragment(run_every=REFRESH_SECONDS)
    @protected(quiet=True)
    def look() -> None:
        person = visitor()
        open_now = workspace().history.lists.under_way(person=person)
        # Each time, not only when it changes: Streamlit drops what a run said when the next one begins at the very
        # moment it ends, and a title lost that way would never appear.
        st.set_page_config(page_title=tab_title(page, len(open_now)))
        awaited: set[str] = st.session_state.setdefault("awaited", set())
        if person is not None:
            awaited.update(open_now)
        if not awaited:
            return
        # Whoever waits for the first step of an order waits for the second as well.
        found = workspace().history.lists.related(ids=sorted(awaited), following=sorted(awaited))
        over = notices.ended(found)
        awaited.clear()  # nobody waits for deleted tasks either
        awaited.update(entry.id for entry in found)
        awaited.difference_update(entry.id for group in over for entry in group)
        tell(over)

    look()


def tell(groups: Sequence[Sequence[Entry]]) -> None:
    """One toast for each that ended, or one for all when there are many."""
    told = [group for each in groups if (group := [entry for entry in each if ending(entry)])]
    if len(told) > TOLD_ONE_BY_ONE:
        told = [[entry for group in told for entry in group]]
    for group in told:
        worst = max((entry.state for entry in group), key=list(ICONS).index)
        words = ending(group[0]) if len(group) == 1 else endings(group)
        st.toast(str(words), icon=ICONS[worst], duration="short" if worst is State.FINISHED else "long")
