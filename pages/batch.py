"""Many pictures at once: a table before anything is spent, one click, and what became of each."""

from __future__ import annotations

import streamlit as st

from journey.views import batches as words
from journey.views.words import literal, moment
from journey.workspace import workspace
from pages import _batch_form, _batch_view, _parts

LATEST = 5
space = workspace()


def latest_batches() -> None:
    latest = space.batches.latest(limit=LATEST)
    if not latest:
        return
    st.header("Latest batches", anchor=False)
    for batch, progress in latest:
        with st.container(border=True, gap=None):
            st.page_link("batch.py", label=literal(batch.name), icon=":material/stacks:", query_params={"id": batch.id})
            st.caption(
                f"{moment(batch.created_at, st.context.timezone)} · "
                + (f"{literal(batch.person)} · " if batch.person else "")
                + ("paused · " if batch.held and not progress.over else "")
                + words.states(progress)
            )


if queued := st.session_state.pop("batch_queued", None):
    st.query_params.from_dict({"id": queued})
_parts.header("Batch", "Enlarge many pictures at once, and see what it costs before anything is spent.")
if wanted := st.query_params.get("id"):
    _batch_view.show(wanted)
else:
    _batch_form.show()
    latest_batches()
