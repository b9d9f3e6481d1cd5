"""Which two pictures Compare shows: from the address and from pickers."""

from __future__ import annotations

import time

import streamlit as st

from journey.studio import LIVE
from journey.views import comparison
from journey.views.comparison import Pair, Side, View
from journey.workspace import workspace
from pages.frame import address
from pages.frame.protection import say_error
from pages.frame.watching import wait_until

state = st.session_state


def take_address() -> tuple[Pair, View]:
    """What the address asks for; if it asks for nothing, what was shown last."""
    asked = comparison.own_parameters(st.query_params)
    if not {"task", "left", "right"} & set(asked):
        asked = state.compare_address | asked
    same_pair = comparison.asked_pair(asked) == comparison.asked_pair(state.compare_address)
    if same_pair and address.is_late(asked):
        asked = state.compare_address
    elif asked != state.compare_address:
        # Neither the viewer nor a picker has written this: a link was followed, or the browser went back.
        state.compare_start += 1
    return comparison.asked_pair(asked), comparison.asked_view(asked)


def give_address(pair: Pair, view: View) -> None:
    """Keep it in the address, so that it survives a reload and can be shared."""
    shown, before = comparison.own_parameters(st.query_params), state.compare_address
    state.compare_address = comparison.address(pair, view)
    if shown != state.compare_address:
        address.leave(shown, before)
        st.query_params.from_dict(state.compare_address)


def find(name: str | None, choices: dict[str, Side], *, beside: str | None = None) -> str | None:
    """Make sure that the picture can be chosen; None when there is none, and the page says why.

    A task that is unknown is told once, where the picture `beside` this one is of the same task.
    """
    if name is None or name in choices:
        return name
    entry = workspace().history.get(comparison.entry_id(name))
    found = comparison.side_of(name, entry, time.time())
    if isinstance(found, str):
        if entry or beside is None or comparison.entry_id(beside) != comparison.entry_id(name):
            say_error(found)
        if entry is not None and entry.state in LIVE:
            wait_until(lambda: not _is_live(entry.id))
        return None
    choices[name] = found
    return name


def pick(choices: dict[str, Side], pair: Pair) -> Pair:
    """The two pickers, and a button between them."""
    state.compare_left, state.compare_right = pair.left, pair.right
    options = comparison.options(choices, st.context.timezone)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_pickers"):
        for label, key in (("Left", "compare_left"), ("Right", "compare_right")):
            st.selectbox(
                label,
                list(options),
                format_func=options.__getitem__,
                key=key,
                placeholder="Choose a picture",
                on_change=_picked,
                width="stretch",
            )
        st.button("Swap", icon=":material/swap_horiz:", on_click=_swap, disabled=None in (pair.left, pair.right))
    return Pair(state.compare_left, state.compare_right)


def _is_live(entry_id: str) -> bool:
    entry = workspace().history.get(entry_id)
    return entry is not None and entry.state in LIVE


def _picked() -> None:
    # A side that could not be found stays in the address until another picture is chosen for it.
    asked = comparison.asked_pair(state.compare_address)
    pair = Pair(state.compare_left or asked.left, state.compare_right or asked.right)
    give_address(pair, comparison.asked_view(st.query_params))


def _swap() -> None:
    view = comparison.asked_view(st.query_params)
    give_address(Pair(state.compare_right, state.compare_left), view)
