"""The multiplier of Upscale, and what the second step of 8x and 16x is made with."""

from __future__ import annotations

import streamlit as st

from journey.printing import STEPS
from journey.studio import HERE, Source, Variant
from journey.views.upscaling import network_label
from journey.views.ways import multipliers, way_words
from journey.views.words import literal
from journey.workspace import workspace
from pages.forms.choosing import choose

state = st.session_state


def choose_multiplier() -> int:
    """2 or 4, and 8 or 16 where both steps are possible; the page says why one is not."""
    source: Source | None = state.source
    names, missing = multipliers(source.size if source else None, workspace().orders.way_problem)
    if state.scale not in names:
        state.scale = 4
    st.segmented_control(
        "Enlarge", list(names), required=True, format_func=names.__getitem__, key="scale", persist_state="session"
    )
    if missing:
        st.caption(literal(missing))
    return int(state.scale)


def choose_second_network(variant: Variant | None, scale: int) -> str | None:
    """The network of the second step; None when there is only one step, or no choice."""
    if variant is None or scale <= 4:
        return None
    networks = workspace().networks()
    if state.get("then_network") not in networks:
        state.then_network = next(iter(networks), None)
    source: Source | None = state.source
    first, second = STEPS[scale]
    between = (source.size[0] * first, source.size[1] * first) if source else None
    seconds = {name: workspace().usual_seconds(Variant(HERE, name), second, size=between) for name in networks}
    labels = {name: network_label(name, took) for name, took in seconds.items()}
    told = " The webhook is called after the first." if state.webhook_url else ""
    st.caption(f"Two steps: {literal(way_words(scale, variant.provider))}.{told}")
    return choose("Network of the second step", labels, key="then_network", wrap=True)
