"""How a picture is enlarged: multiplier, provider, network, webhook."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from journey.errors import JourneyError
from journey.printing import STEPS, Plan
from journey.studio import PROVIDERS, SECRET_LIMIT, Provider, Variant
from journey.views.upscaling import (
    DETAIL,
    FAITHFUL,
    Proposal,
    blend,
    for_paper_words,
    network_help,
    network_label,
    network_words,
    proposal,
    provider_labels,
    strength_of,
    strength_words,
    suggested_scale,
)
from journey.views.words import literal
from journey.workspace import workspace
from pages.forms.choosing import choose, type_in
from pages.forms.steps import choose_multiplier

DEFAULTS = {
    "scale": 4,
    "provider": None,
    "network": None,
    "strength": 100,
    "then_network": None,
    "webhook_url": "",
    "webhook_secret": "",
}
"""What is kept in the session."""
state = st.session_state


def choose_scale(plan: Plan | None) -> int:
    """2, 4, 8 or 16. What the paper needs is preselected, once for each picture and paper; anybody may overrule it."""
    concerns = plan and (state.source.stored.key, plan.paper, plan.fit, plan.dpi)
    if plan is not None and concerns != state.get("suggested_for"):
        state.suggested_for = concerns
        if not state.pop("scale_is_meant", False):
            state.scale = suggested_scale(plan)
    scale = choose_multiplier()
    if plan is not None:
        st.caption(for_paper_words(plan))
    return scale


def choose_variant() -> Variant | None:
    """Provider, and the network where there is a choice; None when nothing is set up here."""
    provider = choose_provider(key="provider")
    if provider is None:
        return None
    networks = workspace().networks() if provider.has_networks else []
    return Variant(provider, _choose_network(provider, networks)) if networks else Variant(provider)


def use_network(name: str | None) -> None:
    """Put a network, or a blend, into the form; what the picture suggests does not replace it."""
    _put(name)
    state.network_is_meant = True


def _put(name: str | None) -> None:
    strength = name and strength_of(name)
    state.network, state.strength = (DETAIL, strength) if strength else (name, 100)


def _choose_network(provider: Provider, networks: list[str]) -> str:
    """The name of a network, or of a blend. What suits the picture is preselected, once for each picture."""
    seconds = {name: seconds_for(Variant(provider, name)) for name in networks}
    engine = workspace().engine
    proposed = None if engine is None or engine.default_is_set else _proposal(seconds)
    if proposed and state.source.stored.key != state.get("network_suggested_for"):
        state.network_suggested_for = state.source.stored.key
        if not state.pop("network_is_meant", False):
            _put(proposed.network)
    if state.network not in networks:
        _put(engine.default_network if engine else networks[0])
    network = str(
        st.radio(
            "Network",
            networks,
            format_func=lambda name: network_label(name, seconds[name]),
            captions=[literal(network_words(name)) for name in networks],
            key="network",
            help=network_help(workspace().runs_on()),
            persist_state="session",
        )
    )
    if proposed:
        st.caption(literal(proposed.reason))
    for problem in workspace().network_problems():
        st.caption(literal(problem))
    return _choose_strength(provider) if network == DETAIL and FAITHFUL in networks else network


def _choose_strength(provider: Provider) -> str:
    strength = int(st.slider("Strength", 0, 100, step=5, format="%d %%", key="strength", persist_state="session"))
    name = blend(strength)
    st.caption(strength_words(strength, seconds_for(Variant(provider, name))))
    return name


def _proposal(seconds: Mapping[str, float | None]) -> Proposal | None:
    """What suits the picture in the form; None without one."""
    if state.source is None:
        return None
    try:
        return proposal(workspace().intake.traits(state.source), seconds)
    except JourneyError:
        return None  # a picture that cannot be read is said to be one where it matters


def choose_provider(*, key: str) -> Provider | None:
    """One of those that are set up here; there is nothing to choose when there is only one."""
    offered = [offer.provider for offer in workspace().offers()]
    if not offered:
        return None
    if state.get(key) not in [provider.name for provider in offered]:
        state[key] = offered[0].name
    if len(offered) > 1:
        choose("Provider", provider_labels(offered), key=key)
    return PROVIDERS[state[key]]


def seconds_for(variant: Variant) -> float | None:
    """How long the picture in the form takes this way, in its first step if it takes two; None when not known."""
    return state.source and workspace().usual_seconds(variant, STEPS[state.scale][0], size=state.source.size)


def enter_webhook() -> tuple[str, str]:
    """Address and secret, both optional."""
    with st.expander("Webhook (optional)", icon=":material/webhook:"):
        url = type_in("Webhook URL", key="webhook_url", limit=None, placeholder="https://example.com/hooks/upscaled")
        secret = type_in(
            "Webhook secret",
            key="webhook_secret",
            limit=SECRET_LIMIT,
            type="password",
            help="Sent as the header x-webhook-secret, and kept only until the call is sent.",
        )
    return url.strip(), secret
