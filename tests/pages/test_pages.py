"""Each page, driven as a person drives it, on a real workspace."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from journey.history import Entry, NewEntry, State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.testing import Reply, StandIn, web_page
from journey.workspace import Workspace
from tests.harness.navigation import pages
from tests.harness.standing import wait_for

OpenPage = Callable[..., AppTest]


def png_cut() -> bytes:
    """A real PNG without its second half."""
    buffer = io.BytesIO()
    Image.effect_noise((60, 40), 50).save(buffer, "PNG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize("page", pages())
def test_a_page_draws_one_title_and_no_trace(open_page: OpenPage, page: str) -> None:
    """Each page opens on an empty studio, with exactly one title."""
    app = open_page(page)
    assert [] == list(app.exception)
    assert 1 == len(app.title)


def test_an_empty_form_says_what_to_do(space: Workspace, open_page: OpenPage) -> None:
    """Upscale on an empty form shows a sentence in place and queues nothing."""
    before = space.history.lists.count()
    app = open_page("upscale.py")
    app.button(key="submit").click().run()
    assert ["Enter the address of a picture first, or pick a sample."] == errors(app)
    assert before == space.history.lists.count()


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
    space: Workspace, open_page: OpenPage, given: Callable[[StandIn], str], said: str
) -> None:
    """A bad address gets a sentence in place, stays in its field, and queues nothing even when submitted."""
    before = space.history.lists.count()
    with StandIn() as api:
        api.always("cdn", web_page())
        url = given(api)
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(url).run()
        assert re.search(said, " ".join(errors(app)), re.IGNORECASE), errors(app)
        app.button(key="submit").click().run()
    assert url == app.text_input(key="image_url").value
    assert before == space.history.lists.count()
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
    """A file that is not a usable picture is named for what it is, whatever its address ends in."""
    before = space.history.lists.count()
    with StandIn() as api:
        api.always("cdn", Reply(200, body, headers={"Content-Type": "image/png"}))
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(f"{api.origin}/cdn/picture.png").run()
        app.button(key="submit").click().run()
    assert 1 == len(errors(app))
    assert said in errors(app)[0]
    assert before == space.history.lists.count()


def test_an_unknown_task_is_explained(space: Workspace, open_page: OpenPage) -> None:
    """A task ID that nobody knows gets a sentence, and stays in its field."""
    app = open_page("upscale.py")
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value("no-such-task").run()
    assert ["No task with this ID was found. Copy the whole ID and try again."] == errors(app)
    assert "no-such-task" == app.text_input(key="task_id").value


def test_an_address_becomes_a_finished_task(space: Workspace, open_page: OpenPage) -> None:
    """An address in the form becomes a finished entry whose picture has exactly four times the width and height."""
    with StandIn() as api:
        url = api.picture_url(40, 30)
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(url).run()
        assert any("40 × 30 px" in text.value for text in app.text)
        app.button(key="submit").click().run()
    entry = space.history.lists.latest(limit=1)[0]
    wait_for(lambda: space.history.get(entry.id).state is State.FINISHED)
    done = space.history.get(entry.id)
    assert (160, 120) == done.result_size
    with Image.open(space.files.path(done.result.key, done.result.file)) as result:
        assert (160, 120) == result.size


def test_an_answer_to_a_click_stays(space: Workspace, open_page: OpenPage) -> None:
    """What is missing is still said when the page is drawn again, until something in the form changes."""
    app = open_page("upscale.py")
    app.button(key="submit").click().run()
    assert ["Enter the address of a picture first, or pick a sample."] == errors(app)
    app.run()
    assert ["Enter the address of a picture first, or pick a sample."] == errors(app)
    app.button_group(key="way").set_value("task").run()
    assert [] == errors(app)


def test_a_picture_of_the_grid_is_picked_by_looking(space: Workspace, open_page: OpenPage) -> None:
    """The sample grid shows its four pictures, and the picked one is submitted."""
    wait_for(lambda: space.sample_sources() is not None and space.clients[THIS_MACHINE].fetch_many(["sample-grid"]))
    app = open_page("upscale.py")
    app.button(key="sample_grid").click().run()
    app.button(key="submit").click().run()
    assert ["Pick one picture of the grid first."] == errors(app)
    app.button(key="pick_3").click().run()
    app.button_group(key="scale").set_value(2).run()
    app.button(key="submit").click().run()
    entry = space.history.lists.latest(limit=1)[0]
    assert ("sample-grid", "3", "2x") == (entry.parent_task_id, entry.index, entry.type)
    space.stop_entry(entry)


def test_a_double_click_is_one_entry(space: Workspace, open_page: OpenPage) -> None:
    """Two clicks on Upscale for the same picture are one entry."""
    with StandIn() as api:
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(api.picture_url(44, 30)).run()
        before = space.history.lists.count()
        app.button(key="submit").click().run()
        app.button(key="submit").click().run()
    assert before + 1 == space.history.lists.count()


def test_one_click_queues_both_ways(space: Workspace, open_page: OpenPage) -> None:
    """A/B queues the picture for fast and detail as one pair; a second click adds nothing, and a card links to both."""
    with StandIn() as api:
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(api.picture_url(24, 20)).run()
        before = space.history.lists.count()
        assert "A/B · free" == app.button(key="submit_pair").label
        assert any("fast and detail, to compare them: fast about" in each.value for each in app.caption)
        app.button(key="submit_pair").click().run()
        app.button(key="submit_pair").click().run()
    assert [] == errors(app)
    second, first = space.history.lists.latest(limit=2)
    assert before + 2 == space.history.lists.count()
    assert ("fast", "detail", "4x", "4x") == (first.network, second.network, first.type, second.type)
    assert first.batch == second.batch
    assert {first.id, second.id} <= app.session_state.awaited
    wait_for(lambda: all(space.history.get(each.id).state is State.FINISHED for each in (first, second)), seconds=90)
    app = open_page("history.py", task=second.id)
    assert [f"left={first.id}&right={second.id}"] == [
        link.proto.query_string for link in app.get("page_link") if link.proto.label == "Compare A/B"
    ]


def test_a_half_that_is_under_way_already_is_not_queued_twice(space: Workspace, open_page: OpenPage) -> None:
    """Upscale and then A/B of the same picture make two entries, not three, and both belong to the pair."""
    with StandIn() as api:
        app = open_page("upscale.py")
        app.text_input(key="image_url").set_value(api.picture_url(26, 20)).run()
        before = space.history.lists.count()
        app.button(key="submit").click().run()
        app.button(key="submit_pair").click().run()
    assert before + 2 == space.history.lists.count()
    pair = space.history.lists.latest(limit=2)
    assert 1 == len({entry.batch for entry in pair})
    for entry in pair:
        space.stop_entry(entry)


@pytest.mark.parametrize("way", ["address", "card"])
def test_a_task_is_used_again(space: Workspace, open_page: OpenPage, way: str) -> None:
    """`?again=` and the card's "Reuse settings" fill the form with our copy of the picture and the settings, once."""
    entry = kept(space, "again.png", network="detail", type="2x", webhook_url="https://example.com/hook")
    before = space.history.lists.count()
    if way == "address":
        app = open_page("upscale.py", again=entry.id)
    else:
        app = open_page("upscale.py")
        app.button(key=f"use_{entry.id}").click().run()
    assert [] == errors(app)
    assert "Upscale" == app.title[0].value
    assert any("again.png · 30 × 20 px" in text.value for text in app.text)
    assert (2, "detail") == (app.button_group(key="scale").value, app.radio(key="network").value)
    assert "https://example.com/hook" == app.text_input(key="webhook_url").value
    app.button_group(key="scale").set_value(4).run()
    assert 4 == app.button_group(key="scale").value
    assert before == space.history.lists.count()
    app.text_input(key="webhook_url").set_value("").run()
    app.button(key="submit").click().run()
    again = space.history.lists.latest(limit=1)[0]
    assert (entry.source, "detail", "4x") == (again.source, again.network, again.type)
    space.stop_entry(again)


