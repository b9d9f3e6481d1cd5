"""What was paid for, by whom and when, and what is left of the month's budget."""

from __future__ import annotations

import time

import altair as alt
import pandas as pd
import streamlit as st

from journey.api.models import CREDITS_PER_UPSCALE
from journey.history import spending
from journey.history.spending import Budget, Line
from journey.views import spending as views
from journey.views.spending import By, month_words
from journey.views.words import counted, moment
from journey.workspace import LABELS, workspace
from pages import _parts

ALL = 0
RANGES = {1: "This month", 3: "3 months", 6: "6 months", 12: "12 months", ALL: "All"}
WAYS: dict[By, str] = {
    "person": "Credits by person",
    "certainty": "Credits by certainty",
    "engine": "Pictures by engine",
}
COLOURS = ["#178f88", "#e0a526", "#5b86d9", "#cf6a49", "#9471c4", "#7a9a3c", "#c2618f", "#8a949a"]
"""Of equal weight on a light and on a dark page."""
space = workspace()
state = st.session_state


def show_month(lines: list[Line], month: str) -> None:
    """This month in figures: spent, budget, and what the account has."""
    of_month = [line for line in lines if line.month == month]
    with st.container(horizontal=True):
        st.metric(
            "Credits this month",
            f"{sum(line.charged for line in of_month):,}",
            border=True,
            help="Charged for calls that JourneyAPI accepted.",
        )
        st.metric(
            "Perhaps charged",
            f"{sum(line.uncertain for line in of_month):,}",
            border=True,
            help="Tasks that failed at JourneyAPI, and calls in doubt. The budget counts them.",
        )
        account = space.balance()
        if space.settings.api_key:
            known = account is not None and account.credits is not None
            st.metric("Balance", f"{account.credits:,}" if known else "–", border=True, help="Credits at JourneyAPI.")
    if account is not None:
        st.caption(f"Balance as JourneyAPI told it on {moment(space.balance_at, st.context.timezone)}.")
    elif space.settings.api_key:
        st.caption("JourneyAPI has not told the balance yet.")
        _parts.wait_until(lambda: space.balance() is not None)
    show_budget(space.budget(), month)


def show_budget(budget: Budget | None, month: str) -> None:
    if budget is None:
        if space.settings.api_key:
            st.caption("No budget is set. With JOURNEY_MONTHLY_CREDITS, paid tasks stop before they go over it.")
        return
    st.progress(
        budget.share,
        text=f"Budget of {month_words(month)}: {budget.spent:,} of {counted(budget.limit, 'credit')} used, "
        f"**{budget.left:,} left**",
    )
    st.caption(
        ("It is used up: new" if budget.is_used_up else "When it is used up, new")
        + " tasks for JourneyAPI wait, and nothing is lost. They go on in the next month, or once "
        "JOURNEY_MONTHLY_CREDITS is raised and the studio restarted."
        + (" This machine goes on for free." if space.engine else "")
    )


def explain(shown: list[Line]) -> None:
    """In words, what is uncertain, and what was free."""
    after_failure = sum(line.after_failure for line in shown)
    unknown = sum(line.unknown for line in shown)
    if after_failure:
        st.markdown(
            f":material/error: **{counted(after_failure, 'credit')}** for "
            f"{counted(after_failure // CREDITS_PER_UPSCALE, 'task')} that JourneyAPI accepted and that failed there. "
            "It charges when it accepts a call; your account there says whether they were given back."
        )
    if unknown:
        st.markdown(
            f":material/help: **{counted(unknown, 'credit')}** for {counted(unknown // CREDITS_PER_UPSCALE, 'call')} "
            "in doubt: it is not known whether JourneyAPI accepted them; the answer was lost, or is still to come. "
            "Tasks that need your decision are in History."
        )
        st.page_link("history.py", label="Open History", icon=":material/history:")
    free = [line for line in shown if line.engine == "embedded"]
    if pictures := sum(line.finished for line in free):
        st.markdown(
            f":material/memory: This machine made **{counted(pictures, 'picture')}** "
            f"({sum(line.megapixels for line in free):,.0f} megapixels) for free. JourneyAPI would have charged "
            f"{counted(sum(line.would_have_cost for line in free), 'credit')}."
        )


