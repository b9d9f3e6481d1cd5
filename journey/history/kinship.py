"""Which entries belong together: a picture and the task it came from, an A/B pair, and the two steps of an order."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from journey.api import networks
from journey.history.entries import Entry
from journey.history.finding import Lists
from journey.history.states import LIVE, UNDECIDED, State
from journey.history.tables import COLUMNS, entries, entry_of
from journey.provider import Provider

DOUBLE_CLICK_SECONDS = 10.0
"""How soon after its end an order counts as the same one still."""

_PAIR = "ab-"
_USUAL_PAIR = (networks.FAST, networks.DETAIL)


@dataclass(frozen=True)
class Variant:
    """One way to enlarge a picture: a provider, and the network where there is a choice."""

    provider: Provider
    network: str | None = None

    @property
    def name(self) -> str:
        """What to call this way: the network, else the provider. Untrusted text."""
        return networks.shown(self.network) if self.network else self.provider.label


Pair = tuple[Variant, Variant]


@dataclass(frozen=True)
class Kin:
    """What `find_kin` found: entries that belong to others."""

    entries: tuple[Entry, ...] = ()

    def of_task(self, task_id: str | None) -> Entry | None:
        """The entry that made this task; None when it is not one of ours."""
        return next((entry for entry in self.entries if task_id and entry.task_id == task_id), None)

    def first_step(self, entry: Entry) -> Entry | None:
        """The first step of the order of which this entry is the second; None when it is not, or was deleted."""
        return next((other for other in self.entries if entry.follows and other.id == entry.follows), None)

    def second_step(self, entry: Entry) -> Entry | None:
        """The latest try of what follows this entry; None before there is one."""
        later = [other for other in self.entries if other.follows == entry.id]
        return max(later, key=lambda other: other.created_at, default=None)

    def other_half(self, entry: Entry) -> Entry | None:
        """The other half of an A/B pair: the entry of another variant that was queued closest in time."""
        if not is_pair(entry.batch):
            return None
        others = [
            other for other in self.entries if other.batch == entry.batch and variant_of(other) != variant_of(entry)
        ]
        return min(others, key=lambda other: abs(other.created_at - entry.created_at), default=None)


def find_kin(lists: Lists, shown: Iterable[Entry], *, task_ids: Iterable[str | None] = ()) -> Kin:
    """The parents, other halves and other steps of these entries, and the entries that made these tasks, in one query
    at most.
    """
    shown = list(shown)
    wanted = {task_id for task_id in (*task_ids, *(entry.came_from for entry in shown)) if task_id}
    pairs = {entry.batch for entry in shown if is_pair(entry.batch)}
    firsts = {entry.follows for entry in shown if entry.follows}
    begun = {entry.id for entry in shown if entry.step == 1}
    return Kin(lists.related(ids=firsts, task_ids=wanted, batches=pairs, following=begun | firsts))


def is_pair(batch: str | None) -> bool:
    """True when this batch is an A/B pair, not one from the Batch page."""
    return batch is not None and batch.startswith(_PAIR)


def pair_id(digest: str, scale: int, pair: Pair, person: str | None) -> str:
    """The batch id of an A/B pair of the picture with this digest. The same wish always has the same id, so that a
    second click completes the same pair.
    """
    wish = repr((digest, scale, [(str(each.provider), each.network) for each in pair], person))
    return _PAIR + hashlib.sha256(wish.encode()).hexdigest()[:24]


def variant_of(entry: Entry) -> Variant:
    """The way in which an entry enlarges its picture."""
    return Variant(entry.provider, entry.network)


def pairs(variants: Sequence[Variant]) -> dict[str, Pair]:
    """The pairs that can be compared, by name, the most telling one first; none when there is only one way."""
    here = [each for each in variants if each.provider.is_here]
    here.sort(key=lambda variant: _USUAL_PAIR.index(variant.network) if variant.network in _USUAL_PAIR else 2)
    elsewhere = [each for each in variants if not each.provider.is_here]
    found = {f"{there.name} and {own.name} here": (there, own) for there in elsewhere for own in here}
    return found | {
        f"{first.name} and {second.name}": (first, second) for first, second in itertools.combinations(here, 2)
    }


def twin(connection: sa.Connection, fingerprint: str, now: float) -> Entry | None:
    """The entry that a second order with this fingerprint means, if it comes at this time."""
    undecided = entries.c.state.in_(LIVE | UNDECIDED)
    # An order of two steps is finished when its second step is.
    is_finished = sa.and_(entries.c.state == State.FINISHED, entries.c.then_type.is_(None))
    recent = sa.and_(entries.c.created_at > now - DOUBLE_CLICK_SECONDS, is_finished)
    query = (
        sa.select(*COLUMNS)
        .where(entries.c.fingerprint == fingerprint, sa.or_(undecided, recent))
        .order_by(entries.c.created_at.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else entry_of(row)
