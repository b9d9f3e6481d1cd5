"""What the form of Upscale says, and what it proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journey.history.kinship import Pair, Variant
from journey.printing import Plan
from journey.provider import Provider
from journey.studio.intake import ParentTask
from journey.views.words import cost_words, duration, literal, paper_name, pixels

WAYS = {"url": "Image URL", "task": "Task ID", "upload": "Upload"}
NO_PICTURE = {
    "url": "Enter the address of a picture first, or pick a sample.",
    "task": "Enter the ID of a finished task first, or pick the sample grid.",
    "upload": "Choose a picture file first, or pick a sample.",
}


def provider_labels(providers: Sequence[Provider]) -> dict[str, str]:
    """What people choose from, by name: `JourneyAPI · 2 credits`."""
    return {provider.name: f"{provider.label} · {cost_words(provider)}" for provider in providers}


def network_label(network: str, seconds: float | None = None) -> str:
    """`Fast · about 6 s`, as Markdown. The name of a network may come from a folder."""
    label = literal(network.replace("-", " ")).capitalize()
    return label if seconds is None else f"{label} · {about(seconds)}"


def network_help(runs_on: str | None) -> str:
    """What to choose, and what it runs on here."""
    words = "Fast gives clean edges. Detail takes far longer and gives natural texture."
    return words if runs_on is None else f"{words} Networks run on {runs_on}."


def about(seconds: float) -> str:
    """`about 6 s`."""
    return f"about {duration(max(1, seconds))}"


def found_words(parent: ParentTask) -> str:
    """What a task holds, and which provider and model made it, as Markdown."""
    size = pixels(parent.sources[0].size)
    contents = f"a grid of {len(parent.sources)} pictures, {size} each" if parent.is_grid else f"one picture, {size}"
    facts = (contents, parent.provider.label, parent.model, parent.task_type)
    return "Found: " + literal(" · ".join(fact for fact in facts if fact))


def suggested_scale(plan: Plan) -> int:
    """The multiplier that the paper needs: 2x when it needs none, the largest there is when none is enough."""
    return 2 if plan.recommended == 1 else plan.chosen.multiplier


def for_paper_words(plan: Plan) -> str:
    """`For A3 at 300 DPI with 3 mm bleed: 4x is enough: …`, as Markdown."""
    bleed = f" with {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
    return f"For {literal(paper_name(plan.paper))} at {plan.dpi:g} DPI{bleed}: {literal(plan.verdict)}"


def charge_words(provider: Provider) -> str:
    """What a click costs, below the button."""
    if provider.is_paid:
        return f"{provider.label} charges {provider.credits} credits when it accepts the call."
    return "Runs on this machine's processors: no key, no credits, and nothing leaves this machine."


def pair_cost(pair: Pair) -> str:
    """What both ways of an A/B pair cost together."""
    paid = [variant.provider for variant in pair if variant.provider.is_paid]
    return f"{sum(provider.credits for provider in paid)} credits" if paid else "free"


def pair_offer(name: str, pair: Pair, seconds: Mapping[Variant, float | None]) -> str:
    """What A/B does, and how long each way takes where that is known, as Markdown."""
    known = [(variant, took) for variant in pair if (took := seconds[variant]) is not None]
    times = ", ".join(f"{variant.name} {about(took)}" for variant, took in known)
    how_long = f": {literal(times)}" if times else ""
    return f"A/B enlarges the picture both ways, {literal(name)}, to compare them{how_long}."