def show_chart(shown: list[Line], months: list[str], by: By) -> None:
    unit = "Pictures" if by == "engine" else "Credits"
    bars = views.bars(shown, months, by)
    if not bars:
        st.caption(f"No {unit.lower()} in these months.")
        return
    names = list(dict.fromkeys(bar.name for bar in bars))
    rows = [{"Month": month_words(bar.month), "Name": bar.name, unit: bar.height} for bar in bars]
    st.altair_chart(
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            x=alt.X("Month:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelExpr="split(datum.label, ' ')")),
            y=alt.Y(f"{unit}:Q", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "Name:N",
                sort=names,
                scale=alt.Scale(domain=names, range=COLOURS[: len(names)]),
                legend=alt.Legend(title=None, orient="bottom", columns=2, labelLimit=130),
            ),
            tooltip=["Month:N", "Name:N", f"{unit}:Q"],
        ),
        height=320,
        alt=f"{WAYS[by]}, {month_words(months[0])} to {month_words(months[-1])}: "
        f"{sum(bar.height for bar in bars):,} in all",
    )


def row(line: Line) -> dict[str, object]:
    return {
        "Month": month_words(line.month),
        "Who": line.person or views.NOBODY,
        "Engine": LABELS[line.engine],
        "Pictures": line.finished,
        "Megapixels": line.megapixels,
        "Charged": line.charged,
        "May have been charged": line.uncertain,
    }


def show_table(shown: list[Line], months: list[str]) -> None:
    st.dataframe(
        pd.DataFrame([row(line) for line in shown]),
        hide_index=True,
        column_config={
            "Pictures": st.column_config.NumberColumn(format="localized", help="Finished pictures."),
            "Megapixels": st.column_config.NumberColumn(format="%.1f", help="Of the finished pictures."),
            "Charged": st.column_config.NumberColumn(format="localized", help="Credits of calls that were accepted."),
            "May have been charged": st.column_config.NumberColumn(
                format="localized", help="Credits of tasks that failed at JourneyAPI, and of calls in doubt."
            ),
        },
        column_order=None if any(line.person for line in shown) else [name for name in row(shown[0]) if name != "Who"],
        alt="Credits and pictures by month, person and engine",
    )
    st.download_button(
        "Export CSV",
        views.to_csv(shown),
        file_name=f"spend-{months[0]}-to-{months[-1]}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


_parts.header("Spend", "Credits by month, person and engine. Months are calendar months in UTC, as the budget's are.")
now = time.time()
month = spending.month_name(now)
lines = space.spending.lines()
show_month(lines, month)
if not lines:
    st.info(
        "Nothing was sent yet. Upscale a picture, and what it cost is listed here."
        if space.settings.api_key
        else "Nothing was sent yet, and nothing costs anything: without JOURNEY_API_KEY all work is done on this "
        "machine, for free. Upscale a picture, and it is counted here.",
        icon=":material/payments:",
    )
    st.page_link("upscale.py", label="Upscale a picture", icon=":material/photo_size_select_large:")
    st.stop()

state.setdefault("spend_range", 6)
state.setdefault("spend_by", "person" if any(line.person for line in lines) else "certainty")
months_side, chart_side = st.columns(2)
with months_side:
    chosen = st.segmented_control(
        "Months",
        list(RANGES),
        required=True,
        format_func=RANGES.__getitem__,
        key="spend_range",
        wrap=True,
        persist_state="session",
    )
with chart_side:
    by = st.segmented_control(
        "Show",
        list(WAYS),
        required=True,
        format_func=WAYS.__getitem__,
        key="spend_by",
        wrap=True,
        persist_state="session",
        disabled=chosen == 1,
    )
start = spending.month_name(spending.month_start(now, back=chosen - 1))
first = min(line.month for line in lines) if chosen == ALL else start
months = spending.months_until(first, max(month, lines[0].month))
shown = [line for line in lines if line.month >= first]
if not shown:
    st.info("Nothing was sent in these months. Choose more of them.", icon=":material/payments:")
    st.stop()
if chosen != 1:
    show_chart(shown, months, by)
explain(shown)
show_table(shown, months)
