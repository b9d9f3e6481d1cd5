"""The tab's icon, drawn here: a sheet with crop marks."""

from __future__ import annotations

import streamlit as st
from PIL import Image, ImageDraw


@st.cache_resource
def icon() -> Image.Image:
    """64 × 64 pixels, transparent around the sheet."""
    canvas = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle((12, 12, 52, 52), 4, fill="#0f6b6b")
    draw.polygon([(18, 46), (30, 28), (37, 37), (42, 31), (48, 46)], fill="#fdfcf9")
    draw.ellipse((38, 18, 45, 25), fill="#f2c14e")
    for x, y in ((12, 12), (52, 12), (12, 52), (52, 52)):
        outward_x, outward_y = (-1 if x < 32 else 1), (-1 if y < 32 else 1)
        draw.line((x + outward_x * 3, y, x + outward_x * 10, y), fill="#7d8a8c", width=2)
        draw.line((x, y + outward_y * 3, x, y + outward_y * 10), fill="#7d8a8c", width=2)
    return canvas
