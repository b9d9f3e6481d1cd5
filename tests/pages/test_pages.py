"""Each page, driven as a person drives it, on a real workspace."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from journey.history import NewEntry, State
from journey.workspace import Workspace
from tests.fakes.hosted import FakeHosted, Reply, web_page
from tests.pages.conftest import until

OpenPage = Callable[..., AppTest]


def png_cut() -> bytes:
    """A real PNG without its second half."""
    buffer = io.BytesIO()
    Image.effect_noise((60, 40), 50).save(buffer, "PNG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


PAGES = ["upscale.py", "print_size.py", "history.py", "compare.py"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_draws_one_title_and_no_trace(open_page: OpenPage, page: str) -> None:
    """Each page opens on an empty studio, with exactly one title."""
    app = open_page(page)
    assert [] == list(app.exception)
    assert 1 == len(app.title)


def test_an_empty_form_says_what_to_do(space: Workspace, open_page: OpenPage) -> None:
    """Upscale on an empty form is a sentence in place; nothing is queued."""
    before = space.history.count()
    app = open_page("upscale.py")
    app.button(key="submit").click().run()
    assert ["Enter the address of a picture first, or pick a sample."] == errors(app)
    assert before == space.history.count()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda api: f"{api.url}/nothing-here", "no file at this address"),
        (lambda api: f"{api.origin}/cdn/page.png", "web page"),
        (lambda _: "http://10.1.2.3/picture.png", "cannot be reached"),
        (lambda _: "ftp://example.com/picture.png", "http"),
        (lambda _: "not an address", "http"),
    ],
    ids=["missing", "web page", "private", "scheme", "nonsense"],
)
def test_a_bad_address_is_explained_and_kept(
    space: Workspace, open_page: OpenPage, given: Callable[[FakeHosted], str], said: str
) -> None:
    """A bad address gets a sentence in place, stays in its field, and queues nothing even when submitted."""
    before = space.history.count()
    with FakeHosted() as api:
        api.always("cdn", web_page())
        url = given(api)
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(url).run()
        assert re.search(said, " ".join(errors(app)), re.IGNORECASE), errors(app)
        app.button(key="submit").click().run()
    assert url == app.text_input(key="image_url").value
    assert before == space.history.count()
    assert 1 == len(errors(app))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"GIF89a" + bytes(30), "a GIF"),
        (b"%PDF-1.7 ...", "a PDF"),
        (bytes(64), "not a picture"),
        (png_cut(), "damaged"),
    ],
    ids=["gif", "pdf", "zeros", "truncated"],
)
def test_what_is_not_a_picture_is_named(space: Workspace, open_page: OpenPage, body: bytes, said: str) -> None:
    """A file that is no usable picture is told by what it is, whatever its address ends in."""
    before = space.history.count()
    with FakeHosted() as api:
        api.always("cdn", Reply(200, body, headers={"Content-Type": "image/png"}))
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(f"{api.origin}/cdn/picture.png").run()
        app.button(key="submit").click().run()
    assert 1 == len(errors(app))
    assert said in errors(app)[0]
    assert before == space.history.count()


def test_an_unknown_task_is_explained(space: Workspace, open_page: OpenPage) -> None:
    """A task ID that nobody knows gets a sentence, and stays in its field."""
    app = open_page("upscale.py")
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value("no-such-task").run()
    assert ["No task with this ID was found. Copy the whole ID and try again."] == errors(app)
    assert "no-such-task" == app.text_input(key="task_id").value


def test_an_address_becomes_a_finished_task(space: Workspace, open_page: OpenPage) -> None:
    """From an address in the form to a finished entry whose picture is exactly four times as large."""
    with FakeHosted() as api:
        url = api.picture_url(40, 30)
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(url).run()
        assert any("40 × 30 px" in text.value for text in app.text)
        app.button(key="submit").click().run()
    entry = space.history.latest(limit=1)[0]
    until(lambda: space.history.get(entry.id).state is State.FINISHED)
    done = space.history.get(entry.id)
    assert (160, 120) == (done.result_width, done.result_height)
    with Image.open(space.files.path(done.result_key, done.result_file)) as result:
        assert (160, 120) == result.size


def test_a_picture_of_the_grid_is_picked_by_looking(space: Workspace, open_page: OpenPage) -> None:
    """The sample grid shows its four pictures; the picked one is what is submitted."""
    until(lambda: space.sample_sources() is not None and space.clients["embedded"].fetch_many(["sample-grid"]))
    app = open_page("upscale.py")
    app.button(key="sample_grid").click().run()
    app.button(key="submit").click().run()
    assert ["Pick one picture of the grid first."] == errors(app)
    app.button(key="pick_3").click().run()
    app.button_group(key="scale").set_value(2).run()
    app.button(key="submit").click().run()
    entry = space.history.latest(limit=1)[0]
    assert ("sample-grid", "3", "2x") == (entry.parent_task_id, entry.index, entry.type)
    space.stop_entry(entry)


def test_a_double_click_is_one_entry(space: Workspace, open_page: OpenPage) -> None:
    """Two clicks on Upscale for the same picture are one entry."""
    with FakeHosted() as api:
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(api.picture_url(44, 30)).run()
        before = space.history.count()
        app.button(key="submit").click().run()
        app.button(key="submit").click().run()
    assert before + 1 == space.history.count()


def test_text_from_outside_is_shown_literally(space: Workspace, open_page: OpenPage) -> None:
    """An error text with Markdown, HTML and a picture in it is drawn as the characters it is made of."""
    hostile = "[click](https://evil.example) ![x](https://evil.example/t.png) <script>alert(1)</script> :red[x]"
    entry = space.history.add(NewEntry(engine="embedded", type="2x", name=hostile, image_url="http://10.0.0.1/x.png"))
    until(lambda: space.history.get(entry.id).state is State.FAILED)
    app = open_page("history.py", task=entry.id)
    assert hostile in [text.value for text in app.text]
    assert not any("evil.example" in element.value for element in [*app.markdown, *app.error, *app.warning])


def test_an_ambiguous_task_offers_three_ways_out(space: Workspace, open_page: OpenPage) -> None:
    """Nothing is sent again by itself: a person gives the task ID, sends again, or drops it."""
    entry = ambiguous(space)
    app = open_page("history.py", task=entry)
    labels = [button.label for button in app.button]
    assert {"Watch this task", "Send again (may cost 2 credits twice)", "Drop it"} <= set(labels)
    app.button(key=f"drop_{entry}").click().run()
    assert State.ABANDONED is space.history.get(entry).state


def test_a_task_opens_by_its_address(space: Workspace, open_page: OpenPage) -> None:
    """`/history?task=…` opens that task; an unknown one is a sentence."""
    entry = ambiguous(space)
    assert "ambiguous.png" in [text.value for text in open_page("history.py", task=entry).text]
    assert "There is no task" in errors(open_page("history.py", task="nowhere"))[0]
    space.history.move(entry, State.ABANDONED)


def ambiguous(space: Workspace) -> str:
    """An entry that was lost in the middle of its call."""
    new = NewEntry(engine="journeyapi", type="4x", name="ambiguous.png", image_url="https://example.com/a.png")
    entry = space.history.add(new)
    space.history.move(entry.id, State.SUBMITTING)
    space.history.lose(entry.id, "The connection broke before its answer was complete.")
    return entry.id


def errors(app: AppTest) -> list[str]:
    """The error boxes on the page, as a person reads them."""
    return [error.value.replace("\\", "") for error in app.error]
