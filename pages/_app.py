"""The frame round every page: page settings, navigation, and what pages do when something breaks."""

from __future__ import annotations

import logging
import secrets

import streamlit as st
from PIL import Image, ImageDraw

from journey.errors import DatabaseAway, JourneyError
from journey.views.words import literal
from pages import _notices, _parts, _sign_in


@st.cache_resource
def icon() -> Image.Image:
    """The tab's icon, drawn here: a sheet with crop marks."""
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


st.set_page_config(page_icon=icon(), layout="wide")

PAGES = [
    st.Page("upscale.py", title="Upscale", icon=":material/photo_size_select_large:", default=True),
    st.Page("batch.py", title="Batch", icon=":material/stacks:", url_path="batch"),
    st.Page("print_size.py", title="Print size", icon=":material/print:", url_path="print_size"),
    st.Page("history.py", title="History", icon=":material/history:", url_path="history"),
    st.Page("compare.py", title="Compare", icon=":material/compare:", url_path="compare"),
    st.Page("spend.py", title="Spend", icon=":material/payments:", url_path="spend"),
]
menu = {"": PAGES}
if signed_in := _sign_in.guard(PAGES):
    menu[literal(signed_in)] = [
        st.Page(_sign_in.sign_out, title="Sign out", icon=":material/logout:", url_path="sign_out")
    ]
page = st.navigation(menu, position="top")

try:
    _notices.show(page.title)
    page.run()
except DatabaseAway as error:
    logging.getLogger(__name__).warning("the database does not answer: %s", error.reason)
    st.error(str(error))
except JourneyError as error:
    _parts.say_error(str(error))
except Exception:
    number = secrets.token_hex(4)
    logging.getLogger(__name__).exception("page error %s", number)
    st.error(f"Something went wrong on this page. Reload it; if it happens again, report the number {number}.")
