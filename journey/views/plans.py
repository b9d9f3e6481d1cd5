"""Plans as pages show them: colours of grades, sentences around a verdict, rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from journey import printing
from journey.printing import Fit, Option, Panels, Paper, Plan, ScreenPlan, Unit, inputs
from journey.printing.drawing import safe_area
from journey.printing.shop import JPEG_QUALITY, PrintSpec, Told, product_warnings, service_warnings
from journey.provider import Provider
from journey.views.ways import WayProblem, honest_words, possible
from journey.views.words import cost_words, file_size, literal, paper_name, pixels

Outcome = Literal["fine", "upscale", "nearly", "out of reach"]

GRADE_COLOURS: Mapping[str, Literal["green", "blue", "orange", "red"]] = {
    "excellent": "green",
    "good": "green",
    "acceptable": "blue",
    "poor": "orange",
    "too low": "red",
}
MULTIPLIER_NAMES: Mapping[int, str] = {1: "Now", 2: "2x", 4: "4x"}

_ENOUGH = {1: "enough now", 2: "2x", 4: "4x"}
_NEARLY_FROM_DPI = 150


def outcome(plan: Plan) -> Outcome:
    """How a plan turns out, for its colour: a print that nothing reaches may still look right on a wall."""
    if plan.recommended == 1:
        return "fine"
    if plan.recommended is not None or plan.way is not None:
        return "upscale"
    return "nearly" if plan.chosen.grade.from_dpi >= _NEARLY_FROM_DPI else "out of reach"


def verdict(plan: Plan | ScreenPlan) -> str:
    """The verdict as Markdown, its beginning in bold."""
    head, colon, rest = plan.verdict.partition(":")
    return f"**{literal(head + colon)}** {literal(rest)}"


def reasons(plan: Plan) -> str:
    """What a verdict rests on: pixels, and how far away people stand. Markdown."""
    near, far = (printing.distance_text(cm) for cm in plan.usual_distance_cm)
    bleed = f" with {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
    sharp_from = printing.distance_text(plan.chosen.sharp_from_cm)
    return (
        f"{literal(_paper_as_it_lies(plan.paper))} at {plan.dpi:g} DPI needs {pixels(plan.needed)}{bleed}. "
        f"People usually look at this size from {near} to {far}; {plan.chosen.dpi_shown} DPI looks sharp from "
        f"{sharp_from}. {_beyond(plan)}".strip()
    )


def _beyond(plan: Plan) -> str:
    """What to make of a paper that 4x does not reach."""
    if plan.recommended is not None:
        return ""
    if plan.chosen.multiplier > 4:
        return honest_words(plan)
    if plan.reached.sharp_from_cm <= plan.usual_distance_cm[0]:
        return "So 4x looks sharp all the same, unless people step closer."
    return "For more, begin with a larger picture, or print it smaller."


def name_of(option: Option) -> str:
    """`Now`, `4x`, `8x in two steps`."""
    return MULTIPLIER_NAMES.get(option.multiplier, f"{option.multiplier}x in two steps")


def _paper_as_it_lies(paper: Paper) -> str:
    lies = "" if paper.width == paper.height else " landscape" if paper.width > paper.height else " portrait"
    return paper_name(paper) + lies


def option_words(option: Option) -> str:
    """What one multiplier gives: `Sharp in the hand`, or `Larger than needed`."""
    return "Larger than needed" if option.larger_than_needed else option.grade.in_words.capitalize()


def grade_cell(option: Option) -> str:
    """`350 · excellent`."""
    return f"{option.dpi_shown} · {option.grade.word}"


def take(plan: Plan) -> str:
    """What to do for this paper, in a table: `enough now`, `2x`, `4x`, `8x in two steps`, `needs 40.69x`."""
    if plan.way is not None:
        return name_of(plan.way)
    return f"needs {plan.factor_needed:.2f}x" if plan.recommended is None else _ENOUGH[plan.recommended]


def legend(paper: Paper, *, bleeds: bool, cuts: bool = False) -> str:
    """What the lines and colours in a drawing mean; only those that it has. Markdown."""
    edge = "**Red edge**: bleed, trimmed off. " if bleeds else ""
    cut = "**Faded**: cut away. " if cuts else ""
    inset = safe_area(paper)
    safe = f"**Dashes**: keep text inside, {inset:g} mm from the edge." if inset else ""
    return f"{edge}**Line**: the paper's edge. {cut}{safe}"


def paper_rows(
    size: tuple[int, int],
    papers: Sequence[Paper],
    dpi: float,
    fit: Fit,
    bleed_mm: float,
    unit: Unit,
    problem: WayProblem,
) -> list[dict[str, str]]:
    """Papers × 1x, 2x and 4x: DPI and grade, and the cheapest that is enough, of what is possible here."""
    rows = []
    for paper in papers:
        most = 0.4 * min(paper.size.in_unit("mm"))
        plan = printing.plan(*size, paper, dpi, fit=fit, bleed_mm=min(bleed_mm, most))
        cells = _cells(possible(plan, problem)[0], dpi)
        rows.append({"Paper": paper_name(paper), "Size": paper.size.text(unit), **cells})
    return rows


def need_rows(paper: Paper, dpi: float, fit: Fit, bleed_mm: float, problem: WayProblem) -> list[dict[str, str]]:
    """Which Midjourney sizes are enough for this paper, and at which multiplier."""
    rows = []
    for shape, (width, height) in inputs.MIDJOURNEY.items():
        turned = (height, width) if paper.width > paper.height else (width, height)
        plan = printing.plan(*turned, paper, dpi, fit=fit, bleed_mm=bleed_mm)
        cells = _cells(possible(plan, problem)[0], dpi)
        rows.append({"Midjourney picture": f"{turned[0]} × {turned[1]} · {shape}", **cells})
    return rows


def _cells(plan: Plan, dpi: float) -> dict[str, str]:
    grades = {MULTIPLIER_NAMES[each]: grade_cell(option) for each, option in plan.options.items()}
    return {**grades, f"For {dpi:g} DPI": take(plan)}


def served(size: tuple[int, int], papers: Sequence[Paper], dpi: float, fit: Fit, problem: WayProblem) -> str:
    """Which of these papers a picture can fill, as a sentence."""
    names = {paper.name: paper_name(paper) for paper in papers}
    by_multiplier: dict[int, list[str]] = {
        multiplier: [
            names[paper.name]
            for paper in printing.papers_for(*size, dpi, fit=fit, multiplier=multiplier, papers=papers)
        ]
        for multiplier in printing.MULTIPLIERS
    }
    for paper in papers:
        if way := possible(printing.plan(*size, paper, dpi, fit=fit), problem)[0].way:
            by_multiplier.setdefault(way.multiplier, []).append(names[paper.name])
    return f"At {dpi:g} DPI this picture fills: {inputs.served(dict(sorted(by_multiplier.items())))}."


def need_words(paper: Paper, dpi: float, bleed_mm: float) -> str:
    """The pixels that a paper needs, as Markdown."""
    needed = printing.pixels_needed(paper, dpi, bleed_mm)
    with_bleed = f" with {bleed_mm:g} mm bleed" if bleed_mm else ""
    megapixels = needed[0] * needed[1] / 1e6
    return f"**{pixels(needed)}** ({megapixels:.1f} megapixels) for {literal(paper.label)} at {dpi:g} DPI{with_bleed}."


def distance_words(paper: Paper) -> str:
    """How far away people stand from such a paper, and the DPI that looks sharp from there."""
    nearest = printing.usual_distance_cm(paper)[0]
    near, far = (printing.distance_text(cm) for cm in printing.usual_distance_cm(paper))
    return (
        f"People usually look at this size from {near} to {far}. From {near}, "
        f"{printing.dpi_for_distance(nearest):.0f} DPI looks sharp."
    )


def prices(providers: Sequence[Provider]) -> str:
    """`JourneyAPI: 2 credits · This machine: free`."""
    return " · ".join(f"{provider.label}: {cost_words(provider)}" for provider in providers)


def exact_words(plan: Plan) -> str:
    """What a file of the exact size will be, as Markdown."""
    with_bleed = f" with {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
    fits = "cropped as drawn above" if plan.fit == "crop" else "the whole picture with white margins"
    return f"**{pixels(plan.needed)}**: {literal(plan.paper.label)} at {plan.dpi:g} DPI{with_bleed}, {fits}."


def told_words(told: Sequence[Told], specs: Sequence[PrintSpec]) -> str:
    """How large these files will be, as Markdown; nothing of one that cannot be made."""
    sizes = [each.size for each in told]
    if len(told) > 1:
        return f"Together about **{file_size(sum(sizes))}**, the largest **{file_size(max(sizes))}**."
    if told[0].problem:
        return ""
    quality = told[0].quality
    lowered = specs[0].at_most_mb is not None and quality is not None and quality < JPEG_QUALITY
    return f"The file will have about **{file_size(sizes[0])}**" + (
        f", at quality {quality} of 100." if lowered else "."
    )


def told_warnings(told: Sequence[Told], specs: Sequence[PrintSpec]) -> list[str]:
    """What is wrong with files of these sizes, a sentence for each kind of it."""
    sentences: list[str] = []
    for each, spec in zip(told, specs, strict=True):
        sentences += [each.problem] if each.problem else product_warnings(each.size, spec)
    largest = max(zip(told, specs, strict=True), key=lambda pair: pair[0].size)
    return [*dict.fromkeys(sentences), *service_warnings(largest[0].size, largest[1].format)]


def ratio_lines(size: tuple[int, int], specs: Mapping[str, PrintSpec], wanted: Sequence[str], dpi: float) -> list[str]:
    """What each file of a set by ratio is, as Markdown: its paper and pixels, and what is cut away."""
    lines = []
    for name in wanted:
        if (spec := specs.get(name)) is None:
            lines.append(f"**{name}**: out of reach at {dpi:g} DPI.")
            continue
        plan = spec.on(*size)
        lines.append(f"**{name}**: {literal(plan.paper.label)}, {pixels(plan.needed)}. {printing.cut_away(plan)}")
    return lines


def panels_words(panels: Panels, paper: Paper) -> str:
    """How many sheets make a print on this paper, as Markdown."""
    count = len(panels.each)
    if count == 1:
        return f"**1 sheet**: {literal(paper_name(paper))} fits on it."
    sheets = f"**{count} sheets** of {literal(_paper_as_it_lies(panels.sheet))}"
    return (
        f"{sheets}, {panels.columns} across and {panels.rows} down, make {literal(paper_name(paper))}. They are the "
        "pages of one PDF, numbered, with marks to cut and glue by."
    )
