"""What the form of Upscale says, and what it proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from journey.api.models import GRID_INDEXES
from journey.api.networks import DETAIL, FAITHFUL, FAST, blend, shown, strength_of
from journey.history.kinship import Pair, Variant
from journey.pictures.traits import Traits
from journey.printing import Plan
from journey.provider import Provider
from journey.studio.intake import ParentTask, Source
from journey.views.words import cost_words, counted, duration, literal, paper_name, pixels

__all__ = [
    "DETAIL", "FAITHFUL", "NO_PICTURE", "WAYS", "Proposal", "about", "blend", "charge_words", "for_paper_words",
    "found_words", "network_help", "network_label", "network_name", "network_words", "pair_cost", "pair_offer",
    "places", "proposal", "provider_labels", "strength_of", "strength_words", "suggested_scale",
]  # fmt: skip

WAYS = {"url": "Image URL", "task": "Task ID", "upload": "Upload"}
NO_PICTURE = {
    "url": "Enter the address of a picture first, or pick a sample.",
    "task": "Enter the ID of a finished task first, or pick the sample grid.",
    "upload": "No picture file is here yet. If one is still on its way, wait until it is shown, then click again; "
    "otherwise choose one first, or pick a sample.",
}


_NETWORK_WORDS = {
    FAST: "Drawings: clean lines and flat colours. The quickest.",
    DETAIL: "Invents fine texture, such as leaves, fur and stone. Changes faces and small letters.",
    FAITHFUL: "Photos, paintings, lettering: keeps what is there.",
}
LONGEST_PROPOSED = 90.0
"""Seconds. A first result should not take longer; a person who wants it may still wait."""


def provider_labels(providers: Sequence[Provider]) -> dict[str, str]:
    """What people choose from, by name: `JourneyAPI · 2 credits`."""
    return {provider.name: f"{provider.label} · {cost_words(provider)}" for provider in providers}


def network_label(network: str, seconds: float | None = None) -> str:
    """`Fast · about 6 s`, as Markdown. The name of a network may come from a folder."""
    label = literal(network_name(network))
    return label if seconds is None else f"{label} · {about(seconds)}"


def network_name(network: str) -> str:
    """`Fast`, or `Detail 50 %` for a blend. The name of a network may come from a folder."""
    return shown(network).replace("-", " ").capitalize()


def network_words(network: str) -> str:
    """What a network is for, and what it does to a picture."""
    if strength_of(network):
        return "Detail, softened by faithful. Takes the time of both."
    return _NETWORK_WORDS.get(network, "From the models folder.")


def network_help(runs_on: str | None) -> str | None:
    """What networks run on here."""
    return None if runs_on is None else f"Networks run on {runs_on}."


def strength_words(strength: int, seconds: float | None) -> str:
    """What the strength of detail does, and how long it takes."""
    time = f", {about(seconds)}" if seconds is not None else ""
    if strength == 100:
        return f"All of detail{time}. Less of it keeps more of the picture as it is."
    if strength == 0:
        return f"Nothing of detail: this is faithful{time}."
    return f"{strength} % detail and {100 - strength} % faithful: both run{time}."


@dataclass(frozen=True)
class Proposal:
    """The network that suits a picture, and why, as a sentence."""

    network: str
    reason: str


def proposal(traits: Traits, seconds: Mapping[str, float | None]) -> Proposal | None:
    """What suits a picture with these traits, of the networks whose times are given; None when none is known to."""
    jpeg = " Its traces of JPEG are cleaned first." if traits.jpeg_traces is not None else ""
    if FAITHFUL not in seconds or FAST not in seconds:
        return None
    if traits.is_drawn:
        return Proposal(FAST, "Looks drawn, with hard edges between flat colours: fast keeps lines clean.")
    looks = "Looks like a photo or a painting, with soft steps from pixel to pixel"
    takes = seconds[FAITHFUL]
    if takes is not None and takes > LONGEST_PROPOSED:
        return Proposal(FAST, f"{looks}: faithful keeps more of it, but takes {about(takes)} here.")
    return Proposal(FAITHFUL, f"{looks}: faithful keeps it as it is.{jpeg}")


def about(seconds: float) -> str:
    """`about 6 s`."""
    return f"about {duration(max(1, seconds))}"


def found_words(parent: ParentTask) -> str:
    """What a task holds, and which provider and model made it, as Markdown."""
    size = pixels(parent.sources[0].size)
    contents = f"a grid of {len(parent.sources)} pictures, {size} each" if parent.is_grid else f"one picture, {size}"
    if parent.missing:
        contents += f", without number {' and '.join(parent.missing)}"
    facts = (contents, parent.provider.label, parent.model, parent.task_type)
    return "Found: " + literal(" · ".join(fact for fact in facts if fact))


def places(parent: ParentTask) -> list[tuple[str, Source | None]]:
    """The places of a grid in the order of their index, each with its picture, or None where it is missing."""
    pictures = {source.index: source for source in parent.sources}
    return [(index, pictures.get(index)) for index in GRID_INDEXES if index in pictures or index in parent.missing]


def suggested_scale(plan: Plan) -> int:
    """The multiplier that the paper needs: 2x when it needs none, the largest there is when none is enough."""
    return 2 if plan.recommended == 1 else plan.chosen.multiplier


def for_paper_words(plan: Plan) -> str:
    """`For A3 at 300 DPI with 3 mm bleed: 4x is enough: …`, as Markdown."""
    bleed = f" with {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
    return f"For {literal(paper_name(plan.paper))} at {plan.dpi:g} DPI{bleed}: {literal(plan.verdict)}"


def charge_words(provider: Provider, *, is_upload: bool = False) -> str:
    """What a click costs, and what of a file that was uploaded leaves this machine, below the button."""
    if provider.is_paid:
        left_here = " It gets the picture and its colours; place, camera and all else in the file stay here."
        charge = f"{provider.label} charges {counted(provider.credits, 'credit')} when it accepts the call."
        return charge + (left_here if is_upload else "")
    return "Runs on this machine's processors: no key, no credits, and nothing leaves this machine."


def pair_cost(pair: Pair) -> str:
    """What both ways of an A/B pair cost together."""
    paid = [variant.provider for variant in pair if variant.provider.is_paid]
    return counted(sum(provider.credits for provider in paid), "credit") if paid else "free"


def pair_offer(name: str, pair: Pair, seconds: Mapping[Variant, float | None]) -> str:
    """What A/B does, and how long each way takes where that is known, as Markdown."""
    known = [(variant, took) for variant in pair if (took := seconds[variant]) is not None]
    times = ", ".join(f"{variant.name} {about(took)}" for variant, took in known)
    how_long = f": {literal(times)}" if times else ""
    return f"A/B enlarges the picture both ways, {literal(name)}, to compare them{how_long}."
