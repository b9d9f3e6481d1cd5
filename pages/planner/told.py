"""How large the files will be that are about to be made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from journey.errors import JourneyError
from journey.printing.shop import PrintJob, PrintSpec, Told
from journey.studio import Source
from journey.views.plans import told_warnings, told_words
from journey.views.words import literal
from journey.workspace import workspace
from pages.frame.protection import protected, say_error

LOOK_SECONDS = 0.5
QUICK_SECONDS = 0.2
MOST_FILES = 8
"""For more of them it would take as long as it takes to make a few."""

state = st.session_state


def show_told(source: Source, specs: Sequence[PrintSpec]) -> None:
    """Ask in the background, and show it as soon as it is known. Where it cannot be told, nothing is shown."""
    if not 0 < len(specs) <= MOST_FILES:
        return
    job = _asked(source, tuple(specs))
    if job is None:
        return
    if job.done:
        _show(job, specs)
        return

    # By itself: drawing the whole page again would close a list that somebody has just opened.
    @st.fragment(run_every=LOOK_SECONDS)
    @protected(quiet=True)
    def look() -> None:
        if job.done:
            _show(job, specs)
        else:
            st.caption("Finding out how large it will be …")

    look()


def _show(job: PrintJob[tuple[Told, ...]], specs: Sequence[PrintSpec]) -> None:
    try:
        told = job.result(0)
    except (JourneyError, OSError, ValueError):  # making the file says why
        return
    if words := told_words(told, specs):
        st.markdown(words)
    for sentence in told_warnings(told, specs):
        if any(each.problem == sentence for each in told):
            say_error(sentence)
        else:
            st.caption(f":material/info: {literal(sentence)}")


def _asked(source: Source, specs: tuple[PrintSpec, ...]) -> PrintJob[tuple[Told, ...]] | None:
    """The same question is asked once; what nobody waits for any more is stopped."""
    question = source.stored.key, specs
    job: PrintJob[tuple[Told, ...]] | None
    asked, job = state.get("print_told", (None, None))
    if asked == question:
        return job
    if job is not None:
        job.stop()
    try:
        job = workspace().print_runs.tell(source.stored, specs)
    except (JourneyError, OSError):
        job = None
    if job is not None:
        with suppress(TimeoutError, JourneyError, OSError, ValueError):
            job.result(QUICK_SECONDS)
    state.print_told = question, job
    return job
