"""The settings of a whole batch: paper, multiplier, provider, network."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from journey.printing import inputs
from journey.studio import Variant
from journey.studio.batches.rows import Choice, Target
from journey.views.batches import FOR_ALL
from journey.views.planner import FITS, TURNS, presets
from journey.views.upscaling import network_label
from journey.workspace import workspace
from pages.batches.draft import the_draft
from pages.forms.choosing import choose, type_in
from pages.forms.settings import choose_provider
from pages.frame.protection import acting, say_error

NO_PAPER = "none"
DEFAULTS = {
    "batch_paper": NO_PAPER,
    "batch_turn": "auto",
    "batch_fit": "crop",
    "batch_dpi": "300",
    "batch_all": "As suggested",
}
state = st.session_state


@dataclass(frozen=True)
class Settings:
    """`target` is None without a paper, `for_all` when each picture gets what is suggested for it."""

    variant: Variant
    target: Target | None
    for_all: Choice | None


def choose_settings() -> Settings | None:
    """The settings; None while something is wrong with them."""
    for name, value in DEFAULTS.items():
        state.setdefault(name, value)
    _choose_paper()
    with st.container(horizontal=True):
        st.segmented_control(
            "Enlarge all",
            list(FOR_ALL),
            required=True,
            key="batch_all",
            persist_state="session",
            on_change=_forget_choices,
            help="As suggested: the smallest that is enough for the paper, 8x and 16x included, or 4x without a paper.",
        )
        variant = _choose_variant()
    if variant is None:
        return None
    try:
        target = _target()
    except ValueError as error:
        say_error(str(error))
        return None
    return Settings(variant, target, FOR_ALL[state.batch_all])


def _choose_paper() -> None:
    papers = workspace().papers
    labels = {NO_PAPER: "No paper in mind"} | {name: inputs.target_label(name, papers) for name in papers}
    with st.container(horizontal=True):
        st.selectbox(
            "For paper",
            list(labels),
            format_func=labels.__getitem__,
            key="batch_paper",
            persist_state="session",
            width=300,
            on_change=_preset_dpi,
        )
        if state.batch_paper != NO_PAPER:
            choose("Orientation", TURNS, key="batch_turn")
            choose("Fit", FITS, key="batch_fit")
            type_in("DPI", key="batch_dpi", limit=20, width=90)


def _choose_variant() -> Variant | None:
    provider = choose_provider(key="batch_provider")
    if provider is None:
        return None
    networks = workspace().networks() if provider.has_networks else []
    if not networks:
        return Variant(provider)
    if state.get("batch_network") not in networks:
        state.batch_network = networks[0]
    return Variant(provider, choose("Network", {name: network_label(name) for name in networks}, key="batch_network"))


def _target() -> Target | None:
    """Raises ValueError for an invalid DPI."""
    if state.batch_paper == NO_PAPER:
        return None
    dpi = inputs.dpi(state.batch_dpi)
    return Target(workspace().papers[state.batch_paper], dpi, state.batch_fit, state.batch_turn)


@acting
def _preset_dpi() -> None:
    """A product says at how many DPI it is printed."""
    paper = workspace().papers.get(state.batch_paper)
    state.batch_dpi = presets(paper).get("dpi", DEFAULTS["batch_dpi"])


def _forget_choices() -> None:
    """A multiplier for all replaces those of single rows."""
    draft = the_draft()
    draft.choices.clear()
    draft.revision += 1
