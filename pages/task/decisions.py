"""What only a person can decide: whether a call in doubt went through, and how a picture goes on without its parent."""

from __future__ import annotations

import streamlit as st

from journey.errors import InvalidRequest, JourneyError
from journey.studio import ID_LIMIT, PROVIDERS, Entry, Provider, State, Variant
from journey.workspace import workspace
from pages.frame.protection import say_error
from pages.frame.visitor import expect, person


def decisions(entry: Entry) -> None:
    """Why a task failed or needs a decision, and what can be done."""
    if entry.error and entry.state in (State.FAILED, State.AMBIGUOUS):
        st.text(entry.error)
    if entry.state is State.AMBIGUOUS:
        _ways_out(entry)
    elif workspace().orders.can_rescue(entry):
        _rescue(entry)


def _ways_out(entry: Entry) -> None:
    """An ambiguous task is never sent again by itself: a person decides."""
    label, price = entry.provider.label, entry.provider.credits
    st.warning(
        f"It is not known whether {label} accepted this call: {price} credits may have been charged. "
        "Look at your account there, then choose one of these three options.",
        icon=":material/help:",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        task_id = st.text_input(
            "It went through: enter its task ID",
            key=f"bind_{entry.id}",
            max_chars=ID_LIMIT,
            placeholder=f"Copy it from your {label} account",
        )
        if st.button("Watch this task", key=f"bind_button_{entry.id}", icon=":material/visibility:"):
            try:
                workspace().history.bind(entry.id, task_id.strip(), words="A person gave the task ID.")
            except InvalidRequest as error:
                say_error(str(error))
            else:
                _goes_on(entry)
    with st.container(horizontal=True):
        if st.button(f"Send again (may cost {price} credits twice)", key=f"again_{entry.id}", icon=":material/send:"):
            workspace().history.send_again(entry.id)
            _goes_on(entry)
        if st.button("Drop it", key=f"drop_{entry.id}", icon=":material/delete:"):
            workspace().history.move(entry.id, State.ABANDONED, words="Dropped by a person.")
            st.rerun()


def _goes_on(entry: Entry) -> None:
    expect(entry)
    workspace().wake()
    st.rerun()


def _rescue(entry: Entry) -> None:
    """The provider could not use the parent task, but the picture itself can be enlarged: each way is a new task."""
    orders = workspace().orders
    ways = [provider for provider in PROVIDERS.values() if orders.can_rescue_at(entry, provider)]
    if ways:
        st.caption("The picture itself is known here, so it can be enlarged without the task it came from.")
        with st.container(horizontal=True):
            for provider in ways:
                if st.button(
                    _way_words(provider),
                    key=f"rescue_{provider}_{entry.id}",
                    icon=":material/computer:" if provider.is_here else ":material/link:",
                ):
                    _queue_rescue(entry, provider)
    if entry.provider not in ways and entry.provider in workspace().clients:
        st.caption(f"It cannot be sent to {entry.provider.label} by URL, because no public address of it is known.")


def _way_words(provider: Provider) -> str:
    return "Run it here · free" if provider.is_here else f"Send the picture by URL · {provider.credits} more credits"


def _queue_rescue(entry: Entry, provider: Provider) -> None:
    network = next(iter(workspace().networks()), None) if provider.has_networks else None
    try:
        queued = workspace().orders.rescue(entry, Variant(provider, network), person=person())
    except JourneyError as error:
        say_error(str(error))
        return
    expect(queued)
    st.rerun()
