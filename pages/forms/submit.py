"""The buttons of Upscale: one way, or both ways of an A/B pair; and what stands in the way of a click."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from journey.errors import JourneyError
from journey.studio import Entry, Order, Pair, Source, Variant, pairs
from journey.views.upscaling import NO_PICTURE, charge_words, pair_cost, pair_offer
from journey.views.words import balance_problem, cost_words, literal
from journey.workspace import workspace
from pages.forms.settings import seconds_for
from pages.frame.visitor import expect, person

state = st.session_state


@dataclass(frozen=True)
class Wish:
    """What is chosen in the form besides the picture. `variant` is None when nothing is set up here."""

    way: str
    variant: Variant | None
    scale: int
    then_network: str | None
    webhook: tuple[str, str]


def submit_buttons(wish: Wish) -> str | None:
    """Draw the buttons and do what was clicked; returns the sentence to show when that is not possible."""
    if wish.variant is None:
        return None
    known = pairs(workspace().variants()) if wish.scale <= 4 else {}  # A/B compares one step
    if known and state.get("pair") not in known:
        state.pair = next(iter(known))
    pair = known[state.pair] if known else None
    provider = wish.variant.provider
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            f"Upscale · {cost_words(provider)}",
            key="submit",
            type="primary",
            icon=":material/auto_awesome:",
            width="stretch",
        )
        both = pair is not None and st.button(f"A/B · {pair_cost(pair)}", key="submit_pair", icon=":material/compare:")
    source: Source | None = state.source
    st.caption(charge_words(provider, is_upload=source is not None and source.kind == "upload"))
    if pair is not None:
        _choose_pair(known)
        st.caption(pair_offer(state.pair, pair, {variant: seconds_for(variant) for variant in pair}))
    about = wish, state.source and state.source.stored.key
    if clicked or both:
        state.refusal = about, _submit(wish, wish.variant, pair if both else None)
    # It stays until something in the form changes, because the page may be drawn again for other reasons.
    kept = state.get("refusal")
    return kept[1] if kept and kept[0] == about else None


def _choose_pair(known: dict[str, Pair]) -> None:
    """Which two ways A/B compares; nothing to choose when there are only two."""
    if len(known) > 1:
        st.selectbox(
            "A/B compares",
            list(known),
            format_func=lambda pair: pair[:1].upper() + pair[1:],
            key="pair",
            persist_state="session",
        )


def warnings(wish: Wish) -> list[str]:
    """What stands in the way of a click on Upscale, said before it."""
    if wish.variant is None:
        return []
    provider, orders = wish.variant.provider, workspace().orders
    source: Source | None = state.source
    found: list[str | None] = []
    if wish.way == "upload" and (source is None or source.kind != "upload"):
        found.append(orders.upload_problem(provider))
    if source is not None:
        # Judged once for each choice: this may resolve a host name.
        choice = source.stored.key, source.image_url, provider, wish.scale
        if state.get("judged", (None,))[0] != choice:
            state.judged = choice, orders.problem(source, provider=provider, scale=wish.scale)
        if state.judged[1] not in found:
            found.append(state.judged[1])
    if provider.is_paid:
        budget, account = workspace().budget(), workspace().balance(provider)
        found.append(budget.sentence if budget is not None and budget.is_used_up else None)
        known = account.credits if account else None
        works_here = workspace().engine is not None
        found.append(balance_problem(provider, provider.credits, known, works_here=works_here))
    return [sentence for sentence in found if sentence]


def _submit(wish: Wish, variant: Variant, pair: Pair | None) -> str | None:
    """Queue the upscale, or both of a pair. Nothing is sent here."""
    source: Source | None = state.source
    if source is None:
        if state.problem:
            return None  # it is on the page already
        return "Pick one picture of the grid first." if state.parent and wish.way == "task" else NO_PICTURE[wish.way]
    url, secret = wish.webhook
    order = Order(
        source=source,
        variant=variant,
        scale=wish.scale,
        then_network=wish.then_network,
        person=person(),
        webhook_url=url,
        webhook_secret=secret,
    )
    try:
        queued = _placed(order, pair)
    except JourneyError as error:
        return str(error)
    expect(*queued)
    state.newest = queued[0].id
    return None


def _placed(order: Order, pair: Pair | None) -> list[Entry]:
    if pair is None:
        return [workspace().orders.place(order)]
    halves = workspace().orders.place_pair(order, pair)
    if len({half.batch for half in halves}) > 1:
        st.toast("One of the two is already under way in a batch. Choose both in Compare when they are finished.")
    return halves


def say_warnings(wish: Wish) -> None:
    """Draw what `warnings` finds."""
    for sentence in warnings(wish):
        st.warning(literal(sentence), icon=":material/info:")
