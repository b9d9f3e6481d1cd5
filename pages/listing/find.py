"""History's search and filters: in the address, and in widgets that start with what the address says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from journey import printing
from journey.printing import inputs
from journey.studio import PROVIDERS, SEARCH_LIMIT, SortOrder
from journey.views.listing import FIRST_DAY, GROUPS, LAST_DAY, ORDERS, PARAMETERS, USUAL_DPI, Listing, from_address
from journey.views.words import literal
from journey.workspace import workspace
from pages.frame import address
from pages.frame.protection import say_error

state = st.session_state


def choose() -> Listing:
    """The search and the filters as they are set, always with the first page."""
    began = _take()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search",
            began.text,
            key=_key("text"),
            type="search",
            live=True,
            max_chars=SEARCH_LIMIT,
            placeholder="Name, task ID, tag, comment or person",
            icon=":material/search:",
        )
        orders = list(SortOrder)
        order = st.selectbox(
            "Sort", orders, orders.index(began.order), format_func=ORDERS.__getitem__, key=_key("order"), width=220
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        groups = st.pills(
            "State",
            list(GROUPS),
            selection_mode="multi",
            default=list(began.groups),
            format_func=lambda group: GROUPS[group][0],
            key=_key("groups"),
            wrap=True,
        )
        many_set = _filters_set(began)
        with st.popover(
            f"Filters · {many_set}" if many_set else "Filters", icon=":material/filter_list:", key="filters"
        ):
            others = _more_filters(began)
        listing = replace(others, text=text.strip(), groups=tuple(sorted(groups, key=list(GROUPS).index)), order=order)
        st.button(
            "Clear filters",
            icon=":material/filter_list_off:",
            type="tertiary",
            disabled=not listing.leaves_out,
            on_click=_clear,
        )
    return listing


def give(listing: Listing) -> None:
    """Keep the filter in the address, so that it can be shared and a reload restores it."""
    wanted = listing.address()
    if wanted == state.listed:
        return
    kept = {name: value for name, value in st.query_params.items() if name not in PARAMETERS}
    address.leave(state.listed)
    st.query_params.from_dict(kept | wanted)
    state.listed = wanted


def pager() -> str:
    """The key of the widget that turns pages."""
    return f"pager_{state.get('pagers', 0)}"


def turned() -> None:
    state.place = state[pager()]


def turn_to(page: int) -> None:
    """Go to a page that nobody clicked: a new widget starts there."""
    state.place, state.pagers = page, state.get("pagers", 0) + 1


def _take() -> Listing:
    """What the address asks for, if that is new; when a person comes back to this page, what it showed before."""
    asked = {name: value for name, value in st.query_params.items() if name in PARAMETERS}
    is_back = f"find_text_{state.get('visit')}" not in state
    if is_back and not asked:
        # A link without parameters to this same page leaves the old ones in the browser until new ones are written.
        asked = state.get("listed") or ({"page": "1"} if state.pop("in_details", False) else {})
        st.query_params.update(asked)
    if is_back or (asked != state.listed and not address.is_late(asked)):
        listing, problems = from_address(asked)
        _begin(listing)
        state.listed = asked
        for problem in problems:
            say_error(problem)
    began: Listing = state.began
    return began


def _begin(listing: Listing) -> None:
    """Start new widgets with this. They get new keys, because those not yet in the browser cannot be given a value."""
    state.visit = state.get("visit", 0) + 1
    state.began = listing
    state.pop("chosen", None)
    turn_to(listing.page)


def _clear() -> None:
    """Clear the search and all filters; the order stays."""
    _begin(Listing(order=state.chosen.order))
    give(state.began)


def _key(name: str) -> str:
    return f"find_{name}_{state.visit}"


def _filters_set(began: Listing) -> int:
    """How many filters are set in the popover. Its button shows the number, and is drawn before they are."""
    names = ("multiplier", "person", "tag", "batch", "paper", "since", "until")
    known = [state.get(_key(name), getattr(began, name)) for name in names]
    provider = state.get(_key("provider"), began.provider and began.provider.name)
    return sum(value is not None for value in (*known, provider))


def _more_filters(began: Listing) -> Listing:
    def one_of(
        label: str, known: Sequence[str], first: str | None, name: str, words: Callable[[str], str] = literal
    ) -> str | None:
        # A shared address may name something that no longer exists: then nothing matches, and this shows why.
        options = list(dict.fromkeys([*known, *([first] if first else [])]))
        index = options.index(first) if first else None
        return st.selectbox(label, options, index, format_func=words, placeholder="Any", key=_key(name))

    left, right = st.columns(2)
    with left:
        first = began.provider.name if began.provider else None
        provider = one_of("Provider", list(PROVIDERS), first, "provider", lambda name: PROVIDERS[name].label)
        person = one_of("Person", workspace().history.lists.persons(), began.person, "person")
        since = st.date_input(
            "From", began.since, key=_key("since"), format="YYYY-MM-DD", min_value=FIRST_DAY, max_value=LAST_DAY
        )
    with right:
        multiplier = one_of("Enlarged", ["2x", "4x"], began.multiplier, "multiplier")
        tag = one_of("Tag", workspace().history.labels.known_tags(), began.tag, "tag")
        until = st.date_input(
            "To", began.until, key=_key("until"), format="YYYY-MM-DD", min_value=FIRST_DAY, max_value=LAST_DAY
        )
    left, right = st.columns([3, 1])
    with left:
        paper = one_of("Ready for paper", list(printing.PAPERS), began.paper, "paper", inputs.target_label)
    with right:
        dpi = st.text_input("at DPI", began.dpi, key=_key("dpi"), max_chars=20)
    batch = one_of("Batch", [], began.batch, "batch") if began.batch else None
    return Listing(
        provider=PROVIDERS[provider] if provider else None,
        multiplier=multiplier,
        person=person,
        tag=tag,
        batch=batch,
        paper=paper,
        dpi=dpi.strip() or USUAL_DPI,
        since=since,
        until=until,
    )
