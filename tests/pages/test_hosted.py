"""The form with a JourneyAPI key: both providers, and what the hosted one cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from journey.history import Entry, NewEntry, State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.settings import Settings
from journey.testing import GRID_ID, Reply, StandIn, picture
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.conftest import ROOT, running
from tests.pages.test_pages import errors


@pytest.fixture(scope="module")
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        yield fake


@pytest.fixture(scope="module")
def space(api: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        api_key=api.key,
        api_url=api.url,
        engine_workers=1,
        fetch_allow=("127.0.0.0/8",),
        max_bytes=100_000,
        max_input_pixels=1_000_000,
        max_output_pixels=4_000_000,
    )
    with running(settings) as workspace:
        yield workspace


@pytest.fixture
def form(space: Workspace) -> Callable[[], AppTest]:
    return lambda: AppTest.from_file(str(ROOT / "pages" / "_app.py"), default_timeout=20).run()


def test_an_address_that_only_works_here_is_explained(
    space: Workspace, api: StandIn, form: Callable[[], AppTest]
) -> None:
    """JourneyAPI cannot reach an address on this network: the form says so and keeps it, and nothing is charged."""
    url = api.picture_url(50, 40)
    app = form()
    app.text_input(key="image_url").set_value(url).run()
    assert [] == errors(app)
    assert 1 == len(warnings(app))
    assert "JourneyAPI cannot use this address" in warnings(app)[0]
    app.button(key="submit").click().run()
    assert 1 == len(errors(app))
    assert [] == warnings(app)
    assert "JourneyAPI cannot use this address" in errors(app)[0]
    assert url == app.text_input(key="image_url").value
    assert (0, 0, 0) == (space.history.lists.count(), api.charges, len(api.calls_to("upscale-2x-4x")))


def test_a_task_of_journeyapi_is_sent_as_a_parent(space: Workspace, api: StandIn, form: Callable[[], AppTest]) -> None:
    """A grid of the hosted service is looked up, one picture is picked, and its index is sent, for 2 credits."""
    app = form()
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value(GRID_ID).run()
    app.button(key="pick_2").click().run()
    app.button_group(key="scale").set_value(2).run()
    assert "Upscale · 2 credits" == app.button(key="submit").label
    app.button(key="submit").click().run()
    entry = space.history.lists.latest(limit=1)[0]
    wait_for(lambda: space.history.get(entry.id).task_id)
    api.finish(space.history.get(entry.id).task_id)
    wait_for(lambda: space.history.get(entry.id).state is State.FINISHED, seconds=60)
    assert (GRID_ID, "2", 2) == (entry.parent_task_id, entry.index, space.history.get(entry.id).credits)
    assert 1 == api.charges


def test_a_picture_that_is_missing_in_a_grid_is_shown_as_missing(api: StandIn, form: Callable[[], AppTest]) -> None:
    """A hole keeps its place in the picker, with words and without a button; the others keep theirs."""
    api.leave_out(GRID_ID, _2=None)
    app = form()
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value(GRID_ID).run()
    api.leave_out(GRID_ID)
    assert "Picture 2 is missing: JourneyAPI named none there." in [text.value for text in app.text]
    assert ["pick_1", "pick_3", "pick_4"] == [str(each.key) for each in app.button if str(each.key).startswith("pick_")]
    assert any("without number 2" in caption.value for caption in app.caption)


def test_an_upload_that_only_lies_here_is_explained(space: Workspace, form: Callable[[], AppTest]) -> None:
    """Without a public address JourneyAPI cannot get files, and the form says so before one is chosen."""
    app = form()
    app.button_group(key="way").set_value("upload").run()
    assert 1 == len(warnings(app))
    assert warnings(app)[0].startswith("JourneyAPI cannot reach a picture that is only on this machine")
    assert "JOURNEY_PUBLIC_URL" in warnings(app)[0]
    app.button_group(key="provider").set_value("embedded").run()
    assert [] == warnings(app)


def test_an_account_that_cannot_pay_is_told_before_the_click(
    space: Workspace, api: StandIn, form: Callable[[], AppTest]
) -> None:
    """A balance below the price is told beside the button; for the free provider there is nothing to say."""
    api.credits = 1
    space._balances[JOURNEYAPI]._asked_at = None
    form()
    wait_for(lambda: (space.balance(JOURNEYAPI) or api).credits == 1)
    app = form()
    assert ["This costs 2 credits, but your JourneyAPI account has only 1."] == [
        words[: words.index(".") + 1] for words in warnings(app)
    ]
    app.button_group(key="provider").set_value("embedded").run()
    assert [] == warnings(app)
    api.credits = 12_000
    space._balances[JOURNEYAPI]._asked_at = None


def test_the_pair_to_compare_is_chosen(space: Workspace, form: Callable[[], AppTest]) -> None:
    """With a key the small menu offers JourneyAPI against this machine as well, and the button names the cost."""
    app = form()
    offered = app.selectbox(key="pair").options
    assert {"JourneyAPI and fast here", "JourneyAPI and faithful here", "Fast and detail", "Detail and faithful"} <= {
        *offered
    }
    assert ("JourneyAPI and fast here", 6) == (offered[0], len(offered))
    assert "A/B · 2 credits" == app.button(key="submit_pair").label
    app.selectbox(key="pair").set_value("fast and detail").run()
    assert "A/B · free" == app.button(key="submit_pair").label


def test_a_parent_that_fails_there_is_run_here(space: Workspace, api: StandIn, form: Callable[[], AppTest]) -> None:
    """The card of a task that failed at JourneyAPI offers this machine for free: a new entry, with its lineage kept."""
    failed = fail_at_journeyapi(space, api, form(), picked="pick_4")
    charges, before = api.charges, space.history.lists.count()
    app = form()
    # The picture's address is on this network, and no public address is set.
    assert not [button for button in app.button if button.key == f"rescue_journeyapi_{failed.id}"]
    assert any("cannot be sent to JourneyAPI by URL" in caption.value for caption in app.caption)
    assert "Run it here · free" == app.button(key=f"rescue_embedded_{failed.id}").label
    app.button(key=f"rescue_embedded_{failed.id}").click().run()
    new = space.history.lists.latest(limit=1)[0]
    assert (before + 1, charges) == (space.history.lists.count(), api.charges)
    assert (THIS_MACHINE, failed.type, failed.source, None) == (
        new.provider,
        new.type,
        new.source,
        new.parent_task_id,
    )
    assert (GRID_ID, "4") == (new.came_from, new.came_from_index)
    wait_for(lambda: space.history.get(new.id).state is State.FINISHED, seconds=60)


def test_a_result_that_cannot_be_fetched_is_handed_in(
    space: Workspace, api: StandIn, form: Callable[[], AppTest]
) -> None:
    """The card of a paid task whose result is refused to programs links to it, and takes the file that was saved."""
    app = form()
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value(GRID_ID).run()
    app.button(key="pick_1").click().run()
    app.button_group(key="scale").set_value(2).run()
    app.button(key="submit").click().run()
    entry = space.history.lists.latest(limit=1)[0]
    wait_for(lambda: space.history.get(entry.id).task_id)
    api.always("cdn", Reply(403, b""))
    api.finish(space.history.get(entry.id).task_id)
    wait_for(lambda: space.history.get(entry.id).lacks_result, seconds=60)
    app = form()
    assert space.history.get(entry.id).result_url in [link.url for link in app.get("link_button")]
    width, height = entry.source_size
    app.file_uploader(key=f"by_hand_{entry.id}").upload("saved.png", picture(width, height), "image/png").run()
    assert any("as large as the original" in said for said in errors(app))
    app.file_uploader(key=f"by_hand_{entry.id}").upload("it.png", picture(2 * width, 2 * height), "image/png").run()
    done = space.history.get(entry.id)
    assert (State.FINISHED, (2 * width, 2 * height), 2) == (done.state, done.result_size, done.credits)
    api.always("cdn", None)


def test_an_expired_link_is_asked_about_before_it_costs_anything(
    space: Workspace, api: StandIn, form: Callable[[], AppTest]
) -> None:
    """The card says when the link expired, and offers this machine for free or the call all the same."""
    source = space.intake.from_upload("expired.png", picture(30, 20))
    link = "https://cdn.discordapp.com/attachments/1/2/a.png?ex=650037d1&is=1&hm=2"
    new = NewEntry(provider=JOURNEYAPI, type="2x", name="expired.png", image_url=link, source=source.stored)
    charges, entry = api.charges, space.history.add(new)
    space.wake()
    wait_for(lambda: space.history.get(entry.id).state is State.ASKING)
    app = form()
    assert any("expired on 12 September 2023" in text.value for text in app.text)
    assert "Send it all the same · 2 credits" == app.button(key=f"send_{entry.id}").label
    app.button(key=f"here_{entry.id}").click().run()
    assert not app.exception
    here = space.history.lists.latest(limit=1)[0]
    assert (THIS_MACHINE, source.stored.key) == (here.provider, here.source and here.source.key)
    assert (State.CANCELLED, charges) == (space.history.get(entry.id).state, api.charges)


def fail_at_journeyapi(space: Workspace, api: StandIn, app: AppTest, *, picked: str) -> Entry:
    """Send a picture of the stand-in's grid as a parent, and let the task fail there."""
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value(GRID_ID).run()
    app.button(key=picked).click().run()
    app.button(key="submit").click().run()
    entry = space.history.lists.latest(limit=1)[0]
    assert (GRID_ID, picked[-1]) == (entry.parent_task_id, entry.index)
    wait_for(lambda: space.history.get(entry.id).task_id)
    api.fail(space.history.get(entry.id).task_id, "The parent task has expired")
    wait_for(lambda: space.history.get(entry.id).state is State.FAILED)
    return space.history.get(entry.id)


