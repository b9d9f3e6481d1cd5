"""The frame around every page: page settings, navigation, and what is said when something breaks.

It stays in this folder: the paths of pages are relative to the main script.
"""

from __future__ import annotations

import streamlit as st

from journey.views.words import literal
from pages.frame import notices, sign_in
from pages.frame.icon import icon
from pages.frame.protection import say_error, told
from pages.frame.styles import styles
from pages.keeping.keeping import bringing_back, keep, say_lost

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
if signed_in := sign_in.guard(PAGES):
    menu[literal(signed_in)] = [
        st.Page(sign_in.sign_out, title="Sign out", icon=":material/logout:", url_path="sign_out")
    ]
page = st.navigation(menu, position="top")

try:
    notices.show(page.title)
    say_lost(page.title)
    with bringing_back():
        page.run()
except Exception as error:  # noqa: BLE001  it is told, and logged
    say_error(told(error))
finally:
    styles()
    keep()
