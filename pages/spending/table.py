"""What was spent, line by line."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from journey.studio import Line
from journey.views import spending as words


def show_table(shown: Sequence[Line], months: Sequence[str]) -> None:
    """A row for each month, person and provider, and the same as a file."""
    rows = [words.row(line) for line in shown]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Pictures": st.column_config.NumberColumn(format="localized", help="Finished pictures."),
            "Megapixels": st.column_config.NumberColumn(format="%.1f", help="Of the finished pictures."),
            "Charged": st.column_config.NumberColumn(format="localized", help="Credits of calls that were accepted."),
            "May have been charged": st.column_config.NumberColumn(
                format="localized", help="Credits of tasks that failed after they were accepted, and of calls in doubt."
            ),
        },
        column_order=None if any(line.person for line in shown) else [name for name in rows[0] if name != "Who"],
        alt="Credits and pictures by month, person and provider",
    )
    st.download_button(
        "Export CSV",
        words.to_csv(shown),
        file_name=f"spend-{months[0]}-to-{months[-1]}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
