"""Looking at what may be far away, while the page stays ready for its visitor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import streamlit as st

from pages.frame.clicks import may_end

T = TypeVar("T")
GLANCE_SECONDS = 0.05
state = st.session_state


def looked(name: str, about: object, look: Callable[[], T]) -> T:
    """What `look` finds; raises what it raises. It runs in a thread of its own, and must not use the session.

    Whoever asks for something else meanwhile gets that at once. The page that is drawn next under this `name` goes on
    waiting for the same look, unless it is about another thing.
    """
    going: tuple[object, Future[T]] | None = state.get(name)
    if going is None or going[0] != about:
        going = about, Future()
        state[name] = going  # first: this run may end here, and a look that nobody knows of would be in vain
        _begin(look, going[1])
    with st.spinner("Looking at the picture…"):
        while not wait([going[1]], timeout=GLANCE_SECONDS).done:
            may_end()
    del state[name]
    return going[1].result()


def _begin(look: Callable[[], T], outcome: Future[T]) -> None:
    def work() -> None:
        try:
            outcome.set_result(look())
        except Exception as error:  # noqa: BLE001  raised again where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=work, name="look", daemon=True).start()