def test_what_cannot_be_used_again_is_said(space: Workspace, open_page: OpenPage) -> None:
    """An unknown task, or one whose picture is gone, gets a clear sentence; known settings are still filled in."""
    assert ["There is no task with this address, so there is nothing to reuse."] == errors(
        open_page("upscale.py", again="nowhere")
    )
    entry = kept(space, "gone.png", type="2x")
    space.files.delete(entry.source.key)
    app = open_page("upscale.py", again=entry.id)
    assert 1 == len(errors(app))
    assert "no longer stored here" in errors(app)[0]
    assert 2 == app.button_group(key="scale").value
    app.button(key="submit").click().run()
    assert entry.id == space.history.lists.latest(limit=1)[0].id


def test_an_address_can_name_the_parent(space: Workspace, open_page: OpenPage) -> None:
    """`?task_id=` fills the field and looks up the task; what is found is named, and so is the picked one's lineage."""
    wait_for(lambda: space.sample_sources() is not None and space.clients[THIS_MACHINE].fetch_many(["sample-grid"]))
    app = open_page("upscale.py", task_id="sample-grid")
    assert "sample-grid" == app.text_input(key="task_id").value
    assert any("a grid of 4 pictures, 1024 × 1024 px each · This machine" in each.value for each in app.caption)
    app.button(key="pick_2").click().run()
    assert "From task sample-grid, picture 2" in [text.value for text in app.text]


