"""What belongs together is found in one query: parents by their task, the halves of an A/B pair by their batch."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from journey.history import Entry, History, NewEntry, State
from journey.history.kinship import Pair, Variant, find_kin, is_pair, pair_id, pairs
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from tests.harness.standing import Clock

FAST, DETAIL, HOSTED = Variant(THIS_MACHINE, "fast"), Variant(THIS_MACHINE, "detail"), Variant(JOURNEYAPI)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(database: Database, clock: Clock) -> History:
    return History(database, clock=clock)


@pytest.fixture
def queries(database: Database) -> Iterator[list[str]]:
    """The queries that the database is asked."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def add(history: History, network: str | None = "fast", task_id: str | None = None, **fields: object) -> Entry:
    wish = {"provider": THIS_MACHINE, "type": "2x", "name": "koi.png", "network": network} | fields
    entry = history.add(NewEntry(**wish))  # type: ignore[arg-type]
    if task_id:
        history.move(entry.id, State.SUBMITTING)
        history.move(entry.id, State.OPEN, task_id=task_id)
    found = history.get(entry.id)
    assert found is not None
    return found


def test_all_parents_and_halves_come_in_one_query(history: History, queries: list[str]) -> None:
    """However many cards there are, one query finds the parent of each picture and the other half of each pair."""
    parents = [add(history, task_id=f"t-{place}") for place in range(3)]
    children = [add(history, came_from=f"t-{place}") for place in range(3)]
    halves = [add(history, network, batch="ab-1") for network in ("fast", "detail")]
    add(history, batch="a real batch")
    queries.clear()
    kin = find_kin(history.lists, [*children, *halves])
    assert 1 == len(queries)
    assert parents == [kin.of_task(child.came_from) for child in children]
    assert halves == [kin.other_half(halves[1]), kin.other_half(halves[0])]
    assert kin.of_task("unknown") is None
    assert kin.of_task(None) is None


def test_nothing_is_asked_for_entries_that_stand_alone(history: History, queries: list[str]) -> None:
    """Entries without a parent and outside a pair cost no query."""
    alone = [add(history), add(history, batch="a real batch")]
    queries.clear()
    kin = find_kin(history.lists, alone, task_ids=[None, ""])
    assert [] == queries
    assert [None, None] == [kin.other_half(entry) for entry in alone]


def test_the_other_half_is_the_one_of_the_same_click(history: History, clock: Clock) -> None:
    """When the same picture was compared twice, each half finds the one that was queued with it."""
    first = [add(history, network, batch="ab-1") for network in ("fast", "detail")]
    clock.now += 60
    second = [add(history, network, batch="ab-1") for network in ("fast", "detail")]
    kin = find_kin(history.lists, first)
    assert [first[1], first[0]] == [kin.other_half(entry) for entry in first]
    assert second[1] == kin.other_half(second[0])


def test_an_entry_that_is_under_way_joins_a_pair_once(history: History) -> None:
    """An entry that was queued alone becomes a half; one of a batch stays in its batch."""
    alone, batched = add(history), add(history, batch="a real batch")
    for entry in (alone, batched):
        history.join(entry.id, "ab-1")
    assert ["ab-1", "a real batch"] == [getattr(history.get(entry.id), "batch", None) for entry in (alone, batched)]


def test_nothing_asked_for_is_nothing_found(history: History) -> None:
    """Asking for no ids finds nothing, and an id that is gone is left out."""
    entry = add(history)
    assert () == history.lists.related()
    assert (entry,) == history.lists.related(ids=[entry.id, "gone"])


def test_the_same_wish_is_the_same_pair() -> None:
    """The same wish has the same pair ID; another picture, multiplier, pair or person has another."""
    pair: Pair = (FAST, DETAIL)
    base = pair_id("d", 4, pair, "ann")
    others = [
        pair_id("e", 4, pair, "ann"),
        pair_id("d", 2, pair, "ann"),
        pair_id("d", 4, (HOSTED, FAST), "ann"),
        pair_id("d", 4, pair, None),
    ]
    assert base == pair_id("d", 4, pair, "ann")
    assert 5 == len({base, *others})
    assert is_pair(base)
    assert 32 >= len(base)
    assert not is_pair("4f2a")
    assert not is_pair(None)


def test_the_pairs_that_can_be_compared() -> None:
    """With a key, JourneyAPI against this machine comes first, otherwise fast against detail; one way is no pair."""
    assert {"fast and detail": (FAST, DETAIL)} == pairs([DETAIL, FAST])
    both = pairs([HOSTED, FAST, DETAIL])
    assert ["JourneyAPI and fast here", "JourneyAPI and detail here", "fast and detail"] == list(both)
    assert (HOSTED, FAST) == both["JourneyAPI and fast here"]
    assert {} == pairs([HOSTED]) == pairs([FAST]) == pairs([])
