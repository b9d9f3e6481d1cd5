"""A data folder left by an earlier version opens, is upgraded, and shows the same.

`data/data_folder_1.zip` was written by version 0.1.0 of November 2026: entries in every state, a batch that is paused,
an A/B pair, tags, comments, a deleted task, a paused queue, and beside them what that version said about it all.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from journey.history import Order, State
from journey.history.kinship import find_kin, is_pair
from journey.outside.masking import masked_text
from journey.provider import JOURNEYAPI
from journey.settings import Settings
from journey.studio.batches.store import progress
from journey.views import spending
from journey.web.exports import to_json
from journey.workspace import Workspace, share
from tests.harness.navigation import ROOT
from tests.pages.test_pages import errors

FOLDER = Path(__file__).parent / "data" / "data_folder_1.zip"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace on that folder. Its workers do not run, so that everything stays as it was left."""
    folder = tmp_path_factory.mktemp("data")
    with zipfile.ZipFile(FOLDER) as archive:
        archive.extractall(folder)
    workspace = Workspace(Settings(data_dir=folder, api_key="key", api_url="http://127.0.0.1:9/api/v1"))
    share(workspace)
    yield workspace
    share(None)
    workspace.stop()


def told(space: Workspace, name: str) -> str:
    """What the earlier version said, from the file of this name."""
    return (space.settings.data_dir / name).read_bytes().decode("utf-8-sig")


def ids(space: Workspace) -> list[str]:
    return space.history.lists.ids(order=Order.OLDEST)


def test_every_entry_is_told_as_it_was(space: Workspace) -> None:
    """Each fact of each entry, with its tags and its comment, is in the export as it was before."""
    now = json.loads(b"".join(to_json(space.history.lists.rows_of(ids(space)))))
    then = json.loads(told(space, "said.json"))
    for entry in now:
        # Then, addresses were told without their query and nothing said so; in texts they were told whole.
        del entry["shortened"]
        entry["image_url"] = (entry["image_url"] or "").partition("?")[0] or None
    for entry in then:
        entry["error"] = entry["error"] and masked_text(entry["error"])
    assert then == now
    # Nothing was asked before it was sent then.
    assert set(State) - {State.ASKING} == {State(entry["state"]) for entry in now}


def test_every_time_line_is_told_as_it_was(space: Workspace) -> None:
    """No step of any entry is lost or put into other words."""
    now = {each: [[step.at, step.state, step.words] for step in space.history.timeline(each)] for each in ids(space)}
    assert json.loads(told(space, "timelines.json")) == now


def test_what_was_spent_is_told_as_it_was(space: Workspace) -> None:
    """What was spent by month, person and provider, even on the deleted task, is exported as it was before."""
    assert told(space, "spent.csv") == spending.to_csv(space.spending.lines()).decode("utf-8-sig")


def test_the_counters_begin_with_what_was_there(space: Workspace) -> None:
    """What the database has counted since is what it would have counted from the first entry on."""
    entries = space.history.lists.latest(limit=1_000)
    assert len(entries) == space.history.lists.count()
    for state in State:
        assert sum(entry.state is state for entry in entries) == space.history.lists.count(states=[state])
    assert sum(entry.result.bytes or 0 for entry in entries if entry.result) == space.history.lists.result_bytes()
    assert sorted({entry.person for entry in entries if entry.person}) == space.history.lists.persons()


def test_every_picture_is_found(space: Workspace) -> None:
    """Each entry has its original, and each finished one its result, except the one whose result was removed."""
    entries = space.history.lists.latest()
    without = [entry.name for entry in entries if entry.state is State.FINISHED and not entry.result]
    assert ["removed.png"] == without
    for entry in entries:
        for picture in filter(None, (entry.source, entry.result)):
            assert space.files.has(picture.key, picture.file), entry.name
        assert entry.source is not None


def test_batch_pair_and_pause_go_on(space: Workspace) -> None:
    """The batch is still paused where it was, the pair is still a pair, and the queue waits for the same reason."""
    ((batch, done),) = space.batches.latest()
    assert ("Posters for A3", True) == (batch.name, batch.held)
    assert (4, 1, 1, 2) == (done.total, done.finished, done.failed, done.waiting)
    assert done == progress(space.batches.items(batch.id))
    first, second = (entry for entry in space.history.lists.latest() if is_pair(entry.batch))
    assert second == find_kin(space.history.lists, [first, second]).other_half(first)
    assert {"fast", "detail"} == {first.network, second.network}
    assert {JOURNEYAPI: "The API refused the key (401)."} == space.history.pauses.reasons()


def test_every_entry_opens(space: Workspace) -> None:
    """History lists all entries, and the details of each are drawn without an error."""
    app = AppTest.from_file(str(ROOT / "pages" / "_app.py"), default_timeout=20).run()
    app.switch_page("history.py").run()
    assert len(ids(space)) == len(app.dataframe[0].value)
    for each in ids(space):
        app.query_params.clear()
        app.query_params["task"] = each
        app.run()
        assert ([], []) == (list(app.exception), [said for said in errors(app) if "no task with" in said])
