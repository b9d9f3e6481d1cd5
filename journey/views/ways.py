"""Ways beyond 4x, in two steps: which of them can be taken here, what they cost, and what is honest about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from journey import printing
from journey.history import Entry, State
from journey.printing import STEPS, Option, Plan
from journey.provider import Provider
from journey.views.words import cost_words

WayProblem = Callable[[tuple[int, int], int], str | None]
"""Why a picture of this size in pixels cannot be enlarged by this multiplier here, or None."""


def possible(plan: Plan, problem: WayProblem) -> tuple[Plan, str | None]:
    """The plan without the ways that cannot be taken here, and why the first of those cannot."""
    now = plan.options[1]
    problems = {option.multiplier: problem((now.width, now.height), option.multiplier) for option in plan.further}
    kept = tuple(option for option in plan.further if problems[option.multiplier] is None)
    return replace(plan, further=kept), next(filter(None, problems.values()), None)


def multipliers(size: tuple[int, int] | None, problem: WayProblem) -> tuple[dict[int, str], str | None]:
    """What Upscale offers, by multiplier, and why 8x or 16x is not among it.

    Without a picture (`size` in pixels), only what holds for every picture is judged.
    """
    names = {2: "2x", 4: "4x"}
    problems = {scale: problem(size or (1, 1), scale) for scale in printing.FURTHER}
    names |= {scale: f"{scale}x" for scale, reason in problems.items() if reason is None}
    return names, next(filter(None, problems.values()), None)


def way_words(scale: int, provider: Provider) -> str:
    """`4x at JourneyAPI (2 credits), then 2x here (free)`, or `4x, then 2x, both here (free)`."""
    first, second = STEPS[scale]
    if provider.is_here:
        return f"{first}x, then {second}x, both here (free)"
    return f"{first}x at {provider.label} ({cost_words(provider)}), then {second}x here (free)"


def honest_words(plan: Plan) -> str:
    """How much of a way is made up, and when less is enough. Empty for plans that need no way."""
    option = plan.chosen
    if option.multiplier not in printing.FURTHER:
        return ""
    made = option.multiplier**2
    words = (
        f"At {option.multiplier}x, {made - 1} of {made} pixels are made up: edges get sharp, fine detail is invented."
    )
    less = enough_from_afar(plan)
    if less is not None and less.multiplier < option.multiplier:
        name = "the picture as it is" if less.multiplier == 1 else f"{less.multiplier}x"
        words += (
            f" From where people usually stand, {name} ({less.dpi_shown} DPI) already looks sharp: more is needed "
            "only for a closer look."
        )
    elif less is not None and not option.enough:
        words += f" From where people usually stand, {option.dpi_shown} DPI looks sharp all the same."
    return words


def enough_from_afar(plan: Plan) -> Option | None:
    """The smallest option that looks sharp from where people usually stand, such as a banner at 100 DPI.

    What is too low for any print is never enough.
    """
    nearest = plan.usual_distance_cm[0]
    printable = (option for option in (*plan.options.values(), *plan.further) if option.grade.from_dpi > 0)
    return next((option for option in printable if option.sharp_from_cm <= nearest), None)


def enlarged(entry: Entry) -> str:
    """`4x`, or `4x, step 1 of 2`."""
    return f"{entry.type}, step {entry.step} of 2" if entry.step else entry.type


def follows_words(entry: Entry) -> str:
    """What comes after a first step, and what the second came after."""
    if entry.step == 1:
        return f"Step 1 of 2: {entry.type}, then {entry.then_type} on this machine, up to {entry.order_scale}x in all."
    return "Step 2 of 2: enlarges the result of the first."


def can_go_on(first: Entry, second: Entry | None) -> bool:
    """True when the first step has its result, and the second has ended without one (or was deleted)."""
    ended = second is None or (second.state.over and second.state is not State.FINISHED)
    return first.result is not None and ended
