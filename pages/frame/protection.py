"""What pages do when something breaks, and who gets to see parts that run by themselves."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import streamlit as st

from journey.errors import DatabaseAway, JourneyError
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
    except DatabaseAway as error:
        # Each open page gets here at each refresh: a trace every time would fill the disk.
        log.warning("the database does not answer: %s", error.reason)
        sentence = "The database does not answer. Your tasks are safe; this page goes on by itself once it does."
    except JourneyError as error:
        sentence = str(error)
    except Exception:
        number = secrets.token_hex(4)
        log.exception("page error %s", number)
        sentence = f"Something went wrong here. Reload the page; if it happens again, report the number {number}."
    else:
        return
    if not quiet:
        say_error(sentence)


def acting(work: Callable[P, T]) -> Callable[P, T]:
    """`work` as the callback of a button: callbacks run before the frame, so sign-in is checked here."""
    return protected()(work)


def say_error(text: str) -> None:
    """Show a problem in place. The text may come from outside, so it is shown literally."""
    st.error(literal(text), icon=":material/error:")
