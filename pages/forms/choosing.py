"""The controls that most forms are made of: one of a few options, all in sight, and a line of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st


def choose(label: str, options: Mapping[str, str], *, key: str, **more: Any) -> str:
    """The key of what is chosen. `options` are names by key; what was chosen stays when the page is left."""
    return str(
        st.segmented_control(
            label,
            list(options),
            required=True,
            format_func=options.__getitem__,
            key=key,
            persist_state="session",
            **more,
        )
    )


def type_in(label: str, *, key: str, limit: int | None, **more: Any) -> str:
    """A line of text. What was typed stays when the page is left.

    Browsers drop what is pasted beyond the limit without a word, so what must be told about has none here.
    """
    return str(st.text_input(label, key=key, max_chars=limit, persist_state="session", **more))
