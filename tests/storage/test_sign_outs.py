"""Sign-ins that are over stay over."""

from __future__ import annotations

from journey.storage.database import Database
from journey.storage.sign_outs import KEPT_SECONDS, SignOuts
from tests.harness.standing import Clock


def test_a_sign_in_that_is_over_is_so_for_every_process(database: Database) -> None:
    """Another process, or the next one, knows a sign-in that was ended; ended twice, it is over once."""
    here, elsewhere = SignOuts(database), SignOuts(database)
    assert "a" not in elsewhere
    here.add("a")
    elsewhere.add("a")
    assert "a" in elsewhere
    assert "b" not in elsewhere


def test_marks_go_when_their_sign_in_has_ended_by_itself(database: Database) -> None:
    """A mark is kept longer than the cookie that it bars, and no longer."""
    clock = Clock()
    ended = SignOuts(database, clock=clock)
    ended.add("a")
    clock.now += KEPT_SECONDS - 1
    ended.add("b")
    assert "a" in ended
    clock.now += 2
    ended.add("c")
    assert "a" not in ended
    assert "b" in ended
