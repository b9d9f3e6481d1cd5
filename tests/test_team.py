"""A team on many machines, all of them here: each part is killed and comes back, while people look and work goes on."""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image

from journey.engine.tasks import engine_tasks
from journey.history import LIVE, Entry, State
from journey.provider import JOURNEYAPI
from journey.studio.tracker.submitting import SUBMITS_AT_ONCE
from journey.testing import StandIn
from tests.harness.standing import wait_for
from tests.harness.studios import Shelf, new_task
from tests.harness.team import REPLICAS, WORKERS, Team, running_team
from tests.harness.visitors import Crowd

log = logging.getLogger(__name__)

VISITORS = int(os.environ.get("VISITORS", "6"))
TASKS = int(os.environ.get("TASKS", "18"))
"""How many people look, and how many pictures are enlarged at JourneyAPI, and as many here. A large team: 50, 200."""

PARTS = (
    "postgres",
    "s3",
    "scheduler",
    *(f"worker-{number}" for number in range(1, WORKERS + 1)),
    *(f"replica-{number}" for number in range(1, REPLICAS + 1)),
    "nginx",
)
AWAY_SECONDS = 4.0
"""How long each of them is away."""
WAIT_SECONDS = 30.0
"""The longest that anybody may wait for a page, with that in it and the time to start again."""
SIDE = 48, 32


def order(shelf: Shelf, number: int, api: StandIn) -> list[str]:
    """Queue a picture for the API and one for this team's own engine, both of sizes that no other has."""
    width, height = 20 + number, SIDE[1]
    picture = Image.new("RGB", (width, height), "teal")
    there = new_task(
        "koi.png", shelf.keep("koi.png", picture), provider=JOURNEYAPI, image_url=api.picture_url(width, height)
    )
    here = new_task("koi.png", shelf.keep("koi.png", picture))
    return [shelf.history.add(each).id for each in (there, here)]


def is_under_way(shelf: Shelf) -> bool:
    return bool(shelf.history.lists.count(states=list(LIVE - {State.QUEUED})))


def kill_in_turn(team: Team, api: StandIn) -> list[str]:
    """Kill each part in the midst of work, start it again, and return the ids of what was ordered meanwhile."""
    ordered: list[str] = []
    for place, name in enumerate(PARTS):
        for number in range(TASKS * place // len(PARTS), TASKS * (place + 1) // len(PARTS)):
            ordered += order(team.shelf, number, api)
        wait_for(lambda: is_under_way(team.shelf), seconds=120)
        team.kill(name)
        killed_at = time.monotonic()
        wait_for(lambda: time.monotonic() > killed_at + AWAY_SECONDS)  # noqa: B023
        team.start(name)
        wait_for(team.is_ready, seconds=120)
        log.info("%s was away for %.1f s", name, time.monotonic() - killed_at)
    return ordered


def judge_there(entry: Entry, api: StandIn) -> None:
    """It was charged once at most, and has its result unless nobody can know."""
    paid = [task.task_id for task in api.tasks.values() if task.order.get("image_url") == entry.image_url]
    if entry.state is State.AMBIGUOUS:
        assert 1 >= len(paid)
    else:
        assert (State.FINISHED, [entry.task_id]) == (entry.state, paid), (entry.error, entry.note)


def judge_here(entry: Entry, tasks_of: Counter[str]) -> None:
    """It has its result, and the engine had it once."""
    assert State.FINISHED is entry.state, (entry.error, entry.note)
    assert entry.source is not None
    assert 1 == tasks_of[entry.source.key]


def judge_result(entry: Entry, shelf: Shelf) -> None:
    assert entry.source is not None
    assert entry.result is not None
    with Image.open(shelf.files.path(entry.result.key, entry.result.file)) as result:
        result.load()
        assert (4 * entry.source.width, 4 * entry.source.height) == result.size


@pytest.mark.torture
def test_every_part_may_be_killed(tmp_path: Path) -> None:
    """Each process of a team on many machines is killed in the midst of work and started again: nothing is lost,
    nothing is charged twice, and every page that people ask for is drawn, without an error on it."""
    with StandIn(speed=4) as api, running_team(tmp_path, api) as team:
        begun = time.monotonic()
        with Crowd(team.url, VISITORS) as crowd:
            ordered = kill_in_turn(team, api)
            wait_for(lambda: not team.shelf.history.lists.count(states=list(LIVE)), seconds=300 + 5 * TASKS)
            took = time.monotonic() - begun
        found = [entry for each in ordered if (entry := team.shelf.history.get(each))]
        tell(crowd, found, took)
        assert len(ordered) == len(found)
        with team.shelf.database.read() as connection:
            tasks_of = Counter(connection.scalars(sa.select(engine_tasks.c.source_key)))
        for entry in found:
            if entry.provider is JOURNEYAPI:
                judge_there(entry, api)
            else:
                judge_here(entry, tasks_of)
            if entry.state is State.FINISHED:
                judge_result(entry, team.shelf)
        assert api.charges <= TASKS
        in_doubt = sum(entry.state is State.AMBIGUOUS for entry in found)
        assert in_doubt <= REPLICAS * SUBMITS_AT_ONCE  # what can be on its way when the one that sends is killed
        assert [] == crowd.unanswered
        assert {} == crowd.problems
        assert WAIT_SECONDS > max(run.seconds for run in crowd.runs)
        assert {"1", "2", "3"} == set(crowd.at)


def tell(crowd: Crowd, entries: list[Entry], took: float) -> None:
    """For whoever runs the long tests with `-rA`: how it went."""
    seconds = sorted(run.seconds for run in crowd.runs)
    log.info("%s pages for %s people in %.0f s", len(seconds), crowd.number, took)
    log.info(
        "a page: median %.0f ms, p95 %.0f ms, longest %.1f s; %s were asked for again",
        1000 * statistics.median(seconds),
        1000 * seconds[int(0.95 * len(seconds))],
        seconds[-1],
        sum(run.attempts > 1 for run in crowd.runs),
    )
    log.info("connections by replica: %s", dict(crowd.at))
    log.info("on pages: %s", dict(crowd.problems))
    for provider in {entry.provider for entry in entries}:
        states = Counter(entry.state for entry in entries if entry.provider is provider)
        for entry in entries:
            if entry.provider is provider and entry.state is not State.FINISHED:
                log.info("%s %s: %s", entry.state, entry.task_id, entry.error or entry.note)
        log.info("%s: %s", provider.label, {str(state): count for state, count in states.items()})
