"""The Batch page, driven as a person drives it, on a real workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from journey.history import Entry, NewEntry, State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.settings import Settings
from journey.testing import StandIn, picture
from journey.web.exports import to_csv
from journey.workspace import Workspace, share
from tests.harness.standing import wait_for
from tests.pages.conftest import ROOT, running

OpenPage = Callable[..., AppTest]


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        yield fake


def enter(app: AppTest, *lines: str) -> AppTest:
    """Paste the lines and wait until all of them have been looked at."""
    app.text_area(key="batch_text").set_value("\n".join(lines)).run()
    wait_for(lambda: "to enlarge ·" in shown(app.run()) or "to enlarge**" in shown(app))
    return app


def shown(app: AppTest) -> str:
    return "\n".join(
        [each.value for each in [*app.markdown, *app.caption, *app.text, *app.error, *app.warning, *app.info]]
        + [each.label for each in app.button]
    )


def batch_of(app: AppTest) -> str:
    asked = app.query_params["id"]
    return asked if isinstance(asked, str) else asked[0]


def test_an_empty_page_says_what_to_do(open_page: OpenPage) -> None:
    """The page opens with one title and a sentence that says how to begin."""
    app = open_page("batch.py")
    assert ([], 1) == (list(app.exception), len(app.title))
    assert "Paste addresses or task IDs" in shown(app)


def test_bad_lines_are_explained_and_the_others_run(space: Workspace, open_page: OpenPage, api: StandIn) -> None:
    """Each bad line gets its sentence, one click runs the others, and the form keeps the bad ones."""
    good = [api.picture_url(32, 24), api.picture_url(24, 32)]
    bad = [f"{api.origin}/nothing-here", "javascript:alert(1)", "http://10.1.2.3/x.png"]
    app = enter(open_page("batch.py"), *good, *bad, good[0])
    assert "2 pictures to enlarge · 3 cannot be used" in shown(app)
    for place, said in (("Line 3", "no file at this address"), ("Line 4", "begin with"), ("Line 5", "be reached")):
        assert any(place in text.value and said in text.value for text in app.text)
    app.button(key="batch_submit").click().run()
    items = space.batches.items(batch_of(app))
    assert 2 == len(items)
    wait_for(lambda: {State.FINISHED} == {item.entry.state for item in space.batches.items(batch_of(app))})
    assert "2 of 2 finished" in app.run().get("progress")[0].proto.text
    app.button(key="batch_new").click().run()
    assert "\n".join(bad) == app.text_area(key="batch_text").value
    assert "2 finished" in shown(app)


def test_a_batch_that_costs_says_so_before(space: Workspace, tmp_path: Path, api: StandIn) -> None:
    """With JourneyAPI the price is shown beside balance and budget, and pictures it cannot reach are explained."""
    settings = Settings(
        data_dir=tmp_path,
        engine="off",
        api_key=api.key,
        api_url=api.url,
        monthly_credits=2,
        fetch_allow=("127.0.0.0/8",),
    )
    with running(settings) as paid:
        wait_for(lambda: paid.balance(JOURNEYAPI))
        app = AppTest.from_file(str(ROOT / "pages" / "_app.py"), default_timeout=20).run()
        app.switch_page("batch.py").run()
        task = paid.clients[JOURNEYAPI].upscale(image_url=api.picture_url(32, 24), type="4x")
        api.finish(task)
        other = paid.clients[JOURNEYAPI].upscale(image_url=api.picture_url(24, 32), type="2x")
        api.finish(other)
        enter(app, task, other, api.picture_url(40, 30))
        assert "2 pictures to enlarge · 1 cannot be used" in shown(app)
        assert "JourneyAPI cannot use this address" in shown(app)
        assert "4 credits of 12,000 left" in shown(app)
        assert "enough for 1 of the 2 pictures" in shown(app)
        assert "Upscale 2 pictures · 4 credits" in shown(app)
        app.button(key="batch_submit").click().run()
        wait_for(
            lambda: (
                [1, 1]
                == sorted([int(entry.state is State.QUEUED) + int(bool(entry.task_id)) for entry in mine(paid, app)])
            )
        )
        wait_for(paid.history.pauses.reasons)
        wait_for(lambda: 1 == len([entry for entry in mine(paid, app) if entry.task_id]))
    share(space)  # the workspace of the other tests


def mine(space: Workspace, app: AppTest) -> list[Entry]:
    return [item.entry for item in space.batches.items(batch_of(app))]


def test_more_than_a_batch_takes_is_refused(space: Workspace, open_page: OpenPage, api: StandIn) -> None:
    """201 lines are refused with a sentence, none is looked at, and all of them stay in the form."""
    text = "\n".join(f"{api.origin}/cdn/{n}.png" for n in range(201))
    app = open_page("batch.py")
    app.text_area(key="batch_text").set_value(text).run()
    assert "up to 200 go into one batch" in shown(app)
    assert (text, []) == (app.text_area(key="batch_text").value, [call for call in api.calls if call.endpoint == "cdn"])


def test_results_of_history_begin_a_batch(space: Workspace, open_page: OpenPage, api: StandIn) -> None:
    """`?from=` takes finished tasks, keeps where they came from, and explains what is unknown."""
    app = enter(open_page("batch.py"), api.picture_url(16, 16))
    app.button(key="batch_submit").click().run()
    wait_for(lambda: space.batches.items(batch_of(app))[0].entry.state is State.FINISHED)
    entry = space.batches.items(batch_of(app))[0].entry
    later = open_page("batch.py", **{"from": f"{entry.id},unknown"})
    wait_for(lambda: "1 picture to enlarge" in shown(later.run()))
    assert "no such task in the history" in shown(later)
    later.button(key="batch_submit").click().run()
    (item,) = space.batches.items(batch_of(later))
    assert (entry.task_id, (64, 64)) == (item.entry.came_from, item.entry.source_size)


def test_a_list_that_may_mean_two_things_is_asked_about(open_page: OpenPage, api: StandIn) -> None:
    """Both readings are shown with their count and first address, nothing can be ordered before the choice, and the
    chosen one is what is looked at."""
    app = open_page("batch.py")
    app.text_area(key="batch_text").set_value(f"{api.picture_url(16, 16)}/a,1\n{api.picture_url(24, 16)}").run()
    (choice,) = app.radio
    assert ([], 0, None) == (list(app.exception), len([b for b in app.button if b.key == "batch_submit"]), choice.value)
    assert "2 pictures, the first is" in choice.options[0].replace("\\", "")
    choice.set_value(1).run()
    wait_for(lambda: "1 picture to enlarge" in shown(app.run()))
    assert "1 cannot be used" in shown(app)


def test_an_index_in_a_column_brings_one_picture(open_page: OpenPage) -> None:
    """A pasted table of task and index brings that picture of the grid and not all four."""
    app = enter(open_page("batch.py"), "task_id,index", "sample-grid,3")
    assert "1 picture to enlarge" in shown(app)


def test_a_row_of_an_export_without_a_task_brings_our_own_copy(space: Workspace, open_page: OpenPage) -> None:
    """A failed row whose address was shortened in the export is enlarged from the copy that is stored here."""
    source = space.intake.from_upload("owl.png", picture(20, 16))
    entry = space.history.add(
        NewEntry(
            provider=THIS_MACHINE,
            type="4x",
            name="owl.png",
            source=source.stored,
            image_url="https://cdn.example/owl.png?X-Amz-Signature=s1gned",
        )
    )
    space.history.move(entry.id, State.CANCELLED)
    app = enter(open_page("batch.py"), b"".join(to_csv(space.history.lists.rows_of([entry.id]))).decode("utf-8-sig"))
    assert ("1 picture to enlarge" in shown(app), "s1gned" in shown(app)) == (True, False)


def test_an_unknown_task_is_told_once(open_page: OpenPage) -> None:
    """A link to a batch of a task, or from a task, that does not exist says so once."""
    for parameters in ({"from": "nothing"}, {"task": "nothing"}):
        app = open_page("batch.py", **parameters)
        wait_for(lambda app=app: "no such task in the history" in shown(app.run()))
        assert 1 == shown(app).count("no such task in the history")


def test_nonsense_draws_no_trace(open_page: OpenPage) -> None:
    """Whatever is pasted, and whatever DPI is typed, the page says what is wrong and shows no traceback."""
    app = open_page("batch.py")
    app.text_area(key="batch_text").set_value("a,b\n\x00,\x07\n" + "x" * 100_000).run()
    app.selectbox(key="batch_paper").set_value("A3").run()
    app.text_input(key="batch_dpi").set_value("many").run()
    assert [] == list(app.exception)
    assert "DPI must be a number" in shown(app)
    missing = open_page("batch.py", id="nothing")
    assert ([], True) == (list(missing.exception), "no batch with this address" in shown(missing))
