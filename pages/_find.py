"""What is looked for in History: in the address, and in widgets that begin with what the address says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from journey import printing
from journey.history import SEARCH_LIMIT, Order
from journey.printing import inputs as print_inputs
from journey.views.listing import FIRST_DAY, GROUPS, LAST_DAY, ORDERS, PARAMETERS, USUAL_DPI, Listing, from_address
from journey.views.words import literal
from journey.workspace import LABELS, workspace
from pages import _address, _parts

state = st.session_state


def take() -> Listing:
    """What the address asks for, whenever that is something new; on the way back to this page, what it showed."""
    address = {name: value for name, value in st.query_params.items() if name in PARAMETERS}
    is_back = f"find_text_{state.get('visit')}" not in state
    if is_back and not address:
        # A link without parameters to the page it is on leaves the old ones in the browser, until others are written.
        address = state.get("listed") or ({"page": "1"} if state.pop("in_details", False) else {})
        st.query_params.update(address)
    if is_back or (address != state.listed and not _address.is_late(address)):
        listing, problems = from_address(address)
        begin(listing)
        state.listed = address
        for problem in problems:
            _parts.say_error(problem)
    return state.began


def begin(listing: Listing) -> None:
    """Let the widgets begin anew with this. They get other keys: some are not in the browser yet to be told a value."""
    state.visit = state.get("visit", 0) + 1
    state.began = listing
    state.pop("chosen", None)
    turn_to(listing.page)


def give(listing: Listing) -> None:
    """Keep the filter in the address, so that it can be shared and a reload restores it."""
    address = listing.address()
    if address == state.listed:
        return
    kept = {name: value for name, value in st.query_params.items() if name not in PARAMETERS}
    _address.leave(state.listed)
    st.query_params.from_dict(kept | address)
    state.listed = address


def clear() -> None:
    """Nothing is left out any more; the order stays."""
    begin(Listing(order=state.chosen.order))
    give(state.began)


def key(name: str) -> str:
    return f"find_{name}_{state.visit}"


def choose() -> Listing:
    """The search and the filters as they stand, always on the first page."""
    began = take()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            began.text,
            key=key("text"),
            type="search",
            live=True,
            max_chars=SEARCH_LIMIT,
            placeholder="Name, task ID, tag, comment or person",
            icon=":material/search:",
        )
        orders = list(Order)
        order = st.selectbox(
            "Sort", orders, orders.index(began.order), format_func=ORDERS.__getitem__, key=key("order"), width=220
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        groups = st.pills(
            "State",
            list(GROUPS),
            selection_mode="multi",
            default=list(began.groups),
            format_func=lambda group: GROUPS[group][0],
            key=key("groups"),
            wrap=True,
        )
        many_set = filters_set(began)
        with st.popover(
            f"Filters · {many_set}" if many_set else "Filters", icon=":material/filter_list:", key="filters"
        ):
            others = more_filters(began)
        listing = replace(others, text=text.strip(), groups=tuple(sorted(groups, key=list(GROUPS).index)), order=order)
        st.button(
            "Clear filters",
            icon=":material/filter_list_off:",
            type="tertiary",
            disabled=not listing.leaves_out,
            on_click=clear,
        )
    return listing


def filters_set(began: Listing) -> int:
    """How many filters are set in the popover, whose button is drawn before them."""
    names = ("engine", "multiplier", "person", "tag", "batch", "paper", "since", "until")
    return sum(state.get(key(name), getattr(began, name)) is not None for name in names)


def more_filters(began: Listing) -> Listing:
    def one_of(
        label: str, known: Sequence[str], first: str | None, name: str, words: Callable[[str], str] = literal
    ) -> str | None:
        # A shared address may name what is not there any more: nothing matches, and this shows why.
        options = list(dict.fromkeys([*known, *([first] if first else [])]))
        index = options.index(first) if first else None
        return st.selectbox(label, options, index, format_func=words, placeholder="Any", key=key(name))

    left, right = st.columns(2)
    with left:
        engine = one_of("Engine", list(LABELS), began.engine, "engine", lambda name: dict(LABELS)[name])
        person = one_of("Person", workspace().history.persons(), began.person, "person")
        since = st.date_input(
            "From", began.since, key=key("since"), format="YYYY-MM-DD", min_value=FIRST_DAY, max_value=LAST_DAY
        )
    with right:
        multiplier = one_of("Enlarged", ["2x", "4x"], began.multiplier, "multiplier")
        tag = one_of("Tag", workspace().history.known_tags(), began.tag, "tag")
        until = st.date_input(
            "To", began.until, key=key("until"), format="YYYY-MM-DD", min_value=FIRST_DAY, max_value=LAST_DAY
        )
    left, right = st.columns([3, 1])
    with left:
        paper = one_of("Ready for paper", list(printing.PAPERS), began.paper, "paper", print_inputs.target_label)
    with right:
        dpi = st.text_input("at DPI", began.dpi, key=key("dpi"), max_chars=20)
    batch = one_of("Batch", [], began.batch, "batch") if began.batch else None
    return Listing(
        engine="embedded" if engine == "embedded" else "journeyapi" if engine else None,
        multiplier=multiplier,
        person=person,
        tag=tag,
        batch=batch,
        paper=paper,
        dpi=dpi.strip() or USUAL_DPI,
        since=since,
        until=until,
    )


def pager() -> str:
    return f"pager_{state.get('pagers', 0)}"


def turned() -> None:
    state.place = state[pager()]


def turn_to(page: int) -> None:
    """Go to a page that nobody clicked: the widget begins anew there."""
    state.place, state.pagers = page, state.get("pagers", 0) + 1
