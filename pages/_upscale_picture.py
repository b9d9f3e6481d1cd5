"""The right side of Upscale: the picture, how large it prints, and samples while there is none."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from journey import printing
from journey.printing import Plan
from journey.printing import inputs as print_inputs
from journey.studio.intake import Source
from journey.views.words import literal, pixels
from journey.workspace import workspace
from pages import _parts, _print_plan

NO_PAPER = "none"
TURNS = {"auto": "As it fits", "portrait": "Portrait", "landscape": "Landscape"}
FITS = {"crop": "Crop", "contain": "Contain"}
DEFAULTS = {
    "for_paper": NO_PAPER,
    "for_custom": None,
    "for_turn": "auto",
    "for_fit": "crop",
    "for_dpi": "300",
    "for_bleed": 0,
}
"""What is kept in the session of the paper that the picture is meant for."""
state = st.session_state


def plan_for(source: Source | None) -> tuple[Plan | None, str | None]:
    """The picture on the chosen paper (None without either), or the sentence why there is no plan."""
    paper = printing.PAPERS.get(state.for_paper, state.for_custom)
    if source is None or state.for_paper == NO_PAPER or paper is None:
        return None, None
    try:
        plan = printing.plan(
            source.width,
            source.height,
            paper,
            print_inputs.number(state.for_dpi, "DPI"),
            fit=state.for_fit,
            bleed_mm=state.for_bleed if state.for_fit == "crop" else 0,
            orientation=state.for_turn,
        )
    except ValueError as error:
        return None, str(error)
    return plan, None


def show_picture(source: Source, plan: Plan | None, problem: str | None) -> None:
    """The picture with its pixels, and how large it prints now and enlarged."""
    _parts.picture(
        source.key, alt=f"Your picture: {source.name}", width=_parts.fitted_width(source.width, source.height)
    )
    st.text(f"{source.name} · {pixels(source.width, source.height)}")
    for note in source.notes:
        st.caption(literal(note))
    choose_paper()
    if problem:
        _parts.say_error(problem)
    if plan is None:
        show_print_sizes(source)
    else:
        show_on_paper(plan)


def choose_paper() -> None:
    """What the picture is to be printed on; none is a fine answer."""
    labels = {NO_PAPER: "No paper in mind"} | {name: paper.label for name, paper in printing.PAPERS.items()}
    if state.for_custom is not None:
        labels[state.for_custom.name] = state.for_custom.label
    if state.for_paper not in labels:
        state.for_paper = NO_PAPER
    with st.container(horizontal=True):
        st.selectbox(
            "For paper",
            list(labels),
            format_func=labels.__getitem__,
            key="for_paper",
            persist_state="session",
        )
        if state.for_paper == NO_PAPER:
            return
        st.text_input("DPI", key="for_dpi", max_chars=20, persist_state="session", width=90)
        st.segmented_control(
            "Orientation",
            list(TURNS),
            required=True,
            format_func=TURNS.__getitem__,
            key="for_turn",
            persist_state="session",
        )
        st.segmented_control(
            "Fit", list(FITS), required=True, format_func=FITS.__getitem__, key="for_fit", persist_state="session"
        )
    if state.for_bleed:
        with st.container(horizontal=True, vertical_alignment="center"):
            kept = "" if state.for_fit == "crop" else ", which only a picture that fills the sheet has"
            st.caption(f"Planned with {state.for_bleed:g} mm bleed{kept}.", width="content")
            st.button("Without bleed", key="no_bleed", type="tertiary", on_click=state.update, args=({"for_bleed": 0},))


def show_on_paper(plan: Plan) -> None:
    """DPI and grade of each multiplier on the chosen paper, the cheapest that is enough marked."""
    for column, option in zip(st.columns(3), plan.options.values(), strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f"**{_print_plan.NAMES[option.multiplier]} · {option.dpi_shown} DPI**")
            st.badge(option.grade.word, color=_print_plan.COLOURS[option.grade.word])
            st.caption(option.grade.in_words.capitalize())
            if option.multiplier == plan.recommended:
                st.caption(":material/check: **Cheapest that is enough**")
    if plan.recommended is None:
        st.caption(
            f"{plan.dpi:g} DPI are out of reach on this paper. 4x reaches {plan.reached.dpi_shown} DPI, which looks "
            f"sharp from {printing.distance_text(plan.reached.sharp_from_cm)}."
        )


def show_print_sizes(source: Source) -> None:
    for column, multiplier in zip(st.columns(3), (1, 2, 4), strict=True):
        width, height = source.width * multiplier, source.height * multiplier
        size = printing.print_size(width, height, 300)
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{'Now' if multiplier == 1 else f'{multiplier}x'}** · {pixels(width, height)}")
            st.markdown(size.text("in"))
            st.caption(size.text("cm"))
    st.caption("Print sizes at 300 DPI, sharp in the hand.")


def show_samples(use_sample: Callable[[Source], None], use_grid: Callable[[], None]) -> None:
    """No picture at hand: three samples and a grid, one click away."""
    space = workspace()
    if state.for_paper != NO_PAPER:
        st.info(f"Planned for {state.for_paper}, {state.scale}x. Now choose the picture.", icon=":material/print:")
    st.markdown("**No picture at hand? Try one of these**")
    samples = _parts.sample_sources()
    if samples is None:
        return
    # Columns as wide as their pictures are, so that the pictures of a row are equally high.
    upper, lower = st.columns([2, 3]), st.columns([3, 2])
    for cell, source in zip((*upper, *lower), samples.values(), strict=False):
        with cell:
            _parts.picture(source.key, alt=f"Sample: {source.name}")
            st.button(source.name, key=f"sample_{source.key}", width="stretch", on_click=use_sample, args=(source,))
    if space.engine:
        with lower[1]:
            _parts.picture(space.sample_grid_key, alt="Sample grid: one tree in four seasons")
            st.button("Four seasons, a grid", key="sample_grid", width="stretch", on_click=use_grid)
