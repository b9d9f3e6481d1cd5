"""The result of a task where one looks: under a slider, at 100 % on its most detailed place, with its actions above."""

from __future__ import annotations

import streamlit as st

from journey.errors import FileMissing
from journey.studio import Entry
from journey.views import comparison
from journey.views.comparison import View, Viewed
from journey.views.pictures import PREVIEW
from journey.views.words import literal
from journey.workspace import workspace
from pages.frame.protection import protected
from pages.frame.watching import wait_until
from pages.task.actions import actions
from pages.task.arrival import arrives
from pages.task.pictures import side_by_side
from pages.viewer.shown import has_more_detail, viewed
from pages.viewer.viewer import viewer

DETAIL_SECONDS = 1.0


def result(entry: Entry, begun: Entry, *, fills_form: bool) -> None:
    """What can be done with the result of a finished task, and the result itself beside what the order began with.

    Without its original, or without its pictures, what is left is shown and the rest said.
    """
    sides = comparison.own_sides(entry, begun)
    try:
        if sides is None:
            raise FileMissing
        before, after = map(viewed, sides)
        look = _close_look(after.side.picture.key, after.side.picture.size)
    except (FileMissing, OSError):  # gone, or in object storage that is away
        actions(entry, begun, fills_form=fills_form)
        side_by_side(entry)
        return
    _under_a_slider((entry, begun), before, after, look, fills_form, arrives(entry))
    for each in (before, after):
        if each.problem:
            st.caption(f"{literal(each.side.label)}: only a preview can be shown. {literal(each.problem)}")
    if waiting := [each.side for each in (before, after) if each.waits]:
        wait_until(lambda: any(map(has_more_detail, waiting)), look_every=DETAIL_SECONDS)


@st.fragment
@protected()
def _under_a_slider(
    order: tuple[Entry, Entry], before: Viewed, after: Viewed, look: View, fills_form: bool, is_new: bool
) -> None:
    """Drawn again after each change of the view, so that Compare opens at the same place."""
    entry, begun = order
    key = f"looks_at_{entry.id}"
    view: View = st.session_state.get(key, look)
    actions(entry, begun, fills_form=fills_form, view=view)
    viewer(
        before,
        after,
        view=view,
        on_view=lambda changed: st.session_state.update({key: changed}),
        key=f"viewer_{entry.id}",
        in_card=True,
        arrives=is_new,
    )


@st.cache_resource(max_entries=500, show_spinner=False)
def _close_look(key: str, size: tuple[int, int]) -> View:
    """Kept, because a stored picture stays as it is. Raises FileMissing."""
    return comparison.close_look(workspace().files.path(key, PREVIEW), size)
