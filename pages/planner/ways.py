"""Papers beyond 4x: one click orders both steps, and the result takes the picture's place when it is finished."""

from __future__ import annotations

import streamlit as st

from journey.errors import JourneyError
from journey.printing import Plan
from journey.studio import Entry, Order, Provider, Source, State, Variant
from journey.views.upscaling import about
from journey.views.ways import way_words
from journey.views.words import literal, paper_name
from journey.workspace import workspace
from pages.forms import paper
from pages.frame.protection import say_error
from pages.frame.visitor import expect, person
from pages.planner.state import key
from pages.task.card import task_card

state = st.session_state


def take_result() -> None:
    """Once the order that was placed here is finished, its result is the picture. Call it before any input is drawn."""
    ordered: tuple[str, str] | None = state.get("print_ordered")
    entry = _latest_step(ordered[0]) if ordered else None
    if entry is None or entry.state is not State.FINISHED or entry.step == 1:
        return
    source: Source | None = state.get("print_source")
    if ordered and source is not None and source.stored.key == ordered[1]:
        state.update({key("from"): "task", key("task"): entry.id, key("side"): "result"})
        state.print_arrived = entry.name
    state.print_ordered = None


def offer_ways(plan: Plan, source: Source) -> None:
    """A button for each provider that can begin, the order under way, and the way to all other choices."""
    option = plan.way
    if option is None:
        return
    refused: str | None = None
    network = next(iter(workspace().networks()), None)
    for offer in workspace().offers():
        why_not = _cannot_send(source, offer.provider)
        variant = Variant(offer.provider, network if offer.provider.has_networks else None)
        seconds = workspace().usual_seconds(variant, option.multiplier, size=source.size, then_network=network)
        with st.container(horizontal=True, vertical_alignment="center"):
            clicked = st.button(
                way_words(option.multiplier, offer.provider),
                key=f"order_{offer.provider}",
                type="primary",
                icon=":material/photo_size_select_large:",
                disabled=why_not is not None,
            )
            if seconds and why_not is None:
                st.caption(about(seconds), width="content")
        if why_not:
            st.caption(literal(why_not))
        if clicked:
            wanted = Order(
                source=source, variant=variant, scale=option.multiplier, then_network=network, person=person()
            )
            refused = _order(wanted)
    if refused:
        say_error(refused)
    if st.button(f"More choices for {paper_name(plan.paper)}", key="carry", type="tertiary", icon=":material/tune:"):
        paper.carry(plan, source=source, multiplier=option.multiplier)
    ordered = state.get("print_ordered")
    if ordered and ordered[1] == source.stored.key and (entry := _latest_step(ordered[0])):
        task_card(entry)


def say_arrived() -> None:
    """After `take_result`: what has happened, once."""
    if name := state.pop("print_arrived", None):
        st.success(
            f"Enlarged: **{literal(name, limit=80)}**. Its result is chosen here; make the print file below.",
            icon=":material/check:",
        )


def _cannot_send(source: Source, provider: Provider) -> str | None:
    """Why a provider elsewhere cannot begin with a picture that is only here; None when it can."""
    known_there = source.image_url is not None or source.task_at == provider
    return None if provider.is_here or known_there else workspace().orders.upload_problem(provider)


def _order(wanted: Order) -> str | None:
    """Queue it; returns why that is not possible."""
    try:
        queued = workspace().orders.place(wanted)
    except JourneyError as error:
        return str(error)
    expect(queued)
    state.print_ordered = queued.follows or queued.id, wanted.source.stored.key
    return None


def _latest_step(first_id: str) -> Entry | None:
    """The step of an order that is under way or was the last."""
    steps = workspace().history.lists.related(ids=[first_id], following=[first_id])
    return steps[0] if steps else None
