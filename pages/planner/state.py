"""The inputs of Print size: in the session, and in the address that can be shared."""

from __future__ import annotations

from typing import cast

import streamlit as st

from journey.printing import Fit, Orientation, Unit
from journey.printing.inputs import Length
from journey.views import planner
from journey.views.planner import UNITS
from journey.workspace import workspace
from pages.forms.choosing import choose
from pages.frame import address

LINKS_KEPT = 20

state = st.session_state


def key(name: str) -> str:
    return f"print_{name}"


def value(name: str) -> str:
    """What an input holds; empty where nothing is chosen."""
    return str(state[key(name)] or "")


def unit_of(name: str) -> Unit:
    return cast("Unit", value(name))


def choose_unit(label: str, name: str, *lengths: str) -> None:
    """The unit in which these lengths are typed. When another is chosen, the lengths stay and their numbers change."""
    choose(label, UNITS, key=key(name), label_visibility="collapsed", on_change=_change_unit, args=(name, lengths))
    state[f"{key(name)}_before"] = value(name)


def _change_unit(name: str, lengths: tuple[str, ...]) -> None:
    before = cast("Unit", state.get(f"{key(name)}_before", value(name)))
    known: dict[str, Length] = state.setdefault("print_lengths", {})
    for each in lengths:
        known[each] = Length.of(value(each), before, known.get(each)).into(unit_of(name))
        state[key(each)] = known[each].shown


def fit() -> Fit:
    return cast("Fit", value("fit"))


def orientation() -> Orientation:
    return cast("Orientation", value("turn"))


def position() -> float:
    """Where the crop lies along its free axis, 0 to 1."""
    return int(value("at")) / 100


def take_address() -> bool:
    """Take the inputs from the address when a link (or the Back button) led here; True when they were taken."""
    for name, default in planner.DEFAULTS.items():
        state.setdefault(key(name), default)
    state.setdefault(key("family"), "all")
    state.setdefault("print_source", None)
    given = st.query_params.to_dict()
    if not given or given == state.get("print_address") or address.is_late(given):
        return False
    # The Back button leads to an address as it was linked, and brings back all that was set when that link was opened.
    given = state.get("print_links", {}).get(frozenset(given.items()), given)
    asked, state.print_link_problems = planner.from_address(given, workspace().papers)
    state.update({key(name): text for name, text in asked.items()})
    return True


def give_address(arrived: bool) -> None:
    """Write all inputs that matter into the address, so that it can be shared.

    A fresh page keeps its plain address, and a link stays as it is until a person changes something: each address
    that is written costs one more click on Back.
    """
    wanted = planner.address({name: value(name) for name in planner.FIELDS})
    given = st.query_params.to_dict()
    is_as_shown, state.print_shown = wanted == state.get("print_shown"), wanted
    if arrived:
        links = {**state.get("print_links", {}), frozenset(given.items()): wanted}
        state.print_links = dict([*links.items()][-LINKS_KEPT:])
        state.print_address = given
        return
    if not is_as_shown:
        state.print_link_problems = []
    elif given == state.get("print_address"):
        return
    if given != wanted:
        address.leave(given, state.get("print_address", given))
        st.query_params.from_dict(wanted)
    state.print_address = wanted
