"""A tracker that is stepped by hand, and the rules that hold whatever is done to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from journey.history import State
from journey.provider import THIS_MACHINE
from journey.storage.database import Database, metadata
from journey.testing import StandIn
from tests.conftest import empty_database
from tests.harness.tracking import TrackedStudio

ORDER = "upscale-2x-4x"
MakeStudio = Callable[..., TrackedStudio]


ON_BOTH = pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True)
"""The other tests depend on the kind of database only through the history, which has tests of its own on both."""


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database(getattr(request, "param", "sqlite"), request, tmp_path) as made:
        yield made


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        yield fake


@pytest.fixture
def make(api: StandIn, database: Database, tmp_path: Path) -> Iterator[MakeStudio]:
    """Builds a studio; afterwards the rules that hold after every fault are checked."""
    made: list[TrackedStudio] = []

    def build(**options: Any) -> TrackedStudio:
        made.append(TrackedStudio(database, tmp_path, options.pop("api_url", api.url), api.key, **options))
        return made[-1]

    yield build
    for studio in made:
        studio.close()
        entries = studio.history.lists.latest(limit=1000)
        assert [] == studio.left_behind()
        assert api.charges <= sum(entry.attempts for entry in entries)
        free = sum(entry.attempts for entry in entries if entry.provider == THIS_MACHINE)
        assert 2 * (api.charges - free) <= sum(entry.credits for entry in entries)
        # Only a person sends anything again, and each charge has a task id or an entry that says it is not known.
        once = [entry for entry in entries if entry.attempts == 1 and entry.credits]
        assert all(entry.task_id or entry.state in (State.AMBIGUOUS, State.ABANDONED) for entry in once)
        assert api.key not in repr(dump(database))


@pytest.fixture
def studio(make: MakeStudio) -> TrackedStudio:
    return make()


def dump(database: Database) -> dict[str, list[Sequence[Any]]]:
    with database.read() as connection:
        return {table.name: list(connection.execute(table.select())) for table in metadata.sorted_tables}


def states(studio: TrackedStudio) -> Counter[State]:
    return Counter(entry.state for entry in studio.history.lists.latest(limit=1000))