def test_a_card_leads_to_the_task_that_its_picture_came_from(space: Workspace, open_page: OpenPage) -> None:
    """The card shows the lineage, with a link when the parent is ours and as plain text when it is not."""
    parent = kept(space, "parent *x*.png")
    space.history.move(parent.id, State.SUBMITTING)
    space.history.move(parent.id, State.OPEN, task_id="parent-task")
    child = kept(space, "child.png", came_from="parent-task")
    stranger = kept(space, "stranger.png", came_from="[x](https://evil.example)", came_from_index="4")
    app = open_page("history.py", task=child.id)
    assert "From task parent-task" in [text.value for text in app.text]
    assert [f"task={parent.id}"] == [
        link.proto.query_string for link in app.get("page_link") if link.proto.label.startswith("Open parent")
    ]
    app = open_page("history.py", task=stranger.id)
    assert "From task [x](https://evil.example), picture 4" in [text.value for text in app.text]
    space.history.move(parent.id, State.ABANDONED)


def test_the_dpi_of_a_print_are_typed(space: Workspace, open_page: OpenPage) -> None:
    """The verdict uses the DPI in the field; nonsense gets a sentence in place and stays to be corrected."""
    wait_for(lambda: space.sample_sources() is not None)
    app = open_page("upscale.py")
    app.button(key=f"sample_{space.sample_sources()['koi'].stored.key}").click().run()
    app.selectbox(key="for_paper").set_value("A3").run()
    assert "300" == app.text_input(key="for_dpi").value
    app.text_input(key="for_dpi").set_value("150").run()
    assert any("at 150 DPI" in caption.value for caption in app.caption)
    for nonsense in ("many", "0", "-3", "1e9", "nan"):
        app.text_input(key="for_dpi").set_value(nonsense).run()
        assert 1 == len(errors(app))
        assert "DPI must be a number" in errors(app)[0]
        assert nonsense == app.text_input(key="for_dpi").value


def test_what_breaks_in_a_fragment_is_a_sentence() -> None:
    """A database that is away, a full disk and a fault of ours are sentences without a trace; the rest stays."""

    def page() -> None:
        import errno

        import streamlit as st

        from journey.errors import DatabaseAway
        from pages.frame.protection import protected

        def broken(error: Exception) -> None:
            @st.fragment
            @protected()
            def part() -> None:
                raise error

            part()

        broken(DatabaseAway("gone"))
        broken(OSError(errno.ENOSPC, "No space left on device"))
        broken(RuntimeError("a secret"))
        st.text("the rest")

    app = AppTest.from_function(page).run()
    away, full, fault = errors(app)
    assert away.startswith("The database does not answer. Your tasks are safe")
    assert full.startswith("The disk is full, so nothing can be stored. Your tasks are safe")
    assert re.fullmatch(r"Something went wrong here\. Reload .* report the number [0-9a-f]{8}\.", fault)
    assert ["the rest"] == [text.value for text in app.text]
    assert [] == list(app.exception)


