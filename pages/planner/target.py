"""The paper or screen of Print size, with its DPI and bleed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from journey import printing
from journey.printing import Paper, Screen, inputs
from journey.views.planner import DEFAULTS, FIELDS, FITS, NUMBER_LIMIT, TURNS, UNITS, switched
from journey.workspace import workspace
from pages.forms.choosing import choose, type_in
from pages.frame.protection import acting, say_error
from pages.planner.state import choose_unit, key, unit_of, value

SCREEN_DPI = 300.0

state = st.session_state


@dataclass(frozen=True)
class Target:
    """What the picture is meant for. DPI and bleed (in mm) mean nothing on a screen."""

    on: Paper | Screen
    dpi: float
    bleed_mm: float


def choose_target() -> Target | None:
    """None when something is wrong with it, and the page says what."""
    papers = workspace().papers
    names = inputs.targets(papers)
    if value("paper") not in names:  # kept by the tab, and no longer in the list
        state[key("paper")] = DEFAULTS["paper"]
    state.print_paper_before = value("paper")
    st.selectbox(
        "Paper or screen",
        names,
        format_func=partial(inputs.target_label, papers=papers),
        key=key("paper"),
        persist_state="session",
        on_change=_preset,
        help="Type to search: A3, 24, square, screen …",
    )
    if value("paper") == inputs.CUSTOM:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            type_in("Paper width", key=key("pw"), limit=NUMBER_LIMIT)
            type_in("Paper height", key=key("ph"), limit=NUMBER_LIMIT)
            choose_unit("Measured in", "pu", "pw", "ph")
    with st.container(horizontal=True):
        choose("Orientation", TURNS, key=key("turn"))
        choose(
            "Fit",
            FITS,
            key=key("fit"),
            help="Crop fills the paper and cuts off the rest. Contain shows the whole picture, with margins.",
        )
    is_screen = value("paper") in printing.SCREENS
    if not is_screen:
        _enter_dpi()
    try:
        return _judged(is_screen)
    except ValueError as error:
        say_error(str(error))
        return None


@acting
def _preset() -> None:
    """Fill in what the product that was just chosen asks for."""
    papers = workspace().papers
    before, now = papers.get(state.print_paper_before), papers.get(value("paper"))
    changed = switched(before, now, {name: value(name) for name in FIELDS})
    state.update({key(name): text for name, text in changed.items()})


def _enter_dpi() -> None:
    with st.container(horizontal=True):
        type_in(
            "DPI",
            key=key("dpi"),
            limit=NUMBER_LIMIT,
            help="300 is sharp in the hand, 200 is fine for most prints, 150 on a wall.",
        )
        if value("fit") == "crop":
            type_in(
                "Bleed in mm",
                key=key("bleed"),
                limit=NUMBER_LIMIT,
                help="Added on every side and trimmed off: usually 3 mm, or 0.",
            )
        choose("Unit", UNITS, key=key("unit"))


def _judged(is_screen: bool) -> Target:
    on = inputs.target(value("paper"), value("pw"), value("ph"), unit_of("pu"), papers=workspace().papers)
    if is_screen:
        return Target(on, SCREEN_DPI, 0)
    dpi = inputs.dpi(value("dpi"))
    bleed_mm = inputs.millimetres(value("bleed"), "bleed") if value("fit") == "crop" else 0
    if isinstance(on, Paper):
        printing.pixels_needed(on, dpi, bleed_mm)  # raises for numbers that are out of bounds
    return Target(on, dpi, bleed_mm)