def warnings(app: AppTest) -> list[str]:
    """What the form says beside its button, as a person reads it."""
    return [warning.value.replace("\\", "") for warning in app.warning]


@pytest.mark.parametrize(
    ("width", "height", "scale", "said"),
    [(1500, 900, 2, "1.4 megapixels; the limit is 1"), (900, 700, 4, "10 megapixels; the limit is 4")],
    ids=["picture", "result"],
)
def test_too_large_is_said_before_anything_is_sent(
    space: Workspace, api: StandIn, form: Callable[[], AppTest], width: int, height: int, scale: int, said: str
) -> None:
    """A picture or a result over the limits is refused in place, with the numbers, before it is queued."""
    before = space.history.lists.count()
    app = form()
    app.button_group(key="provider").set_value("embedded")
    app.button_group(key="scale").set_value(scale)
    app.text_input(key="image_url").set_value(api.picture_url(width, height)).run()
    app.button(key="submit").click().run()
    assert said in " ".join(errors(app)), errors(app)
    assert before == space.history.lists.count()


def test_a_wrong_key_pauses_the_queue_with_a_banner(
    space: Workspace, api: StandIn, form: Callable[[], AppTest]
) -> None:
    """When the key is refused, one banner says so on each page, with a way to go on."""
    space.history.pauses.begin(JOURNEYAPI, "JourneyAPI does not accept this key.")
    app = form()
    assert any("JourneyAPI is paused" in warning.value for warning in app.warning)
    app.button(key="resume_journeyapi").click().run()
    assert {} == space.history.pauses.reasons()


def test_the_key_is_nowhere_on_the_page(space: Workspace, api: StandIn, form: Callable[[], AppTest]) -> None:
    """The API key is neither drawn nor kept in the session."""
    app = form()
    drawn = repr(app.main) + repr(app.session_state)
    assert api.key not in drawn
