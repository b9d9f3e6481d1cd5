"""The right side of Upscale: the picture, how large it prints, and samples while there is none."""

from __future__ import annotations

import streamlit as st

from journey import printing
from journey.printing import Plan, inputs
from journey.studio import Source
from journey.views.planner import FITS, TURNS, for_paper, presets
from journey.views.plans import GRADE_COLOURS, MULTIPLIER_NAMES
from journey.views.ways import honest_words, possible
from journey.views.words import literal, pixels
from journey.workspace import workspace
from pages.forms.choosing import choose, type_in
from pages.frame.protection import acting, say_error
from pages.task.pictures import fitted

NO_PAPER = "none"
DEFAULTS = {
    "for_paper": NO_PAPER,
    "for_custom": None,
    "for_turn": "auto",
    "for_fit": "crop",
    "for_dpi": "300",
    "for_bleed": 0,
}
"""What the session keeps about the paper that the picture is meant for."""
state = st.session_state


def plan_for(source: Source | None) -> tuple[Plan | None, str | None]:
    """The plan for the picture on the chosen paper (None without either), and a sentence when none can be made."""
    paper = workspace().papers.get(state.for_paper, state.for_custom)
    if source is None or state.for_paper == NO_PAPER or paper is None:
        return None, None
    try:
        plan = printing.plan(
            *source.size,
            paper,
            inputs.dpi(state.for_dpi),
            fit=state.for_fit,
            bleed_mm=state.for_bleed if state.for_fit == "crop" else 0,
            orientation=state.for_turn,
        )
    except ValueError as error:
        return None, str(error)
    return possible(plan, workspace().orders.way_problem)[0], None


def meant() -> dict[str, str]:
    """What Print size has to know of the paper in the form; nothing without one."""
    paper = workspace().papers.get(state.for_paper, state.for_custom)
    if state.for_paper == NO_PAPER or paper is None:
        return {}
    return for_paper(
        paper,
        turn=state.for_turn,
        fit=state.for_fit,
        dpi=state.for_dpi,
        bleed_mm=state.for_bleed,
        papers=workspace().papers,
    )


def show_picture(source: Source, plan: Plan | None, problem: str | None) -> None:
    """The picture with its pixels, and how large it prints now and enlarged."""
    workspace().intake.shown(source)
    fitted(source.stored, alt=f"Your picture: {source.name}")
    st.text(f"{source.name} · {pixels(source.size)}")
    for note in source.notes:
        st.caption(literal(note))
    _choose_paper()
    if problem:
        say_error(problem)
    if plan is None:
        _show_print_sizes(source)
    else:
        _show_on_paper(plan)


def carry(plan: Plan, *, source: Source | None, multiplier: int) -> None:
    """Open Upscale with this picture (if there is one), paper and multiplier in the form. Does not return."""
    across, down = plan.paper.width, plan.paper.height
    state.for_paper = plan.paper.name
    state.for_custom = None if plan.paper.name in workspace().papers else plan.paper
    state.for_turn = "auto" if across == down else "landscape" if across > down else "portrait"
    state.for_fit, state.for_dpi, state.for_bleed, state.scale = plan.fit, f"{plan.dpi:g}", plan.bleed_mm, multiplier
    if source is not None:
        state.way, state.image_url = "url", ""
        state.source, state.parent, state.problem = source, None, None
        state.looked_at = ("print", source.stored.key)
    st.switch_page("upscale.py")


def _choose_paper() -> None:
    """What the picture is to be printed on; no paper is fine too."""
    papers = workspace().papers
    labels = {NO_PAPER: "No paper in mind"} | {name: paper.label for name, paper in papers.items()}
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
            on_change=_preset,
        )
        if state.for_paper == NO_PAPER:
            return
        type_in("DPI", key="for_dpi", limit=20, width=90)
        choose("Orientation", TURNS, key="for_turn")
        choose("Fit", FITS, key="for_fit")
    if state.for_bleed:
        with st.container(horizontal=True, vertical_alignment="center"):
            kept = "" if state.for_fit == "crop" else ", which applies only when the picture fills the sheet"
            st.caption(f"Planned with {state.for_bleed:g} mm bleed{kept}.", width="content")
            st.button("Without bleed", key="no_bleed", type="tertiary", on_click=state.update, args=({"for_bleed": 0},))


@acting
def _preset() -> None:
    """Fill in what the product that was just chosen asks for."""
    now = presets(workspace().papers.get(state.for_paper))
    was, state.for_preset = state.get("for_preset", {}), now
    if now or was:
        state.for_dpi = now.get("dpi", DEFAULTS["for_dpi"])
        state.for_bleed = float(now.get("bleed", 0))


def _show_on_paper(plan: Plan) -> None:
    """DPI and grade of each multiplier on the chosen paper, the cheapest that is enough marked."""
    options = (*plan.options.values(), *plan.further)
    for column, option in zip(st.columns(len(options)), options, strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(
                f"**{MULTIPLIER_NAMES.get(option.multiplier, f'{option.multiplier}x')} · {option.dpi_shown} DPI**"
            )
            st.badge(option.grade.word, color=GRADE_COLOURS[option.grade.word])
            st.caption(option.grade.in_words.capitalize())
            if option.enough and option == plan.chosen:
                st.caption(":material/check: **Cheapest that is enough**")
    if words := honest_words(plan):
        st.caption(words)
    elif plan.recommended is None:
        st.caption(
            f"{plan.dpi:g} DPI is out of reach on this paper. 4x reaches {plan.reached.dpi_shown} DPI, which looks "
            f"sharp from {printing.distance_text(plan.reached.sharp_from_cm)}."
        )


def _show_print_sizes(source: Source) -> None:
    for column, multiplier in zip(st.columns(3), printing.MULTIPLIERS, strict=True):
        width, height = (side * multiplier for side in source.size)
        size = printing.print_size(width, height, 300)
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{MULTIPLIER_NAMES[multiplier]}** · {pixels((width, height))}")
            st.markdown(size.text("in"))
            st.caption(size.text("cm"))
    st.caption("Print sizes at 300 DPI, sharp in the hand.")
