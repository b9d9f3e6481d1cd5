"""What the Print size page draws of a plan: verdict, table of papers, chart."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import altair as alt
import pandas as pd
import streamlit as st
from PIL import Image

from journey import print_drawing, print_inputs, printing
from journey.images import PREVIEW
from journey.printing import Fit, Option, Paper, Plan, ScreenPlan, Unit
from journey.wording import literal, pixels
from journey.workspace import workspace

COLOURS = {"excellent": "green", "good": "green", "acceptable": "blue", "poor": "orange", "too low": "red"}
BANDS = {
    "excellent": "rgba(46, 160, 110, .28)",
    "good": "rgba(120, 180, 90, .24)",
    "acceptable": "rgba(70, 140, 210, .22)",
    "poor": "rgba(235, 160, 50, .24)",
    "too low": "rgba(220, 80, 80, .24)",
}
"""See-through, so that they look right on light and on dark."""
INK = "#7d8a8c"
"""For what a chart writes beside its own theme: readable on both grounds."""
CHART_DPI = 450
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
    return literal(f"{paper.name.replace('x', ' × ') if paper.name[:1].isdigit() else paper.name}{lies}")


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


def paper_table(
    sizes: tuple[int, int], papers: Sequence[Paper], dpi: float, fit: Fit, bleed_mm: float, unit: Unit
) -> None:
    """Papers × 1x, 2x and 4x: DPI and grade, and the cheapest that is enough."""
    rows = []
    for paper in papers:
        plan = printing.plan(*sizes, paper, dpi, fit=fit, bleed_mm=min(bleed_mm, _largest_bleed(paper)))
        rows.append(
            {
                "Paper": paper_name(paper),
                "Size": paper.size.text(unit),
                **{NAMES[each]: grade_words(option) for each, option in plan.options.items()},
                f"For {dpi:g} DPI": take(plan),
            }
        )
    table = pd.DataFrame(rows)
    shown = table.style.map(colour, subset=[*NAMES.values()])
    st.dataframe(shown, hide_index=True, alt="DPI and grade on each paper, now and enlarged")


def need_table(paper: Paper, dpi: float, fit: Fit, bleed_mm: float) -> None:
    """Which Midjourney sizes get to this paper, and at which multiplier."""
    rows = []
    for shape, (width, height) in print_inputs.MIDJOURNEY.items():
        turned = (height, width) if paper.width > paper.height else (width, height)
        plan = printing.plan(*turned, paper, dpi, fit=fit, bleed_mm=bleed_mm)
        rows.append(
            {
                "Midjourney picture": f"{turned[0]} × {turned[1]} · {shape}",
                **{NAMES[each]: grade_words(option) for each, option in plan.options.items()},
                f"For {dpi:g} DPI": take(plan),
            }
        )
    shown = pd.DataFrame(rows).style.map(colour, subset=[*NAMES.values()])
    st.dataframe(shown, hide_index=True, alt="Which Midjourney sizes reach this paper, and how")


def paper_name(paper: Paper) -> str:
    return paper.name.replace("x", " × ") if paper.name[:1].isdigit() else paper.name


def grade_words(option: Option) -> str:
    return f"{option.dpi_shown} · {option.grade.word}"


def take(plan: Plan) -> str:
    return f"needs {plan.factor_needed:.2f}x" if plan.recommended is None else _enough[plan.recommended]


_enough = {1: "enough now", 2: "2x", 4: "4x"}


def colour(cell: str) -> str:
    return f"background-color: {BANDS[cell.split(' · ')[1]]}"


def _largest_bleed(paper: Paper) -> float:
    return min(paper.width, paper.height) / printing.PER_INCH[paper.unit] * printing.MM_PER_INCH * 0.4


def chart(plan: Plan, unit: Unit) -> None:
    """DPI against the long side of papers of this shape, with the grades behind."""
    dpis = tuple(option.dpi for option in plan.options.values())
    st.altair_chart(
        _curves(dpis, max(plan.paper.size.in_unit(unit)), paper_name(plan.paper), unit),
        alt=f"The larger the print, the fewer DPI; a vertical line marks {plan.paper.name}",
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _curves(dpis: tuple[float, ...], long_side: float, name: str, unit: Unit) -> alt.LayerChart:
    """`dpis` are those of 1x, 2x and 4x on a paper with this long side. Kept, because Altair takes its time."""
    per_inch = printing.PER_INCH[unit]
    reached = dict(zip(NAMES.values(), dpis, strict=True))
    sides = sorted({max(4.0, 0.8 * step) * per_inch for step in range(5, 61)} | {long_side})
    lines = pd.DataFrame(
        [
            {"side": side, "DPI": dpi * long_side / side, "as": each}
            for each, dpi in reached.items()
            for side in sides
            if dpi * long_side / side <= CHART_DPI
        ],
        columns=["side", "DPI", "as"],
    )
    points = lines[lines["side"] == long_side]
    bands = pd.DataFrame(
        [
            {
                "from": grade.from_dpi,
                "to": min(grade.below_dpi, CHART_DPI),
                "middle": (grade.from_dpi + min(grade.below_dpi, CHART_DPI)) / 2,
                "grade": grade.word,
                "colour": BANDS[grade.word],
            }
            for grade in printing.GRADES
        ]
    )
    here = pd.DataFrame([{"side": long_side, "paper": name}])
    y = alt.Y("DPI:Q", scale=alt.Scale(domain=[0, CHART_DPI]), title="DPI on paper")
    x = alt.X(
        "side:Q",
        scale=alt.Scale(domain=[0, max(48 * per_inch, long_side * 1.1)], nice=False),
        title=f"Long side of the print ({unit})",
    )
    series = alt.Color("as:N", sort=[*NAMES.values()], title=None, legend=alt.Legend(orient="top"))
    grade_names = alt.Chart(bands).mark_text(align="left", baseline="middle", dx=6, color=INK)
    curves = alt.layer(
        alt.Chart(lines)
        .mark_line(strokeWidth=3)
        .encode(
            x=x,
            y=y,
            color=series,
            tooltip=[
                alt.Tooltip("as:N", title="Picture"),
                alt.Tooltip("side:Q", title=f"Long side ({unit})", format=".1f"),
                alt.Tooltip("DPI:Q", format=".0f"),
            ],
        ),
        alt.Chart(points).mark_point(filled=True, size=90, opacity=1).encode(x="side:Q", y="DPI:Q", color=series),
    )
    layers = [
        alt.Chart(bands)
        .mark_rect()
        .encode(
            y=alt.Y("from:Q", scale=alt.Scale(domain=[0, CHART_DPI])),
            y2="to:Q",
            color=alt.Color("colour:N", scale=None),
        ),
        grade_names.encode(y=alt.Y("middle:Q"), text="grade:N", x=alt.value("width")),
        alt.Chart(here).mark_rule(strokeDash=[4, 4], color=INK).encode(x="side:Q"),
        alt.Chart(here)
        .mark_text(align="left", baseline="top", dx=5, dy=4, fontWeight="bold", color=INK)
        .encode(x="side:Q", y=alt.value(0), text="paper:N"),
        curves,
    ]
    return alt.layer(*layers).resolve_scale(color="independent").properties(height=340)
