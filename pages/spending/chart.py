"""A chart of the months side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from journey.studio import Line
from journey.views import spending as words
from journey.views.spending import By

COLOURS = ["#178f88", "#e0a526", "#5b86d9", "#cf6a49", "#9471c4", "#7a9a3c", "#c2618f", "#8a949a"]
"""Equally strong on light and on dark pages."""


def show_chart(shown: Sequence[Line], months: Sequence[str], by: By) -> None:
    """A bar for each month, stacked by what is asked for."""
    unit = "Pictures" if by == "provider" else "Credits"
    bars = words.bars(shown, months, by)
    if not bars:
        st.caption(f"No {unit.lower()} in these months.")
        return
    names = list(dict.fromkeys(bar.name for bar in bars))
    rows = [{"Month": words.month_words(bar.month), "Name": bar.name, unit: bar.height} for bar in bars]
    st.vega_lite_chart(
        pd.DataFrame(rows),
        _spec(names, unit),
        height=320,
        alt=f"{words.WAYS[by]}, {words.month_words(months[0])} to {words.month_words(months[-1])}: "
        f"{sum(bar.height for bar in bars):,} in all",
    )


def _spec(names: Sequence[str], unit: str) -> dict[str, Any]:
    """The chart in Vega-Lite's own words: to put it together in Altair's takes two thirds of the time of the page."""
    month, name, height = (
        {"field": field, "type": kind}
        for field, kind in (("Month", "nominal"), ("Name", "nominal"), (unit, "quantitative"))
    )
    return {
        "mark": "bar",
        "encoding": {
            "x": {
                **month,
                "sort": None,
                "title": None,
                "axis": {"labelAngle": 0, "labelExpr": "split(datum.label, ' ')"},
            },
            "y": {**height, "axis": {"tickMinStep": 1}},
            "color": {
                **name,
                "sort": names,
                "scale": {"domain": names, "range": COLOURS[: len(names)]},
                "legend": {"title": None, "orient": "bottom", "columns": 2, "labelLimit": 105},
            },
            "tooltip": [month, name, height],
        },
    }
