"""The calculator: pixels and a resolution to inches and centimetres, for 1x, 2x and 4x."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from journey import printing
from journey.wording import pixels
from pages import _parts

_parts.header("Print size", "From pixels to paper: how large a picture prints, now and enlarged.")

with st.container(horizontal=True, vertical_alignment="bottom"):
    width = st.number_input("Width in pixels", 1, 1_000_000, 1024, key="w", bind="query-params")
    height = st.number_input("Height in pixels", 1, 1_000_000, 1024, key="h", bind="query-params")
    dpi = st.number_input("DPI", 1, 10_000, 300, key="dpi", bind="query-params", help="300 is sharp in the hand.")

rows = [
    {
        "Multiplier": "now" if multiplier == 1 else f"{multiplier}x",
        "Pixels": pixels(width * multiplier, height * multiplier),
        "Inches": (size := printing.print_size(width * multiplier, height * multiplier, dpi)).text("in"),
        "Centimetres": size.text("cm"),
    }
    for multiplier in printing.MULTIPLIERS
]
st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Print sizes at each multiplier")
