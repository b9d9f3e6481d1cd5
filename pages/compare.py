"""Any two pictures of the history against each other, down to their pixels."""

from __future__ import annotations

import time

import streamlit as st

from journey.errors import FileMissing, JourneyError
from journey.history import LIVE, State
from journey.pictures.checking import inspect
from journey.pictures.previews import PREVIEW
from journey.views import comparison
from journey.views.comparison import Pair, Side, View
from journey.views.words import literal, pixels, print_size
from journey.workspace import LABELS, workspace
from pages import _address, _parts
from pages._viewer import Picture, viewer

CHOICES = 100
DETAIL_SECONDS = 1.0
space = workspace()
state = st.session_state
state.setdefault("compare_address", {})
state.setdefault("compare_start", 0)
state.setdefault("compare_dpi", 300)
state.setdefault("compare_screen", None)


def take_address() -> tuple[Pair, View]:
    """What the address asks for; without anything in it, what was here last."""
    asked = comparison.own_parameters(st.query_params)
    if not {"task", "left", "right"} & set(asked):
        asked = state.compare_address | asked
    same_pair = comparison.asked_pair(asked) == comparison.asked_pair(state.compare_address)
    if same_pair and _address.is_late(asked):
        asked = state.compare_address
    elif asked != state.compare_address:
        # Neither the viewer nor a picker has written this: a link was followed, or the browser went back.
        state.compare_start += 1
    return comparison.asked_pair(asked), comparison.asked_view(asked)


def give_address(pair: Pair, view: View) -> None:
    """Keep it in the address, so that it survives a reload and can be sent."""
    shown, before = comparison.own_parameters(st.query_params), state.compare_address
    state.compare_address = comparison.address(pair, view)
    if shown != state.compare_address:
        _address.leave(shown, before)
        st.query_params.from_dict(state.compare_address)


def find(name: str | None, choices: dict[str, Side]) -> str | None:
    """Make sure that the picture can be chosen; None when there is none, which is said."""
    if name is None or name in choices:
        return name
    entry = space.history.get(comparison.entry_id(name))
    found = comparison.side_of(name, entry, time.time())
    if isinstance(found, str):
        _parts.say_error(found)
        if entry is not None and entry.state in LIVE:
            _parts.wait_until(lambda: not is_live(entry.id))
        return None
    choices[name] = found
    return name


def is_live(entry_id: str) -> bool:
    entry = space.history.get(entry_id)
    return entry is not None and entry.state in LIVE


def pick(choices: dict[str, Side], pair: Pair) -> Pair:
    """The two pickers, and a button between them."""
    state.compare_left, state.compare_right = pair.left, pair.right
    options = comparison.options(choices, st.context.timezone)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for label, key in (("Left", "compare_left"), ("Right", "compare_right")):
            st.selectbox(
                label,
                list(options),
                format_func=options.__getitem__,
                key=key,
                placeholder="Choose a picture",
                on_change=picked,
                width="stretch",
            )
        st.button("Swap", icon=":material/swap_horiz:", on_click=swap, disabled=pair.left is None or pair.right is None)
    return Pair(state.compare_left, state.compare_right)


def picked() -> None:
    # A side that could not be found stays in the address until another picture is chosen for it.
    asked = comparison.asked_pair(state.compare_address)
    pair = Pair(state.compare_left or asked.left, state.compare_right or asked.right)
    give_address(pair, comparison.asked_view(st.query_params))


def swap() -> None:
    view = comparison.asked_view(st.query_params)
    give_address(Pair(state.compare_right, state.compare_left), view)


def picture(side: Side) -> Picture:
    """The side with what there is of it to look at. Raises JourneyError when it is gone."""
    space.files.path(side.key, PREVIEW)
    pyramid = space.tiles.look(side.key, side.file)
    problem = space.tiles.problem(side.key) if pyramid is None else None
    if pyramid is not None:
        width, height = pyramid.width, pyramid.height
    elif side.width and side.height:
        width, height = side.width, side.height
    else:
        header = inspect(space.files.path(side.key, side.file), max_pixels=space.settings.max_output_pixels)
        width, height = header.width, header.height
    return Picture(side, width, height, pyramid.levels if pyramid else None, problem is not None)


def measure() -> None:
    """What it takes to show the size of the print on this screen."""
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
            placeholder="As the browser says",
            persist_state="session",
            width=260,
            help="For the print size on this screen. Divide the pixels across your screen by its width in inches: "
            "3840 pixels on 23.5 inches are 163. Left empty, it is what your browser assumes, 96 for each unscaled "
            "pixel, which is seldom exact.",
        )


@st.fragment
@_parts.protected()
def show(left: Picture, right: Picture, pair: Pair, view: View, start: int) -> None:
    viewer(
        left,
        right,
        view=view,
        start=start,
        print_dpi=state.compare_dpi,
        screen_ppi=state.compare_screen,
        on_view=lambda changed: give_address(pair, changed),
    )


def describe(side: Picture) -> None:
    """Name, pixels, where it was made, and how large it prints."""
    entry = side.side.entry
    st.text(f"{entry.name} · {side.side.label}")
    made = "" if side.side.is_original else f"{LABELS[entry.engine]} · "
    st.caption(f"{made}{pixels(side.width, side.height)}")
    st.caption(f"Prints {print_size(side.width, side.height, dpi=state.compare_dpi)} at {state.compare_dpi} DPI")
    if problem := space.tiles.problem(side.side.key) if side.problem else None:
        st.caption(f"Only a preview can be shown: {literal(problem)}")


def has_more_detail(side: Side) -> bool:
    """True when there is more of a picture to see than its preview, or never will be."""
    return space.tiles.look(side.key, side.file) is not None or space.tiles.problem(side.key) is not None


_parts.header("Compare", "Two pictures under a slider, side by side, or their difference, down to the last pixel.")
pair, view = take_address()
choices = comparison.sides(space.history.latest(limit=CHOICES, states=[State.FINISHED]), time.time())
if pair == Pair() and choices:
    newest = comparison.entry_id(next(iter(choices)))
    pair = comparison.asked_pair({"task": newest})
give_address(pair, view)
chosen = Pair(find(pair.left, choices), find(pair.right, choices))
if not choices:
    st.info("Nothing to compare yet. Upscale a picture first.", icon=":material/compare:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    st.stop()
chosen = pick(choices, chosen)
if chosen.left is None or chosen.right is None:
    st.info("Choose a picture for each side.", icon=":material/compare:")
    st.stop()
try:
    left, right = picture(choices[chosen.left]), picture(choices[chosen.right])
except FileMissing:
    _parts.say_error("The file of one of these pictures is no longer stored. Choose another one.")
    st.stop()
except JourneyError as error:
    _parts.say_error(str(error))
    st.stop()

show(left, right, pair, view, state.compare_start)
for column, side in zip(st.columns(2), (left, right), strict=True):
    with column:
        describe(side)
if chosen.left == chosen.right:
    st.caption("The same picture is on both sides.")
elif comparison.shapes_differ((left.width, left.height), (right.width, right.height)):
    st.caption("The two have different proportions, so their centres lie on each other.")
measure()
if waiting := [each.side for each in (left, right) if each.levels is None and not each.problem]:
    _parts.wait_until(lambda: any(map(has_more_detail, waiting)), look_every=DETAIL_SECONDS)
