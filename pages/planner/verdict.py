"""The right side of Print size: how a picture looks on a paper or a screen, or what a paper needs."""

from __future__ import annotations

import streamlit as st

from journey import printing
from journey.printing import Paper, Plan, Screen, inputs
from journey.studio import Source
from journey.views import plans, ways
from journey.views.words import literal, paper_name, pixels
from journey.workspace import workspace
from pages.forms import paper
from pages.frame.protection import say_error
from pages.planner import drawn, tables
from pages.planner.state import fit, key, orientation, position, unit_of, value
from pages.planner.target import Target
from pages.planner.ways import offer_ways

state = st.session_state


def show_plan(size: tuple[int, int], on: Paper, target: Target) -> Plan | None:
    """Draw verdict, picture and crop; returns the plan, None when there can be none."""
    source: Source | None = state.print_source
    try:
        plan = printing.plan(
            *size,
            on,
            target.dpi,
            fit=fit(),
            bleed_mm=target.bleed_mm,
            orientation=orientation(),
            position=position(),
        )
    except ValueError as error:
        say_error(str(error))
        return None
    plan, not_offered = ways.possible(plan, workspace().orders.way_problem)
    drawn.verdict(plan)
    if not_offered:
        st.caption(literal(not_offered))
    _offer_upscale(plan, source)
    seen, cards = st.columns([3, 2])
    with seen:
        what = source.name if source else pixels(size)
        drawn.to_scale(plan, drawn.small_copy(source), unit_of("unit"), what=what)
        _place_crop(plan)
    with cards:
        drawn.options(plan)
    return plan


def show_screen(size: tuple[int, int], screen: Screen) -> None:
    """The same for a screen, which is drawn as a sheet of 100 pixels per inch."""
    source: Source | None = state.print_source
    try:
        judged = printing.screen_plan(*size, screen, fit=fit(), orientation=orientation())
        sheet = printing.custom_paper(screen.width / 100, screen.height / 100, "in")
        plan = printing.plan(*size, sheet, 100, fit=fit(), orientation=orientation(), position=position())
    except ValueError as error:
        say_error(str(error))
        return
    drawn.screen_verdict(judged)
    across, down = (round(side * 100) for side in (plan.paper.width, plan.paper.height))
    seen, cards = st.columns([3, 2])
    with seen:
        what = source.name if source else pixels(size)
        drawn.on_screen(plan, drawn.small_copy(source), (f"{across} px", f"{down} px"), what=what)
        _place_crop(plan)
    with cards:
        for multiplier, enlarged in judged.sizes.items():
            with st.container(border=True, gap="xsmall"):
                st.markdown(f"**{plans.MULTIPLIER_NAMES[multiplier]}** · {pixels(enlarged)}")
                fills = judged.pixel_for_pixel is not None and multiplier >= judged.pixel_for_pixel
                st.caption("Fills it pixel for pixel" if fills else "Smaller than the screen")


def show_need(target: Target) -> None:
    """The pixels that a paper or a screen needs, and which pictures have them."""
    if isinstance(target.on, Screen):
        size = target.on.width, target.on.height
        st.info(f"**{pixels(size)}** for {literal(target.on.name)}.", icon=":material/computer:")
        return
    on = target.on
    if orientation() != "auto":
        on = printing.turn(on, 1, 1, orientation())
    st.info(plans.need_words(on, target.dpi, target.bleed_mm), icon=":material/straighten:")
    st.caption(plans.distance_words(on))
    needed = printing.pixels_needed(on, target.dpi, target.bleed_mm)
    drawn.empty_paper(on, needed, target.bleed_mm, unit_of("unit"))
    st.markdown("**Which Midjourney pictures get there**")
    tables.need_table(plans.need_rows(on, target.dpi, fit(), target.bleed_mm, workspace().orders.way_problem))


def show_others(size: tuple[int, int], plan: Plan, family: str) -> None:
    """All papers of a family × 1x, 2x and 4x, and which of them the picture can fill."""
    shown = [each for each in workspace().papers.values() if family in ("all", each.family)]
    problem = workspace().orders.way_problem
    st.caption(plans.served(size, shown, plan.dpi, fit(), problem))
    tables.paper_table(plans.paper_rows(size, shown, plan.dpi, fit(), plan.bleed_mm, unit_of("unit"), problem))


def show_curve(plan: Plan) -> None:
    """How the DPI falls as the print grows."""
    tables.chart(plan, unit_of("unit"))
    st.caption(
        f"On paper of this shape, {'cropped' if plan.fit == 'crop' else 'with margins'}. "
        f"The dashed line is {literal(paper_name(plan.paper))}."
    )


def _place_crop(plan: Plan) -> None:
    """One slider for the one axis along which a crop can be moved; none when nothing is cut."""
    axis = inputs.free_axis(plan)
    if axis is None:
        return
    ends = ("left", "right") if axis == "across" else ("top", "bottom")
    state[key("place")] = int(value("at"))
    st.slider(
        f"Crop: from {ends[0]} to {ends[1]}",
        0,
        100,
        key=key("place"),
        format="%d %%",
        on_change=lambda: state.update({key("at"): str(state[key("place")])}),
    )


def _offer_upscale(plan: Plan, source: Source | None) -> None:
    """One click carries picture, paper and multiplier to Upscale."""
    if plan.recommended == 1:
        if source is not None:
            st.caption("The file for the print shop is made below.")
        return
    if plan.way is not None and source is not None:
        offer_ways(plan, source)
        return
    multiplier = plan.chosen.multiplier
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            f"Upscale {multiplier}x for {paper_name(plan.paper)}",
            key="carry",
            type="primary",
            icon=":material/photo_size_select_large:",
        )
        st.caption(plans.prices([offer.provider for offer in workspace().offers()]), width="content")
    if clicked:
        paper.carry(plan, source=source, multiplier=multiplier)
