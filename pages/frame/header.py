"""The top of each page: its one title, and which providers are ready."""

from __future__ import annotations

import streamlit as st

from journey.studio import Offer
from journey.views.documents import help_for
from journey.views.words import literal, provider_badge
from journey.workspace import workspace
from pages.frame.protection import acting


def header(title: str, subtitle: str) -> None:
    """Call it once, before anything else. `st.session_state.page_shown` says which page was drawn last."""
    offers = workspace().offers()
    st.session_state.page_shown = title
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.title(title, anchor=False)
            st.caption(subtitle)
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            for offer in offers:
                _badge(offer)
            if document := help_for(title):
                st.link_button("Help", document, type="tertiary", icon=":material/help:")
    for offer in offers:
        if offer.problem:
            _paused(offer)
    engine = workspace().engine
    if trouble := engine and engine.trouble:
        st.warning(f"Tasks on this machine wait. {literal(trouble)}", icon=":material/hourglass_pause:")
    if not offers:
        st.error(
            "Nothing here can upscale a picture. Set JOURNEY_API_KEY to use JourneyAPI. "
            + literal(workspace().engine_problem or "")
        )


def _badge(offer: Offer) -> None:
    account = workspace().balance(offer.provider)
    label = provider_badge(offer.provider, account, is_ready=offer.is_ready)
    if offer.is_ready:
        runs_on = workspace().runs_on() if offer.provider.is_here else None
        st.badge(label, icon=":material/check_circle:", color="green", help=runs_on)
    else:
        st.badge(label, icon=":material/pause_circle:", color="orange")


def _paused(offer: Offer) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"{offer.provider.label} is paused: {literal(offer.problem or '')} Nothing is lost; waiting tasks are sent "
            "once it resumes.",
            icon=":material/pause_circle:",
        )
        st.button(
            "Resume",
            key=f"resume_{offer.provider}",
            on_click=acting(workspace().resume),
            args=(offer.provider,),
        )
