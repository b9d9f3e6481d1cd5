"""What pages write into the address. The browser shows it a moment later, and may still report the old one."""

from __future__ import annotations

import time
from collections.abc import Mapping

import streamlit as st

LATE_SECONDS = 2.0
"""How long a browser may take to show the address that was written last."""


def leave(*addresses: Mapping[str, str]) -> None:
    """Note that another address will replace these. Call it before `st.query_params` is changed."""
    now = time.monotonic()
    recent = [each for each in st.session_state.get("addresses_left", []) if now - each[0] < LATE_SECONDS]
    st.session_state.addresses_left = [*recent, *((now, dict(address)) for address in addresses)]


def is_late(told: Mapping[str, str]) -> bool:
    """True when this address was left just now: the browser reports what it showed before; nobody followed a link."""
    now = time.monotonic()
    return any(told == left and now - at < LATE_SECONDS for at, left in st.session_state.get("addresses_left", []))
