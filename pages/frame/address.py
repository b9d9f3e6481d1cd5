"""What pages write into the address. A browser shows it a moment later, so what it tells next may still be older."""

from __future__ import annotations

import time
from collections.abc import Mapping

import streamlit as st

LATE_SECONDS = 2.0
"""So long a browser may take to show the address that was written last."""


def leave(*addresses: Mapping[str, str]) -> None:
    """Another address is written instead of these. Call it before `st.query_params` is changed."""
    now = time.monotonic()
    recent = [each for each in st.session_state.get("addresses_left", []) if now - each[0] < LATE_SECONDS]
    st.session_state.addresses_left = [*recent, *((now, dict(address)) for address in addresses)]


def is_late(told: Mapping[str, str]) -> bool:
    """True when this address was left just now: the browser tells what it showed before, and nobody followed a link."""
    now = time.monotonic()
    return any(told == left and now - at < LATE_SECONDS for at, left in st.session_state.get("addresses_left", []))
