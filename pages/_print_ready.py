"""The section of the Print size page that makes files for the print shop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from journey import printing
from journey.errors import JourneyError
from journey.printing import Paper, Plan, shop
from journey.printing import inputs as print_inputs
from journey.printing.shop import FileFormat, PrintSpec
from journey.printing.shop.runs import PrintRun
from journey.studio.intake import Source
from journey.views.words import file_size, literal
from journey.workspace import workspace
from pages import _parts

KINDS = {"exact": "Exact size", "keep": "Keep pixels", "set": "Print set", "proof": "Proof"}
FORMATS: dict[FileFormat, str] = {
    "TIFF": "TIFF · lossless, what most print shops prefer",
    "PDF": "PDF · one page of exactly this size, with trim and bleed marked",
    "JPEG": "JPEG · small, for online print services (quality 95)",
    "PNG": "PNG · lossless, keeps transparency",
}
SHOWN_RUNS = 5
REFRESH_SECONDS = 0.5
QUICK_SECONDS = 0.3


@dataclass(frozen=True)
class Started:
    """A run of this visitor, and what it is called until its file has a name."""

    label: str
    run: PrintRun


def section(source: Source, plan: Plan | None, position: float, orientation: printing.Orientation) -> None:
    """Choose, make, watch, download. Without a plan (for screens) only the pixels can be kept."""
    st.header("Print-ready file", anchor=False)
    left, right = st.columns([5, 6], gap="large")
    with left:
        kinds = list(KINDS) if plan else ["keep"]
        kind = st.segmented_control(
            "What to make",
            kinds,
            default=kinds[0],
            required=True,
            format_func=KINDS.__getitem__,
            key="ready_kind",
            wrap=True,
        )
        start = {"exact": exact, "keep": keep, "set": several, "proof": proof}[kind](
            source, plan, position, orientation
        )
        if st.button("Make the file", key="make", type="primary", icon=":material/print:", disabled=start is None):
            begin(start)
        st.caption("A DPI tag adds no detail: it only tells programs how large to print the pixels that are there.")
    with right:
        show_runs()


Start = Callable[[], Started]


def keep(source: Source, plan: Plan | None, position: float, orientation: printing.Orientation) -> Start | None:
    dpi = plan.dpi if plan else 300
    st.markdown(
        f"The same pixels, with **{dpi:g} DPI** written in the file. PNG and JPEG are not encoded again, and what "
        "cameras and editors left in them stays out. "
        f"It will print {literal(printing.print_size(source.width, source.height, dpi).text('cm'))}."
    )
    return lambda: Started(
        f"{source.name}, {dpi:g} DPI",
        workspace().print_runs.make(shop.retag, source.key, source.file, dpi=dpi, title=source.name),
    )


def exact(source: Source, plan: Plan | None, position: float, orientation: printing.Orientation) -> Start | None:
    assert plan is not None  # noqa: S101  for the type checker: it is offered with a plan only
    file_format = choose_format()
    with_bleed = f" and {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
    st.markdown(
        f"**{plan.needed[0]} × {plan.needed[1]} px**: {literal(plan.paper.label)} at {plan.dpi:g} DPI{with_bleed}, "
        f"{'cropped as drawn above' if plan.fit == 'crop' else 'the whole picture with white margins'}."
    )
    option = plan.options[1]
    if not option.enough:
        st.markdown(
            f":material/info: The picture itself has {option.dpi_shown} DPI on this paper ({option.grade.word}). "
            "Upscale it first for a sharper print."
        )
    spec = checked(plan, plan.paper, file_format, position, orientation)
    return spec and (
        lambda: Started(
            shop.file_name(source.name, spec),
            workspace().print_runs.make(shop.exact_size, source.key, source.file, spec, title=source.name),
        )
    )


def several(source: Source, plan: Plan | None, position: float, orientation: printing.Orientation) -> Start | None:
    assert plan is not None  # noqa: S101  for the type checker: it is offered with a plan only
    file_format = choose_format()
    own = plan.paper.name if plan.paper.name in printing.PAPERS else None
    names = st.multiselect(
        "Papers",
        list(printing.PAPERS),
        default=list(dict.fromkeys([*([own] if own else []), "A4", "8x10"])),
        format_func=print_inputs.target_label,
        key="set_papers",
        max_selections=shop.SET_LIMIT,
    )
    st.markdown(f"One ZIP with a {file_format} for each paper and a list of what is in it, at {plan.dpi:g} DPI.")
    specs = [checked(plan, printing.PAPERS[name], file_format, position, orientation) for name in names]
    ready = [spec for spec in specs if spec]
    if not names:
        st.caption("Choose at least one paper.")
    if not ready or len(ready) < len(specs):
        return None
    return lambda: Started(
        f"{source.name}, {len(ready)} papers",
        workspace().print_runs.make(shop.print_set, source.key, source.file, ready, title=source.name),
    )


def proof(source: Source, plan: Plan | None, position: float, orientation: printing.Orientation) -> Start | None:
    assert plan is not None  # noqa: S101  for the type checker: it is offered with a plan only
    file_format = choose_format()
    st.markdown(
        f"The most detailed part of the {literal(plan.paper.name)} print at its true size on a 10 × 15 cm photo. "
        "Print it at home at 100 % and look at it before you order."
    )
    spec = checked(plan, plan.paper, file_format, position, orientation)
    return spec and (
        lambda: Started(
            f"{source.name}, proof",
            workspace().print_runs.make(shop.proof, source.key, source.file, spec, title=source.name),
        )
    )


def choose_format() -> FileFormat:
    return st.selectbox("Format", list(FORMATS), format_func=FORMATS.__getitem__, key="ready_format")


def checked(
    plan: Plan, paper: Paper, file_format: FileFormat, position: float, orientation: printing.Orientation
) -> PrintSpec | None:
    """The spec, or None and the sentence why there can be none."""
    try:
        return PrintSpec(
            paper,
            plan.dpi,
            file_format,
            fit=plan.fit,
            bleed_mm=plan.bleed_mm,
            orientation=orientation,
            position=position,
        )
    except ValueError as error:
        _parts.say_error(str(error))
        return None


def begin(start: Start | None) -> None:
    if start is None:
        return
    try:
        started = start()
    except JourneyError as error:
        _parts.say_error(str(error))
    except OSError:
        _parts.say_error("The print file could not be started: nothing can be written here. Make room on the disk.")
    else:
        # What takes a moment only is there at once, without a bar that comes and goes.
        with suppress(TimeoutError):
            started.run.wait(QUICK_SECONDS)
        st.session_state.print_runs = [started, *st.session_state.get("print_runs", [])][:SHOWN_RUNS]


def show_runs() -> None:
    """The latest files of this visitor, those under way with their progress."""
    if not st.session_state.get("print_runs"):
        st.info("The file will be here to download, with what to know before ordering.", icon=":material/download:")
        return
    live = any(not each.run.done for each in st.session_state.print_runs)

    @st.fragment(run_every=REFRESH_SECONDS if live else None)
    @_parts.protected()
    def cards() -> None:
        started: list[Started] = st.session_state.get("print_runs", [])
        if live and all(each.run.done for each in started):
            st.rerun()
        for place, each in enumerate(started):
            with st.container(border=True):
                card(place, each)

    cards()
    st.caption("Print files can be downloaded for a day.")


def card(place: int, started: Started) -> None:
    run = started.run
    if made := run.made:
        first = made.files[0]
        st.link_button(
            f"Download {made.name}",
            f"{_parts.address(made.key, made.name)}?download",
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
            _parts.say_error(run.problem or "")
    else:
        st.text(started.label)
        words = "Waiting for the file before it" if run.waiting else f"Making the file · {run.progress:.0%}"
        st.progress(run.progress, text=words)
        st.button("Stop", key=f"stop_print_{place}", icon=":material/stop:", on_click=_parts.acting(run.stop))
