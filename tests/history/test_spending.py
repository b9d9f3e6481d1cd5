"""What was paid for, by month, person and provider, and the month's budget."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from journey.api.models import TaskStatus
from journey.history import Entry, History, NewEntry, State
from journey.history.deletions import Deletions
from journey.history.spending import Budget, Spending, month_start, months_until
from journey.provider import JOURNEYAPI, THIS_MACHINE, Provider
from journey.storage.database import Database
from journey.storage.stored import StoredPicture
from tests.harness.standing import Clock

ANNA, BEN = "anna@example.com", "ben@example.com"
CHANGES: dict[State, dict[str, Any]] = {
    State.OPEN: {"task_id": "t", "task_status": TaskStatus.PENDING},
    State.ARCHIVING: {"task_status": TaskStatus.FINISHED},
    State.FINISHED: {"result": StoredPicture("1" * 32, "hill.png", 4000, 3000)},
}


def at(text: str) -> float:
    """Seconds since 1970 of a moment in UTC."""
    return datetime.datetime.fromisoformat(f"{text}+00:00").timestamp()


class Past:
    """A history whose entries can be moved along any ways at any time."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.clock.now = at("2026-11-22T16:00")
        self.history = History(database, clock=self.clock)
        self.spending = Spending(database, clock=self.clock)
        self.deletions = Deletions(database)

    def add(
        self, *ways: State, when: str = "2026-11-20T12:00", provider: Provider = JOURNEYAPI, **fields: Any
    ) -> Entry:
        now, self.clock.now = self.clock.now, at(when)
        person = fields.pop("person", ANNA)
        entry = self.history.add(NewEntry(provider=provider, type="4x", name="hill.png", person=person))
        for state in ways:
            moved = self.history.move(entry.id, state, **CHANGES.get(state, {}))
            assert moved is not None, state
            entry = moved
        self.clock.now = now
        return entry


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


SENT = (State.SUBMITTING,)
ACCEPTED = (State.SUBMITTING, State.OPEN)
DONE = (State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED)


@pytest.mark.parametrize(
    ("ways", "charged", "after_failure", "unknown"),
    [
        ((), 0, 0, 0),
        (SENT, 0, 0, 2),
        (ACCEPTED, 2, 0, 0),
        (DONE, 2, 0, 0),
        ((*ACCEPTED, State.ABANDONED), 2, 0, 0),
        ((*ACCEPTED, State.FAILED), 0, 2, 0),
        ((*ACCEPTED, State.ARCHIVING, State.FAILED), 2, 0, 0),
        ((*SENT, State.FAILED), 0, 0, 0),
        ((*SENT, State.AMBIGUOUS), 0, 0, 2),
        ((*SENT, State.AMBIGUOUS, State.ABANDONED), 0, 0, 2),
        ((*SENT, State.QUEUED), 0, 0, 0),
        ((*SENT, State.AMBIGUOUS, State.QUEUED, *DONE), 2, 0, 2),
        ((*SENT, State.AMBIGUOUS, State.QUEUED, *SENT, State.FAILED), 0, 0, 2),
    ],
    ids=[
        "never sent",
        "being sent",
        "accepted",
        "finished",
        "no longer watched",
        "failed there",
        "made but not stored",
        "refused",
        "ambiguous",
        "dropped",
        "proved not sent",
        "sent twice",
        "sent twice, then refused",
    ],
)
def test_what_is_certain_stands_apart_from_what_may_have_been_charged(
    past: Past, ways: tuple[State, ...], charged: int, after_failure: int, unknown: int
) -> None:
    """Credits are certain once a call is accepted; a task that failed there or a lost answer may have been charged."""
    past.add(*ways)
    lines = past.spending.lines()
    of = [(line.charged, line.after_failure, line.unknown) for line in lines] or [(0, 0, 0)]
    assert [(charged, after_failure, unknown)] == of
    assert charged + after_failure + unknown == past.spending.credits_since(at("2026-11-01"))


def test_spending_is_by_month_person_and_provider(past: Past) -> None:
    """Each month, person and provider has its own line, newest month first; months end at midnight in UTC."""
    past.add(*DONE, when="2026-10-31T23:59:59.999")
    past.add(*DONE, when="2026-11-01T00:00")
    past.add(*DONE, person=BEN)
    past.add(*DONE, person=None)
    past.add(*DONE, provider=THIS_MACHINE)
    past.add(*DONE, provider=THIS_MACHINE)
    told = [(line.month, line.person, line.provider, line.finished, line.charged) for line in past.spending.lines()]
    assert [
        ("2026-11", None, JOURNEYAPI, 1, 2),
        ("2026-11", ANNA, JOURNEYAPI, 1, 2),
        ("2026-11", BEN, JOURNEYAPI, 1, 2),
        ("2026-11", ANNA, THIS_MACHINE, 2, 0),
        ("2026-10", ANNA, JOURNEYAPI, 1, 2),
    ] == told
    assert 6 == past.spending.credits_since(month_start(past.clock.now))


