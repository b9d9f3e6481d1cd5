"""Many pictures at once: a table before anything is spent, one click, and what became of each."""

from __future__ import annotations

import streamlit as st

from journey.views import batches as words
from journey.views import links
from journey.views.words import literal, moment
from journey.workspace import workspace
from pages.batches.form import batch_form
from pages.batches.progress import batch_progress
from pages.frame.header import header

LATEST = 5


def latest_batches() -> None:
    latest = workspace().batches.latest(limit=LATEST)
    if not latest:
        return
    st.header("Latest batches", anchor=False)
    for batch, progress in latest:
        with st.container(border=True, gap=None):
            st.page_link(
                "batch.py", label=literal(batch.name), icon=":material/stacks:", query_params=links.batch(batch.id)
            )
            st.caption(
                f"{moment(batch.created_at, st.context.timezone)} · "
                + (f"{literal(batch.person)} · " if batch.person else "")
                + ("paused · " if batch.held and not progress.over else "")
                + words.states(progress)
            )


if queued := st.session_state.pop("batch_queued", None):
    st.query_params.from_dict(queued)
header("Batch", "Enlarge many pictures at once, and see what it costs before anything is spent.")
if wanted := links.asked_batch(st.query_params):
    batch_progress(wanted)
else:
    batch_form()
    latest_batches()
