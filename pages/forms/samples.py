"""No picture at hand: three samples and a grid, one click away."""

from __future__ import annotations

import streamlit as st

from journey.errors import FileMissing
from journey.views.pictures import PREVIEW, SAMPLE_GRID, SAMPLE_WIDTH, StoredPicture, shrunk
from journey.workspace import workspace
from pages.forms.inputs import sample_sources
from pages.forms.paper import NO_PAPER
from pages.forms.picture import use_sample, use_sample_grid
from pages.task.pictures import AWAY, GONE

state = st.session_state


def show_samples() -> None:
    """Pictures to try, instead of an empty page."""
    if state.for_paper != NO_PAPER:
        st.info(f"Planned for {state.for_paper}, {state.scale}x. Now choose the picture.", icon=":material/print:")
    st.markdown("**No picture at hand? Try one of these**")
    samples = sample_sources()
    if samples is None:
        return
    # Columns as wide as their pictures are, so that the pictures of a row are equally high.
    upper, lower = st.columns([2, 3]), st.columns([3, 2])
    for cell, source in zip((*upper, *lower), samples.values(), strict=False):
        with cell:
            _small(source.stored, alt=f"Sample: {source.name}")
            st.button(
                source.name, key=f"sample_{source.stored.key}", width="stretch", on_click=use_sample, args=(source,)
            )
    if workspace().engine:
        with lower[1]:
            _small(SAMPLE_GRID, alt="Sample grid: one tree in four seasons")
            st.button("Four seasons, a grid", key="sample_grid", width="stretch", on_click=use_sample_grid)


def _small(sample: StoredPicture, *, alt: str) -> None:
    """A sample no larger than it is drawn: they are the first that a visitor waits for."""
    try:
        st.image(_shrunk(sample.key), alt=alt, width="stretch")
    except FileMissing:
        st.caption(GONE)
    except OSError:  # object storage is away
        st.caption(AWAY)


@st.cache_resource(max_entries=16, show_spinner=False)
def _shrunk(key: str) -> bytes:
    return shrunk(workspace().files.path(key, PREVIEW), SAMPLE_WIDTH)
