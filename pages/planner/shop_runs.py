"""Print files in the making: started, watched, stopped, downloaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from journey.errors import JourneyError
from journey.printing.shop.runs import PrintRun
from journey.views import links
from journey.views.words import file_size, literal
from pages.frame.protection import acting, protected, say_error
from pages.frame.visitor import origin
from pages.frame.watching import refreshes

SHOWN_RUNS = 5
REFRESH_SECONDS = 0.5
QUICK_SECONDS = 0.3


@dataclass(frozen=True)
class Started:
    """A run of this visitor, what it is called until its file has a name, and the title of its picture."""

    label: str
    run: PrintRun
    title: str


Start = Callable[[], Started]


def begin(start: Start | None) -> None:
    if start is None:
        return
    try:
        started = start()
    except JourneyError as error:
        say_error(str(error))
    except OSError:
        say_error("The print file could not be started: nothing can be written to the disk. Make room, then try again.")
    else:
        # What takes only a moment appears at once, without a bar that comes and goes.
        with suppress(TimeoutError):
            started.run.wait(QUICK_SECONDS)
        st.session_state.print_runs = [started, *st.session_state.get("print_runs", [])][:SHOWN_RUNS]


def show_runs() -> None:
    """This visitor's latest files; those under way show their progress."""
    if not st.session_state.get("print_runs"):
        st.info("Your file will be here to download, with what to know before you order.", icon=":material/download:")
        return
    live = any(not each.run.done for each in st.session_state.print_runs)

    is_refresh = refreshes()

    @st.fragment(run_every=REFRESH_SECONDS if live else None)
    @protected()
    def cards() -> None:
        started: list[Started] = st.session_state.get("print_runs", [])
        if is_refresh() and live and all(each.run.done for each in started):
            st.rerun()
        for place, each in enumerate(started):
            with st.container(border=True):
                _card(place, each)

    cards()
    st.caption("Print files can be downloaded for a day.")


def _card(place: int, started: Started) -> None:
    run = started.run
    if made := run.made:
        first = made.files[0]
        st.link_button(
            f"Download {literal(links.print_file_name(made.stored, started.title), limit=300)}",
            links.print_file(made.stored, started.title, origin()),
            type="primary" if place == 0 else "secondary",
            icon=":material/download:",
        )
        facts = f"{len(made.files)} files" if len(made.files) > 1 else f"{first.width} × {first.height} px"
        st.caption(f"{facts} · {first.dpi:g} DPI · {file_size(made.size)}")
        for note in made.notes:
            st.caption(f":material/info: {literal(note)}")
    elif run.done:
        st.text(started.label)
        if run.stopped:
            st.caption("Stopped.")
        else:
            say_error(run.problem or "")
    else:
        st.text(started.label)
        words = "Waiting for the file before it" if run.waiting else f"Making the file · {run.progress:.0%}"
        st.progress(run.progress, text=words)
        st.button("Stop", key=f"stop_print_{place}", icon=":material/stop:", on_click=acting(run.stop))
