"""Any two pictures from the history against each other, down to their pixels."""

from __future__ import annotations

import time

import streamlit as st

from journey.errors import FileMissing, JourneyError
from journey.studio import State
from journey.views import comparison
from journey.views.comparison import Pair, View, Viewed
from journey.views.words import literal, pixels, print_size
from journey.workspace import workspace
from pages.frame.header import header
from pages.frame.protection import protected, say_error
from pages.frame.watching import wait_until
from pages.viewer.pair import find, give_address, pick, take_address
from pages.viewer.shown import has_more_detail, viewed
from pages.viewer.viewer import viewer

CHOICES = 100
DETAIL_SECONDS = 1.0
state = st.session_state
state.setdefault("compare_address", {})
state.setdefault("compare_start", 0)
state.setdefault("compare_dpi", 300)
state.setdefault("compare_screen", None)


@st.fragment
@protected()
def show(left: Viewed, right: Viewed, pair: Pair, view: View, start: int) -> None:
    viewer(
        left,
        right,
        view=view,
        start=start,
        print_dpi=state.compare_dpi,
        screen_ppi=state.compare_screen,
        on_view=lambda changed: give_address(pair, changed),
    )


def describe(side: Viewed) -> None:
    """Name, pixels, where it was made, and how large it prints."""
    entry, size = side.side.entry, side.side.picture.size
    st.text(f"{entry.name} · {side.side.label}")
    made = "" if side.side.is_original else f"{entry.provider.label} · "
    st.caption(f"{made}{pixels(size)}")
    st.caption(f"Prints {print_size(size, dpi=state.compare_dpi)} at {state.compare_dpi} DPI")
    if side.problem:
        st.caption(f"Only a preview can be shown: {literal(side.problem)}")


def measure() -> None:
    """The inputs for showing the print at its real size on this screen."""
    with st.container(horizontal=True):
        st.number_input(
            "Print DPI", min_value=1, max_value=10_000, step=10, key="compare_dpi", persist_state="session", width=160
        )
        st.number_input(
            "Pixels per inch of this screen",
            min_value=20.0,
            max_value=2_000.0,
            step=1.0,
            format="%.0f",
            key="compare_screen",
            placeholder="As your browser assumes",
            persist_state="session",
            width=260,
            help="For the real size of the print. Divide the pixels across your screen by its width in inches: "
            "3840 pixels on 23.5 inches make 163. If you leave it empty, your browser's assumption is used: 96, times "
            "its scaling. That is rarely exact.",
        )


header("Compare", "Two pictures under a slider, side by side, or their difference, down to the last pixel.")
pair, view = take_address()
choices = comparison.sides(workspace().history.lists.latest(limit=CHOICES, states=[State.FINISHED]), time.time())
if pair == Pair() and choices:
    newest = comparison.entry_id(next(iter(choices)))
    pair = comparison.asked_pair({"task": newest})
give_address(pair, view)
chosen = Pair(find(pair.left, choices), find(pair.right, choices, beside=pair.left))
if not choices:
    st.info("Nothing to compare yet. Upscale a picture first.", icon=":material/compare:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    st.stop()
chosen = pick(choices, chosen)
if chosen.left is None or chosen.right is None:
    st.info("Choose a picture for each side.", icon=":material/compare:")
    st.stop()
try:
    left, right = viewed(choices[chosen.left]), viewed(choices[chosen.right])
except FileMissing:
    say_error("One of these pictures is no longer stored. Choose another one.")
    st.stop()
except JourneyError as error:
    say_error(str(error))
    st.stop()

show(left, right, pair, view, state.compare_start)
with st.container(key="compare_sides"):
    for column, side in zip(st.columns(2), (left, right), strict=True):
        with column:
            describe(side)
if remark := comparison.remark(choices[chosen.left], choices[chosen.right]):
    st.caption(remark)
measure()
if waiting := [each.side for each in (left, right) if each.waits]:
    wait_until(lambda: any(map(has_more_detail, waiting)), look_every=DETAIL_SECONDS)
