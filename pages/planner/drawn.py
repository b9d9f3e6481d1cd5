"""What pages draw of a plan: verdict, multipliers, and the picture to scale on the paper."""

from __future__ import annotations

from io import BytesIO

import streamlit as st
from PIL import Image

from journey.errors import FileMissing
from journey.printing import Panels, Paper, Plan, ScreenPlan, Unit, drawing, inputs
from journey.studio import Source
from journey.views import plans
from journey.views.pictures import PREVIEW
from journey.views.plans import GRADE_COLOURS
from journey.views.words import pixels
from journey.workspace import workspace


def verdict(plan: Plan) -> None:
    """The verdict in words, coloured by its outcome, and what it rests on."""
    words = plans.verdict(plan)
    match plans.outcome(plan):
        case "fine":
            st.success(words, icon=":material/check_circle:")
        case "upscale":
            st.info(words, icon=":material/photo_size_select_large:")
        case "nearly":
            st.warning(words, icon=":material/straighten:")
        case "out of reach":
            st.error(words, icon=":material/block:")
    st.caption(plans.reasons(plan))


def screen_verdict(plan: ScreenPlan) -> None:
    show = st.success if plan.recommended == 1 else st.info
    show(plans.verdict(plan), icon=":material/computer:")


def options(plan: Plan) -> None:
    """1x, 2x and 4x on this paper, and what helps beyond, one below the other."""
    for option in (*plan.options.values(), *plan.further):
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                st.markdown(f"**{plans.name_of(option)} · {option.dpi_shown} DPI**", width="content")
                st.badge(option.grade.word, color=GRADE_COLOURS[option.grade.word])
            st.caption(f"{plans.option_words(option)}  \n{pixels((option.width, option.height))}")


def small_copy(source: Source | None) -> Image.Image | None:
    """A stored picture's preview at the size of drawings; None when there is none."""
    try:
        return _small_copy(source.stored.key) if source else None
    except (FileMissing, OSError):  # gone, or in object storage that is away
        return None


@st.cache_resource(max_entries=64, show_spinner=False)
def _small_copy(key: str) -> Image.Image:
    with Image.open(workspace().files.path(key, PREVIEW)) as preview:
        preview.thumbnail((drawing.SIDE, drawing.SIDE))
        return preview.convert("RGBA")


def to_scale(plan: Plan, picture: Image.Image | None, unit: Unit, *, what: str) -> None:
    """The picture on its paper, shown at half its size in pixels, so that it is sharp on every display."""
    png = drawing.draw(plan, picture, unit=unit)
    st.image(png, width=_half_width(png), alt=f"{what} to scale on {plan.paper.label}")
    st.caption(plans.legend(plan.paper, bleeds=plan.bleed_mm > 0, cuts=inputs.free_axis(plan) is not None))


def cut_up(plan: Plan, panels: Panels, picture: Image.Image | None, unit: Unit) -> None:
    """Where the print is cut into sheets."""
    png = drawing.draw(plan, picture, unit=unit, guides=False, panels=panels, side=drawing.SIDE * 3 // 4)
    st.image(png, width=_half_width(png), alt=f"The cuts on {plan.paper.label}")


def empty_paper(paper: Paper, needed: tuple[int, int], bleed_mm: float, unit: Unit) -> None:
    """The paper to scale, with the pixels that fill it."""
    png = drawing.draw_paper(paper, bleed_mm=bleed_mm, unit=unit, words=pixels(needed))
    st.image(png, width=_half_width(png), alt=f"{paper.label} to scale: {pixels(needed)}")
    st.caption(plans.legend(paper, bleeds=bleed_mm > 0))


def on_screen(plan: Plan, picture: Image.Image | None, labels: tuple[str, str], *, what: str) -> None:
    """The picture on a screen, which is drawn as a sheet."""
    png = drawing.draw(plan, picture, labels=labels, guides=False)
    st.image(png, width=_half_width(png), alt=f"{what} to scale on {labels[0]} by {labels[1]}")
    if inputs.free_axis(plan):
        st.caption("**Faded**: cut away.")


def _half_width(png: bytes) -> int:
    with Image.open(BytesIO(png)) as drawn:
        return drawn.width // 2
