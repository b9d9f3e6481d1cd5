"""History as a team uses it, driven on a real workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from journey.errors import WorkersAway
from journey.history import NewEntry, State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.settings import Settings
from journey.storage.stored import StoredPicture
from journey.workspace import Workspace, share
from tests.pages.conftest import ROOT
from tests.pages.test_pages import errors

ROUTES = {
    State.FINISHED: (State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED),
    State.ABANDONED: (State.SUBMITTING, State.OPEN, State.ABANDONED),
    State.FAILED: (State.SUBMITTING, State.FAILED),
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace whose workers do not run, so that entries stay as they are put."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), api_key="key", api_url="http://127.0.0.1:9/api/v1")
    workspace = Workspace(settings)
    share(workspace)
    yield workspace
    share(None)
    workspace.stop()


@pytest.fixture
def put(space: Workspace) -> Callable[..., str]:
    """Adds entries in a given state; those of earlier tests are removed first."""
    everything = space.history.lists.ids()
    for entry in everything:
        space.history.move(entry, State.CANCELLED)
        space.history.move(entry, State.ABANDONED)
    space.removal.delete(everything)

    def add(name: str, end: State = State.FAILED, **fields: Any) -> str:
        entry = space.history.add(NewEntry(**{"provider": JOURNEYAPI, "type": "4x", "name": name} | fields))
        for state in ROUTES[end]:
            known: dict[str, Any] = {"task_id": f"task-{entry.id}"} if state is State.OPEN else {}
            space.history.move(entry.id, state, **known)
        return entry.id

    return add


def test_why_this_machines_tasks_wait_is_said(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the workers of this machine's engine are away, each page says so, literally, and how that is mended."""
    assert space.engine is not None
    away = WorkersAway("No *scheduler* answers. Start it.")
    monkeypatch.setattr(space.engine._queue._loop, "trouble", away)
    assert [r"Tasks on this machine wait. No \*scheduler\* answers\. Start it\."] == [
        each.value for each in open_history().warning
    ]


def open_history(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "_app.py"), default_timeout=20)
    for name, value in query.items():
        app.query_params[name] = value
    app.run().switch_page("history.py").run()
    assert [] == list(app.exception)
    return app


def shown(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["Name"]) if app.dataframe else []


def caption(app: AppTest) -> str:
    return " ".join(each.value for each in app.caption)


def test_an_address_that_is_told_late_is_no_link(put: Callable[..., str]) -> None:
    """A click that overtakes the new address undoes nothing; the same address much later counts as a link."""
    for name in ("koi", "owl"):
        put(name)
    app = open_history()
    app.text_input[0].set_value("koi").run()
    assert (["koi"], "koi") == (shown(app), app.query_params["q"])
    app.query_params.clear()  # what the browser showed before
    app.run()
    assert (["koi"], "koi") == (shown(app), app.text_input[0].value)
    app.session_state.addresses_left = []  # long after
    app.query_params["sort"] = "name"
    app.run()
    assert (["koi", "owl"], "") == (shown(app), app.text_input[0].value)


def test_the_address_filters_and_the_filter_is_in_the_address(put: Callable[..., str]) -> None:
    """A shared link shows exactly what it filters, with the right count; clearing shows everything again."""
    for name, provider in (("koi one", JOURNEYAPI), ("koi two", THIS_MACHINE), ("owl", THIS_MACHINE)):
        put(name, provider=provider)
    app = open_history(q="koi", engine="embedded", sort="name")
    assert ["koi two"] == shown(app)
    assert "1 of 3 tasks." in caption(app)
    app.text_input[0].set_value("o").run()
    assert ["koi two", "owl"] == shown(app)
    assert "o" == app.query_params["q"]
    next(button for button in app.button if button.label == "Clear filters").click().run()
    assert ["koi one", "koi two", "owl"] == shown(app)
    assert "3 tasks." in caption(app)
    assert {"sort": "name"} == dict(app.query_params)
    app.text_input[0].set_value("nothing like it").run()
    assert [] == shown(app)
    assert "None of the 3 tasks matches" in app.info[0].value


def test_nonsense_in_the_address_is_a_sentence(put: Callable[..., str]) -> None:
    """Each senseless part of an address gets a sentence, and the rest of the address holds."""
    put("koi")
    app = open_history(engine="steam", ready="A99", q="koi", page="7")
    assert 2 == len(errors(app))
    assert ["koi"] == shown(app)
    app = open_history(ready="A3", at="sharp")
    assert "DPI" in errors(app)[0]
    assert "sharp" in [field.value for field in app.text_input]
    assert "There is no task" in errors(open_history(task="nowhere"))[0]


