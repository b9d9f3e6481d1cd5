"""What pages draw of a plan: verdict, multipliers, and the picture to scale on the paper."""

from __future__ import annotations

from io import BytesIO

import streamlit as st
from PIL import Image

from journey import printing
from journey.pictures.previews import PREVIEW
from journey.printing import Paper, Plan, ScreenPlan, Unit
from journey.printing import drawing as print_drawing
from journey.printing import inputs as print_inputs
from journey.views.words import literal, pixels
from journey.workspace import workspace

COLOURS = {"excellent": "green", "good": "green", "acceptable": "blue", "poor": "orange", "too low": "red"}
NAMES = {1: "Now", 2: "2x", 4: "4x"}


def verdict(plan: Plan) -> None:
    """The plan in words, coloured by its outcome, and what they rest on."""
    words = bold_start(plan.verdict)
    if plan.recommended == 1:
        st.success(words, icon=":material/check_circle:")
    elif plan.recommended is not None:
        st.info(words, icon=":material/photo_size_select_large:")
    elif plan.reached.grade.from_dpi >= 150:
        st.warning(words, icon=":material/straighten:")
    else:
        st.error(words, icon=":material/block:")
    near, far = (printing.distance_text(cm) for cm in plan.usual_distance_cm)
    st.caption(
        f"{paper_words(plan)} at {plan.dpi:g} DPI needs {pixels(*plan.needed)}"
        + (f" with {plan.bleed_mm:g} mm bleed. " if plan.bleed_mm else ". ")
        + f"People usually look at this size from {near} to {far}; {plan.chosen.dpi_shown} DPI looks sharp from "
        f"{printing.distance_text(plan.chosen.sharp_from_cm)}." + beyond(plan)
    )


def beyond(plan: Plan) -> str:
    """What to make of a paper that 4x does not reach."""
    if plan.recommended is not None:
        return ""
    if plan.reached.sharp_from_cm <= plan.usual_distance_cm[0]:
        return " So 4x looks sharp all the same, unless people step closer."
    return " For more, a dedicated large-format upscaler is needed."


def screen_verdict(plan: ScreenPlan) -> None:
    show = st.success if plan.recommended == 1 else st.info
    show(bold_start(plan.verdict), icon=":material/computer:")


def bold_start(sentence: str) -> str:
    head, colon, rest = sentence.partition(":")
    return f"**{literal(head + colon)}** {literal(rest)}"


def paper_words(plan: Plan) -> str:
    paper = plan.paper
    lies = "" if paper.width == paper.height else " landscape" if paper.width > paper.height else " portrait"
    return literal(f"{paper_name(paper)}{lies}")


def paper_name(paper: Paper) -> str:
    return paper.name.replace("x", " × ") if paper.name[:1].isdigit() else paper.name


def options(plan: Plan) -> None:
    """1x, 2x and 4x on this paper, one below the other."""
    for option in plan.options.values():
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{NAMES[option.multiplier]} · {option.dpi_shown} DPI**", width="content")
                st.badge(option.grade.word, color=COLOURS[option.grade.word])
            words = option.grade.in_words.capitalize()
            if option.larger_than_needed:
                words = "Larger than needed"
            st.caption(f"{words}  \n{pixels(option.width, option.height)}")


@st.cache_resource(max_entries=64, show_spinner=False)
def small_copy(key: str) -> Image.Image:
    """A stored picture's preview at the size of drawings. Raises FileMissing."""
    with Image.open(workspace().files.path(key, PREVIEW)) as preview:
        preview.thumbnail((print_drawing.SIDE, print_drawing.SIDE))
        return preview.convert("RGBA")


def drawing(plan: Plan, picture: Image.Image | None, unit: Unit, *, what: str) -> None:
    """To scale, at half its pixels, so that it is sharp on every display."""
    png = print_drawing.draw(plan, picture, unit=unit)
    st.image(png, width=_half_width(png), alt=f"{what} to scale on {plan.paper.label}")
    legend(plan.paper, bleeds=plan.bleed_mm > 0, cuts=print_inputs.free_axis(plan) is not None)


def paper_drawing(paper: Paper, needed: tuple[int, int], bleed_mm: float, unit: Unit) -> None:
    """The empty paper to scale, with the pixels that fill it."""
    png = print_drawing.draw_paper(paper, bleed_mm=bleed_mm, unit=unit, words=pixels(*needed))
    st.image(png, width=_half_width(png), alt=f"{paper.label} to scale: {pixels(*needed)}")
    legend(paper, bleeds=bleed_mm > 0)


def legend(paper: Paper, *, bleeds: bool, cuts: bool = False) -> None:
    """What the lines and colours of a drawing mean, those that are in it."""
    edge = "**Red edge**: bleed, trimmed off. " if bleeds else ""
    cut = "**Faded**: cut away. " if cuts else ""
    safe = f"**Dashes**: keep text inside, {print_drawing.SAFE_MM} mm." if print_drawing.has_safe_area(paper) else ""
    st.caption(f"{edge}**Line**: the paper's edge. {cut}{safe}")


def screen_drawing(plan: Plan, picture: Image.Image | None, labels: tuple[str, str], *, what: str) -> None:
    png = print_drawing.draw(plan, picture, labels=labels, guides=False)
    st.image(png, width=_half_width(png), alt=f"{what} to scale on {labels[0]} by {labels[1]}")
    if print_inputs.free_axis(plan):
        st.caption("**Faded**: cut away.")


def _half_width(png: bytes) -> int:
    with Image.open(BytesIO(png)) as drawn:
        return drawn.width // 2
