"""What people are told without asking: how many tasks are under way, and which of theirs have ended."""

from __future__ import annotations

from collections.abc import Iterable

from journey.history import LIVE, Entry
from journey.history.kinship import is_pair


def ended(awaited: Iterable[Entry]) -> list[list[Entry]]:
    """Those that go on no more, each for itself; those of a batch together, once the last of them has ended."""
    groups: dict[str, list[Entry]] = {}
    for entry in awaited:
        alone = entry.batch is None or is_pair(entry.batch)
        groups.setdefault(entry.id if alone else str(entry.batch), []).append(entry)
    return [group for group in groups.values() if all(entry.state not in LIVE for entry in group)]