def test_pages_are_in_the_address_and_never_empty(put: Callable[..., str]) -> None:
    """50 rows are shown at a time, and a page past the last one shows the last one."""
    for number in range(51):
        put(f"n{number:02}")
    assert ["n50"] == shown(open_history(page="2", sort="name"))
    app = open_history(page="99", sort="name")
    assert ["n50"] == shown(app)
    assert "2" == app.query_params["page"]


def test_tags_and_comment_are_saved_and_told(space: Workspace, put: Callable[..., str]) -> None:
    """The tags and the comment are saved together; what cannot be a tag is explained, and nothing is lost."""
    entry = put("koi")
    app = open_history(task=entry)
    app.multiselect[0].set_value(["Album"])
    app.text_area[0].set_value("The client wants it brighter.")
    save = next(button for button in app.button if button.label == "Save tags and comment")
    save.click().run()
    assert ["Tags and comment are saved."] == [each.value for each in app.success]
    assert "The client wants it brighter." == space.history.lists.by_ids([entry]).entries[0].comment
    app.multiselect[0].set_value(["Album", "x" * 41])
    app.text_area[0].set_value("Another one.")
    next(button for button in app.button if button.label == "Save tags and comment").click().run()
    assert ["A tag has 1 to 40 characters."] == errors(app)
    assert "Another one." == app.text_area[0].value
    assert {entry: ["Album"]} == space.history.labels.tags_of([entry])


def test_details_tell_every_fact_literally(space: Workspace, put: Callable[..., str]) -> None:
    """The facts and the time line of a task are shown, and no outside text becomes a link or formatting."""
    entry = put("[a](https://evil.example) :red[b] ann@evil.example", came_from="parent-1")
    app = open_history(task=entry)
    facts = dict(app.table[1].value.to_numpy().tolist())
    assert "` [a](https://evil.example) :red[b] ann@evil.example `" == facts["Name"]
    assert "parent\\-1" == facts["Came from task"]
    assert ["Waiting to be sent", "Being sent", "Failed"] == list(app.table[0].value["State"])


def test_a_result_is_fetched_again_by_a_click(space: Workspace, put: Callable[..., str]) -> None:
    """An entry with a task ID but no result is watched again; one that never had a task has no such button."""
    entry = put("koi", State.ABANDONED)
    app = open_history(task=entry)
    app.button(key="fetch_again").click().run()
    assert State.OPEN is space.history.lists.by_ids([entry]).entries[0].state
    assert "fetch_again" not in [button.key for button in app.button]
    assert "fetch_again" not in [button.key for button in open_history(task=put("refused")).button]


def test_run_again_says_why_not(space: Workspace, put: Callable[..., str]) -> None:
    """The button names the cost; when the picture is gone, nothing is queued, and the reason is told."""
    app = open_history(task=put("koi", source=StoredPicture("0" * 32, "gone.png", 10, 10)))
    before = space.history.lists.count()
    button = app.button(key="run_again")
    assert "Run again · 2 credits" == button.label
    button.click().run()
    assert "no longer stored here" in errors(app)[0]
    assert before == space.history.lists.count()


def test_deleting_a_task_leads_back_to_the_list(space: Workspace, put: Callable[..., str]) -> None:
    """A deleted task is gone from the history and from the address, and the list shows the others."""
    entry, _ = put("koi"), put("owl")
    app = open_history(task=entry)
    app.button(key="delete_task").click().run()
    assert space.history.get(entry) is None
    assert ["owl"] == shown(app)
    assert "task" not in app.query_params


def test_a_list_of_many_asks_little(space: Workspace, put: Callable[..., str]) -> None:
    """Fifty rows cost as few queries as five."""
    for number in range(5):
        put(f"n{number}")
    few = queries(space, open_history)
    for number in range(45):
        put(f"m{number}")
    assert few == queries(space, open_history) < 15


def queries(space: Workspace, open_page: Callable[[], AppTest]) -> int:
    """How many queries a new search in an open page needs."""
    app = open_page()
    seen: list[str] = []

    def note(*said: Any) -> None:
        seen.extend([said[2]] if said[2].startswith(("SELECT", "WITH")) else [])

    sa.event.listen(space.database.engine, "before_cursor_execute", note)
    try:
        app.text_input[0].set_value("n").run()
    finally:
        sa.event.remove(space.database.engine, "before_cursor_execute", note)
    return len(seen)
