"""Who is looking at the page, and how their browser reaches this server."""

from __future__ import annotations

import streamlit as st

from journey.studio import Entry
from pages.frame import sign_in


def person() -> str | None:
    """The e-mail address of whoever is signed in, or None without sign-in."""
    return str(st.user.email) if st.user.get("is_logged_in") and st.user.get("email") else None


def origin() -> str:
    """The origin of this server, as this browser reaches it; empty without one."""
    return sign_in.origin(st.context.url or "")


def expect(*queued: Entry) -> None:
    """Tell this browser when these tasks end, on whatever page it shows then."""
    st.session_state.setdefault("awaited", set()).update(entry.id for entry in queued)
