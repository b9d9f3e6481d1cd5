"""The door of the studio: who is signed in. Everybody else sees the door, and nothing of the studio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.navigation.page import Page
from streamlit.runtime.scriptrunner import get_script_run_ctx

from journey.errors import CannotStart
from journey.views.words import literal
from journey.workspace import workspace


def configured() -> object:
    """The table [auth] of secrets.toml; None when there is none. Raises CannotStart."""
    try:
        return st.secrets.get("auth")
    except StreamlitSecretNotFoundError as error:
        if any(Path(path).exists() for path in st.get_option("secrets.files")):
            raise CannotStart(
                "The file secrets.toml cannot be read as TOML, so it is not known whether people have to sign in. "
                "Correct it, or move it away."
            ) from error
        return None


def guard(pages: Sequence[Page]) -> str | None:
    """Who is signed in, or None when sign-in is off. For everybody else the door is drawn, and the run ends here.

    Call it in each run, before anything else is drawn: a sign-in may have ended since the last one.
    """
    try:
        services = workspace().gate.services(configured())
    except CannotStart as error:
        _show_door(pages, "Sign-in is not set up", partial(st.error, literal(str(error))))
    if not services:
        workspace().gate.let_in(tab())
        return None
    if not _is_signed_in():
        _show_door(pages, "Sign in", partial(_ask, services))
    if reason := _refusal():
        _show_door(pages, "No access", partial(_refuse, reason))
    st.session_state.is_let_in = True
    workspace().gate.let_in(tab())
    return str(st.user.get("email") or st.user.get("name") or "Signed in")


def sign_out() -> None:
    """A page that ends the sign-in, in all tabs of this browser."""
    st.title("Signing out…", anchor=False)
    workspace().gate.end(st.user.to_dict())
    st.logout()


def _is_signed_in() -> bool:
    claims = st.user.to_dict()
    return bool(claims.get("is_logged_in")) and not workspace().gate.is_over(claims)


def _refusal() -> str | None:
    return workspace().gate.refusal(st.user.to_dict())


def recheck() -> None:
    """For parts that run again without the frame: once the sign-in has ended, the whole page becomes the door."""
    if st.session_state.get("is_let_in") and (not _is_signed_in() or _refusal()):
        st.rerun()


def _show_door(pages: Sequence[Page], title: str, draw: Callable[[], object]) -> None:
    """Draw this in place of every page, so that a link to one is neither unknown nor lost; then end the run."""
    st.session_state.is_let_in = False
    workspace().gate.show_out(tab())
    st.set_page_config(page_title=f"{title} · Journey Print Studio")

    def door() -> None:
        st.title(title, anchor=False)
        draw()

    doors = [st.Page(door, title=title, url_path=page.url_path or "door", default=not page.url_path) for page in pages]
    st.navigation(doors, position="hidden").run()
    st.stop()


def _ask(services: Sequence[str]) -> None:
    st.text("This studio is for its team only.")
    here, there = origin(st.context.url or ""), origin(str(st.secrets["auth"]["redirect_uri"]))
    if here and "{" not in there and here != there:
        st.text(f"You came here through {here}, where signing in does not work.")
        st.link_button(f"Go to {there}", there, type="primary", icon=":material/arrow_forward:")
        return
    for service in services:
        label = workspace().gate.label(service)
        if st.button(literal(label), key=f"sign_in_{service}", type="primary", icon=":material/login:"):
            st.login(service)


def _refuse(reason: str) -> None:
    st.text(reason)
    if st.button("Sign out", icon=":material/logout:"):
        sign_out()


def tab() -> str:
    """Streamlit's name for this tab, which is also in the addresses of its uploads."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def origin(address: str) -> str:
    """Scheme, host and port of an address; empty when it is not an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
