"""What pages do when something breaks, and who gets to see parts that run by themselves."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import streamlit as st

from journey.errors import JourneyError, passing
from journey.views.words import literal
from pages.frame import sign_in

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def protected(*, quiet: bool = False) -> Iterator[None]:
    """Whatever breaks inside becomes a sentence on the page; with `quiet`, nothing is shown.

    For `with`, and as a decorator right below `st.fragment`. A fragment runs again without the frame, so sign-in is
    checked here as well. After a failure, the next refresh draws the fragment as if nothing had happened.
    """
    sign_in.recheck()
    try:
        yield
    except Exception as error:  # noqa: BLE001  it is told below
        sentence = told(error)
        if not quiet:
            say_error(sentence)


def told(error: Exception) -> str:
    """What people are told of whatever broke; the log has the rest."""
    if sentence := passing(error):
        # Each open page gets here at each refresh: a trace every time would fill the disk.
        log.warning("a page is not drawn", exc_info=error)
        return sentence
    if isinstance(error, JourneyError):
        return str(error)
    number = secrets.token_hex(4)
    log.error("page error %s", number, exc_info=error)
    return f"Something went wrong here. Reload the page; if it happens again, report the number {number}."


def acting(work: Callable[P, T]) -> Callable[P, T]:
    """`work` as the callback of a button: callbacks run before the frame, so sign-in is checked here."""
    return protected()(work)


def say_error(text: str) -> None:
    """Show a problem in place. The text may come from outside, so it is shown literally."""
    st.error(literal(text), icon=":material/error:")
