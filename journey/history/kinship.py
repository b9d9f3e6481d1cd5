"""Which entries belong together: a picture and the task it came from, and the two halves of an A/B pair."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from journey.history import EngineName, Entry, History

_PAIR = "ab-"
_USUAL_PAIR = ("fast", "detail")


@dataclass(frozen=True)
class Variant:
    """One way to enlarge a picture: an engine, and the network when it is the one on this machine."""

    engine: EngineName
    network: str | None = None


Pair = tuple[Variant, Variant]


@dataclass(frozen=True)
class Kin:
    """Entries that were found to belong to others."""

    entries: tuple[Entry, ...] = ()

    def of_task(self, task_id: str | None) -> Entry | None:
        """The entry that made this task; None when it is not one of ours."""
        return next((entry for entry in self.entries if task_id and entry.task_id == task_id), None)

    def other_half(self, entry: Entry) -> Entry | None:
        """The other half of an A/B pair: the entry of another variant that was queued closest to this one."""
        if not is_pair(entry.batch):
            return None
        others = [
            other
            for other in self.entries
            if other.batch == entry.batch and (other.engine, other.model) != (entry.engine, entry.model)
        ]
        return min(others, key=lambda other: abs(other.created_at - entry.created_at), default=None)


def find_kin(history: History, shown: Iterable[Entry], *, task_ids: Iterable[str | None] = ()) -> Kin:
    """The parents and other halves of all these entries, and the makers of these tasks, in one query at most."""
    shown = list(shown)
    wanted = {task_id for task_id in (*task_ids, *(entry.came_from for entry in shown)) if task_id}
    pairs = {entry.batch for entry in shown if is_pair(entry.batch)}
    return Kin(history.related(task_ids=wanted, batches=pairs))


def is_pair(batch: str | None) -> bool:
    """True when this batch is an A/B pair, not one from the Batch page."""
    return batch is not None and batch.startswith(_PAIR)


def pair_id(digest: str, scale: int, pair: Pair, person: str | None) -> str:
    """The batch of an A/B pair of the picture with this digest. The same wish has the same one, so that a second click
    completes the same pair.
    """
    wish = repr((digest, scale, pair, person))
    return _PAIR + hashlib.sha256(wish.encode()).hexdigest()[:24]


def pairs(engines: Sequence[EngineName], networks: Sequence[str]) -> dict[str, Pair]:
    """The pairs that can be compared, by their names; the most telling one first, none when there is only one way.

    `networks` are those of the engine on this machine, the default one first.
    """
    here = [Variant("embedded", name) for name in networks] if "embedded" in engines else []
    here.sort(key=lambda variant: _USUAL_PAIR.index(variant.network) if variant.network in _USUAL_PAIR else 2)
    hosted = [Variant("journeyapi")] if "journeyapi" in engines else []
    found = {f"JourneyAPI and {own.network} here": (there, own) for there in hosted for own in here}
    found |= {
        f"{first.network} and {second.network}": (first, second)
        for place, first in enumerate(here)
        for second in here[place + 1 :]
    }
    return found