def test_a_click_of_somebody_who_has_signed_out_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback acts for somebody who is still let in; once they have signed out, it does and says nothing."""

    def page() -> None:
        import streamlit as st

        from pages.frame.protection import acting

        def act() -> None:
            st.session_state.acted = st.session_state.get("acted", 0) + 1

        st.session_state.is_let_in = True
        st.button("Act", on_click=acting(act))

    people = {"ada"}
    monkeypatch.setattr("pages.frame.sign_in._is_signed_in", lambda: bool(people))
    monkeypatch.setattr("pages.frame.sign_in._refusal", lambda: None)
    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert 1 == app.session_state.acted
    people.clear()
    app.button[0].click().run()
    assert 1 == app.session_state.acted
    assert [] == [*app.exception, *app.warning]


def test_stop_means_the_task_as_it_is_now(space: Workspace) -> None:
    """A page that was drawn before the task was sent stops the task itself, not just the watching."""
    drawn = kept(space, "moving.png")
    with StandIn() as api:
        task_id = space.clients[THIS_MACHINE].upscale(image_url=api.picture_url(400, 300), type="4x")
        space.history.move(drawn.id, State.SUBMITTING)
        space.history.move(drawn.id, State.OPEN, task_id=task_id)
        space.stop_entry(drawn)
        assert "Cancelled" == space.clients[THIS_MACHINE].fetch(task_id).error
    assert State.STOPPED is space.history.get(drawn.id).state


def test_text_from_outside_is_shown_literally(space: Workspace, open_page: OpenPage) -> None:
    """A name with Markdown, HTML and a picture in it is shown as the characters it is made of."""
    hostile = "[click](https://evil.example) ![x](https://evil.example/t.png) <script>alert(1)</script> :red[x]"
    entry = space.history.add(
        NewEntry(provider=THIS_MACHINE, type="2x", name=hostile, image_url="http://10.0.0.1/x.png")
    )
    wait_for(lambda: space.history.get(entry.id).state is State.FAILED)
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
    """`/history?task=…` opens that task; an unknown one gets a sentence."""
    entry = ambiguous(space)
    assert "ambiguous.png" in [text.value for text in open_page("history.py", task=entry).text]
    assert "There is no task" in errors(open_page("history.py", task="nowhere"))[0]
    space.history.move(entry, State.ABANDONED)


def kept(space: Workspace, name: str, **fields: object) -> Entry:
    """An entry that nothing works on, for a stored picture of 30 × 20 px."""
    with space.files.folder() as folder:
        Image.effect_noise((30, 20), 50).convert("RGB").save(folder / "kept.png")  # never the same one twice
        source = StoredPicture(space.files.keep(folder), "kept.png", 30, 20)
    wish = {"provider": THIS_MACHINE, "type": "4x", "name": name, "source": source}
    # Held back, so that the tracker does not take it.
    entry = space.history.add(NewEntry(**wish | fields))  # type: ignore[arg-type]
    space.history.postpone(entry.id, time.time() + 3_600)
    return entry


def ambiguous(space: Workspace) -> str:
    """An entry whose call broke off before its answer was complete."""
    new = NewEntry(provider=JOURNEYAPI, type="4x", name="ambiguous.png", image_url="https://example.com/a.png")
    entry = space.history.add(new)
    space.history.move(entry.id, State.SUBMITTING)
    space.history.lose(entry.id, "The connection broke before its answer was complete.")
    return entry.id


def errors(app: AppTest) -> list[str]:
    """The error boxes on the page, as a person reads them."""
    return [error.value.replace("\\", "") for error in app.error]


def test_an_upload_on_its_way_is_reckoned_with(open_page: OpenPage) -> None:
    """A click on Upscale before a file has arrived says that it may still be on its way, and queues nothing."""
    app = open_page("upscale.py")
    app.button_group(key="way").set_value("upload").run()
    app.button(key="submit").click().run()
    (sentence,) = errors(app)
    assert "If one is still on its way, wait until it is shown" in sentence
