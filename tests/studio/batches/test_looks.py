"""Looking at every picture of a batch: each once, and none holds up the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from journey.errors import InvalidRequest
from journey.storage.stored import StoredPicture
from journey.studio.batches.lines import Wanted
from journey.studio.batches.looks import AT_ONCE, SLOW_SECONDS, Look, Looks
from journey.studio.intake import Source
from tests.harness.standing import Clock, wait_for

SOURCE = Source("url", "quick", StoredPicture("0" * 32, "x.png", 1024, 1536), "digest")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2 * AT_ONCE) as executor:
        yield executor


def test_slow_addresses_hold_up_no_other_one(pool: ThreadPoolExecutor) -> None:
    """When addresses that do not answer take all places, the others get their turn a few seconds later."""
    clock, silent = Clock(), threading.Event()
    looks = Looks(pool, clock=clock)
    slow = [Wanted("url", f"slow {n}") for n in range(AT_ONCE)]
    quick = Wanted("url", "quick")
    works = [*((each, lambda: (silent.wait(30), ())[1]) for each in slow), (quick, lambda: (SOURCE,))]
    looks.ahead(works)
    assert looks.of(quick) is None
    clock.now += SLOW_SECONDS + 1
    looks.ahead(works)
    wait_for(lambda: looks.of(quick))
    assert looks.of(slow[0]) is None
    silent.set()


def test_each_picture_is_looked_at_once(pool: ThreadPoolExecutor) -> None:
    """However often the list is edited, a picture is looked at once, until a person asks to look again."""
    seen: list[str] = []
    looks = Looks(pool)
    first, second = Wanted("url", "first"), Wanted("url", "second")

    def work(name: str) -> Callable[[], list[Source]]:
        def take() -> list[Source]:
            seen.append(name)
            raise InvalidRequest("There is nothing here.") if name == "second" else ValueError(name)

        return take

    looks.ahead([(first, work("first"))])
    wait_for(lambda: looks.of(first))
    looks.ahead([(second, work("second")), (first, work("first"))])
    wait_for(lambda: looks.of(second))
    assert Look(problem="There is nothing here.") == looks.of(second)
    assert "could not be stored" in str(looks.of(first))
    looks.forget([second])
    looks.ahead([(second, work("second"))])
    wait_for(lambda: looks.of(second))
    assert ["first", "second", "second"] == seen
