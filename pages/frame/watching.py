"""Parts that show nothing, but draw the page again when something has changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import streamlit as st

from journey.studio import Entry, Kin
from journey.views.notices import has_moved
from journey.workspace import workspace
from pages.frame.protection import protected

WATCH_SECONDS = 1.5


def watch(shown: Sequence[Entry], *, limit: int, kin: Kin | None = None) -> None:
    """Draw the page again when the latest tasks have changed, or one of them (or its kin) has started or ended."""
    known = {entry.id: entry for entry in (*(kin.entries if kin else ()), *shown)}
    elsewhere = [entry.id for entry in known.values() if entry not in shown and not entry.state.over]

    def has_changed() -> bool:
        lists = workspace().history.lists
        latest = lists.latest(limit=limit, once=True)
        is_other = [entry.id for entry in latest] != [entry.id for entry in shown]
        return is_other or has_moved(known, (*latest, *lists.related(ids=elsewhere)))

    wait_until(has_changed)


def wait_until(ready: Callable[[], bool], *, look_every: float = WATCH_SECONDS) -> None:
    """Draw the page again once `ready` is true, for something that the page says is still to come."""
    is_refresh = refreshes()

    @st.fragment(run_every=look_every)
    @protected(quiet=True)
    def look() -> None:
        if is_refresh() and ready():
            st.rerun()

    look()


def refreshes() -> Callable[[], bool]:
    """What tells a part that draws itself again whether it does so now; False when the whole page is drawn.

    Only then may it have the page drawn again. In the run that draws the page, that would take away what the page has
    just answered to a click.
    """
    runs = itertools.count()
    return lambda: next(runs) > 0
