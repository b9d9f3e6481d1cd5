"""The Spend page: what it counts, and what it says about doubt and the budget."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from journey.history import History, NewEntry, State
from journey.provider import JOURNEYAPI, THIS_MACHINE, Provider
from journey.settings import Settings
from journey.storage.stored import StoredPicture
from journey.testing import StandIn
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.conftest import running

OpenPage = Callable[..., AppTest]
CHANGES: dict[State, dict[str, Any]] = {
    State.OPEN: {"task_status": "pending"},
    State.ARCHIVING: {"task_status": "finished"},
    State.FINISHED: {"result": StoredPicture("1" * 32, "hill.png", 1000, 1000)},
}
DONE = (State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED)


@pytest.fixture(scope="module")
def api() -> Iterator[StandIn]:
    with StandIn(credits=4321) as fake:
        yield fake


@pytest.fixture(scope="module")
def space(api: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        api_key=api.key,
        api_url=api.url,
        engine="off",
        monthly_credits=5,
    )
    with running(settings) as workspace:
        workspace.tracker.stop()  # its steps are done here by hand
        yield workspace


def add(
    space: Workspace, *ways: State, months_ago: int = 0, provider: Provider = JOURNEYAPI, person: str | None
) -> None:
    now = time.time() - months_ago * 31 * 86_400
    history = History(space.database, clock=lambda: now)
    entry = history.add(NewEntry(provider=provider, type="2x", name="hill.png", person=person))
    for state in ways:
        history.move(entry.id, state, **CHANGES.get(state, {}))


def words(app: AppTest) -> str:
    return " ".join(each.value for each in (*app.markdown, *app.caption, *app.info, *app.warning))


def test_the_page_counts_what_was_paid(space: Workspace, open_page: OpenPage) -> None:
    """The empty page says what to do; later it shows credits, doubt, budget, balance and the table."""
    wait_for(lambda: space.balance(JOURNEYAPI) is not None)
    app = open_page("spend.py")
    assert "Nothing has been sent yet. Upscale a picture" in words(app)

    add(space, *DONE, person="anna@example.com")
    add(space, State.SUBMITTING, State.AMBIGUOUS, person="anna@example.com")
    add(space, *DONE, provider=THIS_MACHINE, person=None)
    add(space, *DONE, months_ago=4, person="ben@example.com")
    app.run()
    assert [] == list(app.exception)
    assert ["2", "2", "4,321"] == [metric.value for metric in app.metric]
    assert "Balance at JourneyAPI on" in words(app)
    assert "It is used up: new tasks for JourneyAPI wait" in words(app)
    assert "**2 credits** for 1 call in doubt" in words(app)
    assert "**1 picture** (1 megapixels) for free. JourneyAPI would have charged 2 credits" in words(app)
    table = app.dataframe[0].value
    assert ["anna@example.com", "Not signed in", "ben@example.com"] == list(table["Who"])
    assert ([2, 0, 2], [2, 0, 0]) == (list(table["Charged"]), list(table["May have been charged"]))

    app.button_group(key="spend_range").set_value(3).run()
    assert 2 == len(app.dataframe[0].value)
    month = f"{datetime.datetime.now(datetime.UTC):%b %Y}"
    assert {month} == set(app.dataframe[0].value["Month"])


def test_a_used_up_budget_stops_only_what_is_paid(space: Workspace) -> None:
    """The next call to JourneyAPI is refused with a sentence; this machine's work never is."""
    while not space.budget().is_used_up:
        add(space, *DONE, person=None)
    assert (5, 4, 1) == (space.budget().limit, space.budget().spent, space.budget().left)
    paid, free = (
        space.history.add(NewEntry(provider=provider, type="2x", name="hill.png"))
        for provider in (JOURNEYAPI, THIS_MACHINE)
    )
    assert "This month's budget of 5 credits is used up (4 spent)" in str(space._may_spend(paid, space.database))
    assert None is space._may_spend(free, space.database)


def test_the_budget_stops_the_queue_until_it_is_raised(tmp_path: Path) -> None:
    """Two of three tasks are sent; resuming changes nothing, and the third is sent once the budget is larger."""
    with StandIn() as api:
        settings = Settings(data_dir=tmp_path, api_key=api.key, api_url=api.url, engine="off", monthly_credits=4)
        sentence = "This month's budget of 4 credits is used up (4 spent)"
        with running(settings) as space:
            added = [
                space.history.add(
                    NewEntry(provider=JOURNEYAPI, type="2x", name=f"hill-{number}.png", image_url=api.picture_url())
                )
                for number in range(3)
            ]
            for _ in range(2):
                wait_for(lambda: sentence in space.history.pauses.reasons().get(JOURNEYAPI, ""))
                wait_for(lambda: api.charges == 2)  # what is being sent counts, so the pause may come before the charge
                space.resume(JOURNEYAPI)
            # What a start with the new setting does, without drawing the samples again.
            space._end_work()
            space.settings = settings.model_copy(update={"monthly_credits": 6})
            space._begin_work()
            wait_for(lambda: all(space.history.get(entry.id).task_id for entry in added))
            assert (3, {}) == (api.charges, space.history.pauses.reasons())
