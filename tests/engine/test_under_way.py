"""Who is under way: when there is room for another task, and how its time is counted."""

from __future__ import annotations

import pytest

from journey.engine.under_way import UnderWay
from tests.harness.standing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


@pytest.fixture
def under_way(clock: Clock) -> UnderWay:
    return UnderWay(lambda: 4, clock=clock)


def test_a_task_has_all_places_until_few_of_its_tiles_are_left(under_way: UnderWay) -> None:
    """While its picture is read and while it has tiles enough for all workers, nothing is begun beside it."""
    assert under_way.has_room
    under_way.begin("first")
    assert not under_way.has_room
    for tiles, has_room in ((400, False), (4, False), (3, True)):
        under_way.leave("first", tiles)
        assert has_room is under_way.has_room
    under_way.begin("second")
    assert not under_way.has_room
    under_way.end("second")
    assert under_way.has_room


def test_no_more_tasks_than_places_are_under_way(under_way: UnderWay) -> None:
    """Tasks that have no tile left count as well, because they hold what they write."""
    for name in ("one", "two", "three", "four"):
        assert under_way.has_room
        under_way.begin(name)
        assert under_way.leave(name, 0)
        assert not under_way.leave(name, 0)
    assert not under_way.has_room
    under_way.end("two")
    assert under_way.has_room


def test_one_place_is_one_task_at_a_time() -> None:
    """With a single place nothing is begun beside a task, even when it is done but for its end."""
    under_way = UnderWay(lambda: 1)
    under_way.begin("first")
    under_way.leave("first", 0)
    assert not under_way.has_room
    under_way.end("first")
    assert under_way.has_room


def test_time_is_shared_among_those_under_way(under_way: UnderWay, clock: Clock) -> None:
    """Each second counts once: all of it for a task that is alone, half of it for each of two."""
    clock.sleep(100)
    under_way.begin("first")
    clock.sleep(6)
    under_way.begin("second")
    clock.sleep(4)
    assert (8, 2) == (under_way.seconds("first"), under_way.seconds("second"))
    under_way.end("first")
    clock.sleep(3)
    assert 5 == under_way.seconds("second")
