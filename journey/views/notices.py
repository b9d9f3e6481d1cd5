"""What people are told without asking: which of their tasks have ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from journey.history import LIVE, Entry
from journey.history.kinship import is_pair


def ended(awaited: Iterable[Entry]) -> list[list[Entry]]:
    """The entries that have ended, in groups: a batch as one, once its last entry has ended; all others singly."""
    groups: dict[str, list[Entry]] = {}
    for entry in awaited:
        alone = entry.batch is None or is_pair(entry.batch)
        groups.setdefault(entry.id if alone else str(entry.batch), []).append(entry)
    return [group for group in groups.values() if all(entry.state not in LIVE for entry in group)]


def has_moved(known: Mapping[str, Entry], now: Iterable[Entry]) -> bool:
    """True when one of these has started or ended since it was last seen."""
    return any((entry.state in LIVE) != (known[entry.id].state in LIVE) for entry in now if entry.id in known)