def test_what_this_machine_made_is_free_and_still_told(past: Past) -> None:
    """What this machine made costs nothing, and is told with what JourneyAPI would have charged for it."""
    past.add(*DONE, provider=THIS_MACHINE)
    past.add(*ACCEPTED, State.STOPPED, provider=THIS_MACHINE)
    (line,) = past.spending.lines()
    assert (1, 12.0, 0, 0, 2) == (line.finished, line.megapixels, line.charged, line.uncertain, line.would_have_cost)


def test_a_change_in_a_month_that_is_over_shows_at_once(past: Past) -> None:
    """The remembered sums of past months are forgotten when a late answer settles one of their calls."""
    entry = past.add(*SENT, State.AMBIGUOUS, when="2026-09-03T10:00")
    assert [(0, 2)] == [(line.charged, line.uncertain) for line in past.spending.lines()]
    past.history.bind(entry.id, "t-1", words="It turned up.")
    assert [(2, 0)] == [(line.charged, line.uncertain) for line in past.spending.lines()]


def test_deleting_a_task_does_not_give_its_credits_back(past: Past) -> None:
    """What deleted tasks cost stays in the sums and in the month's budget, beside the cost of those that are left."""
    gone = [past.add(*DONE), past.add(*DONE, when="2026-09-03T10:00"), past.add(*ACCEPTED, State.FAILED)]
    past.add(*DONE)
    told, spent = past.spending.lines(), past.spending.credits_since(0)
    past.deletions.delete([entry.id for entry in gone])
    assert told == past.spending.lines()
    assert 8 == spent == past.spending.credits_since(0)


def test_a_month_that_ends_is_not_counted_twice(past: Past) -> None:
    """A process that lives through the turn of a month tells the same sums after it."""
    past.add(*DONE)
    before = past.spending.lines()
    past.clock.now = at("2026-12-01T00:00:01")
    assert before == past.spending.lines()


@pytest.mark.parametrize(
    ("spent", "left", "used_up"), [(0, 5, False), (2, 3, False), (3, 2, False), (4, 1, True), (8, 0, True)]
)
def test_a_budget_is_used_up_when_the_next_upscale_would_go_over_it(spent: int, left: int, used_up: bool) -> None:
    """A budget with less than one upscale left is used up, and what is left is never negative."""
    budget = Budget(5, spent)
    assert (left, used_up) == (budget.left, budget.is_used_up)


def test_a_budget_of_nothing_is_all_spent() -> None:
    """JOURNEY_MONTHLY_CREDITS=0 allows no paid task, and nothing is divided by zero."""
    assert (1.0, True) == (Budget(0, 0).share, Budget(0, 0).is_used_up)


@pytest.mark.parametrize(
    ("moment", "back", "start"),
    [
        ("2026-11-22T16:00", 0, "2026-11-01"),
        ("2026-11-01T00:00", 0, "2026-11-01"),
        ("2026-10-31T23:59:59", 0, "2026-10-01"),
        ("2026-01-15T12:00", 1, "2025-12-01"),
        ("2026-11-22T16:00", 11, "2025-12-01"),
    ],
)
def test_a_month_begins_at_midnight_of_its_first_day_in_utc(moment: str, back: int, start: str) -> None:
    """A month begins at midnight of its first day in UTC, also across the turn of the year."""
    assert at(start) == month_start(at(moment), back=back)


def test_a_pause_of_last_month_is_over_with_it(past: Past) -> None:
    """A queue that was paused this month waits; one that was paused before the month began may go on."""
    pauses = past.history.pauses
    pauses.begin(JOURNEYAPI, "This month's budget is used up.")
    assert [] == pauses.begun_before(month_start(at("2026-11-30T23:59")))
    assert [JOURNEYAPI] == pauses.begun_before(month_start(at("2026-12-01T00:00")))


def test_months_without_anything_are_not_left_out() -> None:
    """Months without any spending are listed as well, so that a chart shows them."""
    assert ["2025-11", "2025-12", "2026-01"] == months_until("2025-11", "2026-01")
