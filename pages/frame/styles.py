"""What no setting of the theme can say: for forced colours, and for pages that begin on the right."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_COMPONENT = st.components.v2.component(
    "styles",
    html="<span hidden></span>",
    css=Path(__file__).with_suffix(".css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def styles() -> None:
    """Draw nothing; from now on the page has them."""
    _COMPONENT(key="styles")
