"""The tables and the chart of the Print size page. They need pandas and Altair, which take seconds to load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from journey import printing
from journey.printing import Plan, Unit
from journey.views.plans import MULTIPLIER_NAMES
from journey.views.words import paper_name

BANDS = {
    "excellent": "rgba(46, 160, 110, .28)",
    "good": "rgba(120, 180, 90, .24)",
    "acceptable": "rgba(70, 140, 210, .22)",
    "poor": "rgba(235, 160, 50, .24)",
    "too low": "rgba(220, 80, 80, .24)",
}
"""Translucent, so that they look right on light and on dark pages."""
INK = "#7d8a8c"
"""For what a chart draws outside its theme: readable on light and on dark pages."""
CHART_DPI = 450
NAME_WIDTH = 140
"""Of a column with names that are longer than those of the usual papers, in pixels."""


def paper_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Papers × 1x, 2x and 4x, as `plans.paper_rows` gives them."""
    _graded(rows, alt="DPI and grade on each paper, now and enlarged")


def need_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Midjourney sizes × 1x, 2x and 4x, as `plans.need_rows` gives them."""
    _graded(rows, alt="Which Midjourney sizes reach this paper, and how")


def _graded(rows: Sequence[Mapping[str, str]], *, alt: str) -> None:
    shown = pd.DataFrame(rows).style.map(_colour, subset=[*MULTIPLIER_NAMES.values()])
    first = next(iter(rows[0]))
    wide = {first: st.column_config.TextColumn(width=NAME_WIDTH)} if max(len(row[first]) for row in rows) > 12 else None
    st.dataframe(shown, hide_index=True, alt=alt, column_config=wide)


def _colour(cell: object) -> str:
    return f"background-color: {BANDS[str(cell).split(' · ')[1]]}"


def chart(plan: Plan, unit: Unit) -> None:
    """DPI against the long side of papers of this shape, with the grades behind."""
    dpis = tuple(option.dpi for option in plan.options.values())
    st.altair_chart(
        _curves(dpis, max(plan.paper.size.in_unit(unit)), paper_name(plan.paper), unit),
        alt=f"The larger the print, the lower its DPI; a vertical line marks {plan.paper.name}",
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _curves(dpis: tuple[float, ...], long_side: float, name: str, unit: Unit) -> alt.LayerChart:
    """`dpis` are those of 1x, 2x and 4x on a paper with this long side. Cached, because Altair is slow."""
    per_inch = printing.PER_INCH[unit]
    reached = dict(zip(MULTIPLIER_NAMES.values(), dpis, strict=True))
    sides = sorted({max(4.0, 0.8 * step) * per_inch for step in range(5, 61)} | {long_side})
    lines = pd.DataFrame(
        [
            {"side": side, "DPI": dpi * long_side / side, "as": each}
            for each, dpi in reached.items()
            for side in sides
            if dpi * long_side / side <= CHART_DPI
        ],
        columns=["side", "DPI", "as"],
    )
    points = lines[lines["side"] == long_side]
    bands = pd.DataFrame(
        [
            {
                "from": grade.from_dpi,
                "to": min(grade.below_dpi, CHART_DPI),
                "middle": (grade.from_dpi + min(grade.below_dpi, CHART_DPI)) / 2,
                "grade": grade.word,
                "colour": BANDS[grade.word],
            }
            for grade in printing.GRADES
        ]
    )
    here = pd.DataFrame([{"side": long_side, "paper": name}])
    y = alt.Y("DPI:Q", scale=alt.Scale(domain=[0, CHART_DPI]), title="DPI on paper")
    x = alt.X(
        "side:Q",
        scale=alt.Scale(domain=[0, max(48 * per_inch, long_side * 1.1)], nice=False),
        title=f"Long side of the print ({unit})",
    )
    series = alt.Color("as:N", sort=[*MULTIPLIER_NAMES.values()], title=None, legend=alt.Legend(orient="top"))
    grade_names = alt.Chart(bands).mark_text(align="left", baseline="middle", dx=6, color=INK)
    curves = alt.layer(
        alt.Chart(lines)
        .mark_line(strokeWidth=3)
        .encode(
            x=x,
            y=y,
            color=series,
            tooltip=[
                alt.Tooltip("as:N", title="Picture"),
                alt.Tooltip("side:Q", title=f"Long side ({unit})", format=".1f"),
                alt.Tooltip("DPI:Q", format=".0f"),
            ],
        ),
        alt.Chart(points).mark_point(filled=True, size=90, opacity=1).encode(x="side:Q", y="DPI:Q", color=series),
    )
    layers = [
        alt.Chart(bands)
        .mark_rect()
        .encode(
            y=alt.Y("from:Q", scale=alt.Scale(domain=[0, CHART_DPI])),
            y2="to:Q",
            color=alt.Color("colour:N", scale=None),
        ),
        grade_names.encode(y=alt.Y("middle:Q"), text="grade:N", x=alt.value("width")),
        alt.Chart(here).mark_rule(strokeDash=[4, 4], color=INK).encode(x="side:Q"),
        alt.Chart(here)
        .mark_text(align="left", baseline="top", dx=5, dy=4, fontWeight="bold", color=INK)
        .encode(x="side:Q", y=alt.value(0), text="paper:N"),
        curves,
    ]
    chart: alt.LayerChart = alt.layer(*layers).resolve_scale(color="independent").properties(height=340)
    return chart
