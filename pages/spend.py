"""What was paid for, by whom and when, and what is left of the month's budget."""

from __future__ import annotations

import time

import streamlit as st

from journey.studio import month_name, month_start, months_until
from journey.views import spending as words
from journey.workspace import workspace
from pages.frame.header import header
from pages.spending.chart import show_chart
from pages.spending.month import show_month
from pages.spending.table import show_table

ALL = 0
RANGES = {1: "This month", 3: "3 months", 6: "6 months", 12: "12 months", ALL: "All"}
space = workspace()
state = st.session_state
paid = [offer.provider for offer in space.offers() if offer.provider.is_paid]


header("Spend", "Credits by month, person and provider. Months are calendar months in UTC, for the budget too.")
now = time.time()
month = month_name(now)
lines = space.spending.lines()
show_month(lines, month, paid)
if not lines:
    st.info(words.nothing_sent(has_paid=bool(paid)), icon=":material/payments:")
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    st.stop()

state.setdefault("spend_range", 6)
state.setdefault("spend_by", "person" if any(line.person for line in lines) else "certainty")
months_side, chart_side = st.columns(2)
with months_side:
    st.segmented_control(
        "Months",
        list(RANGES),
        required=True,
        format_func=RANGES.__getitem__,
        key="spend_range",
        wrap=True,
        persist_state="session",
    )
with chart_side:
    st.segmented_control(
        "Show",
        list(words.WAYS),
        required=True,
        format_func=words.WAYS.__getitem__,
        key="spend_by",
        wrap=True,
        persist_state="session",
        disabled=state.spend_range == 1,
    )
chosen: int = state.spend_range
start = month_name(month_start(now, back=chosen - 1))
first = min(line.month for line in lines) if chosen == ALL else start
months = months_until(first, max(month, lines[0].month))
shown = [line for line in lines if line.month >= first]
if not shown:
    st.info("Nothing was sent in these months. Choose a longer period.", icon=":material/payments:")
    st.stop()
if chosen != 1:
    show_chart(shown, months, state.spend_by)
for sentence in words.explained(shown):
    st.markdown(sentence)
if any(line.unknown for line in shown):
    st.page_link("history.py", label="Open History", icon=":material/history:")
show_table(shown, months)
