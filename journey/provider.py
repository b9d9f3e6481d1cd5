"""Who runs a task. A second service with the same wire is one more item in PROVIDERS, and its key in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """A service or this machine, and all that the rest of the program needs to know about it.

    `name` is kept in databases, addresses and exports, so it never changes; `label` is for people. `credits` is the
    price of one upscale. `poll` is the first and the longest pause between two looks at a task, in seconds. `ahead` is
    how many entries of one batch may be under way there at once.
    """

    name: str
    label: str
    credits: int
    poll: tuple[float, float]
    ahead: int
    is_here: bool
    """It runs on this machine: it reads our files and keeps its results among them."""
    can_cancel: bool
    """A task that is under way can be stopped there."""
    has_networks: bool
    """People choose the network that enlarges."""
    has_webhooks: bool
    """It tells us when a task has ended, if it can reach us."""

    @property
    def is_paid(self) -> bool:
        """Calls cost credits, so they count against a budget and are never repeated on a guess."""
        return self.credits > 0

    def __str__(self) -> str:
        return self.name


JOURNEYAPI = Provider(
    name="journeyapi",
    label="JourneyAPI",
    credits=2,
    poll=(2.0, 15.0),
    ahead=20,
    is_here=False,
    can_cancel=False,
    has_networks=False,
    has_webhooks=True,
)
THIS_MACHINE = Provider(
    name="embedded",
    label="This machine",
    credits=0,
    poll=(0.5, 0.5),
    ahead=3,  # few, so that a picture ordered alone is not far behind a batch
    is_here=True,
    can_cancel=True,
    has_networks=True,
    has_webhooks=False,
)
PROVIDERS: Mapping[str, Provider] = {each.name: each for each in (JOURNEYAPI, THIS_MACHINE)}
"""By name, in the order in which they are offered."""

HERE = THIS_MACHINE
"""Where the second step of an order runs, wherever its first one did: it costs time, and nothing else."""

CHEAPEST = min((each for each in PROVIDERS.values() if each.is_paid), key=lambda provider: provider.credits)
"""The paid provider that free work is compared with."""
