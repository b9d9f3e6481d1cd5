"""What this browser has just queued is brought into view: when it begins, and when its result is there."""

from __future__ import annotations

import streamlit as st

from journey.studio import Entry

state = st.session_state


def begins(entry: Entry) -> bool:
    """True once in a visit: for its first task. From then on people know where to look, and may queue in peace."""
    if state.get("newest") != entry.id or "begun" in state:
        return False
    state.begun = entry.id
    return True


def arrives(entry: Entry) -> bool:
    """True once for each result that this browser has waited for on Upscale."""
    if state.get("newest") != entry.id or state.get("arrived") == entry.id:
        return False
    state.arrived = entry.id
    return True
