"""The form with a JourneyAPI key: both engines, and what the hosted one cannot do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from journey.history import State
from journey.settings import Settings
from journey.workspace import Workspace
from tests.fakes.hosted import GRID_ID, FakeHosted
from tests.pages.conftest import ROOT, running, until
from tests.pages.test_pages import errors


@pytest.fixture(scope="module")
def api() -> Iterator[FakeHosted]:
    with FakeHosted() as fake:
        yield fake


@pytest.fixture(scope="module")
def space(api: FakeHosted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("data"),
        api_key=api.key,
        api_url=api.url,
        engine_workers=1,
        fetch_allow=("127.0.0.0/8",),
        max_bytes=100_000,
        max_input_pixels=1_000_000,
        max_output_pixels=4_000_000,
    )
    with running(Workspace(settings)) as workspace:
        yield workspace


@pytest.fixture
def form(space: Workspace) -> Callable[[], AppTest]:
    return lambda: AppTest.from_file(str(ROOT / "pages" / "_app.py"), default_timeout=20).run()


def test_an_address_that_only_works_here_is_explained(
    space: Workspace, api: FakeHosted, form: Callable[[], AppTest]
) -> None:
    """JourneyAPI cannot reach an address of this network: the form says so, keeps it, and charges nothing."""
    url = api.picture_url(50, 40)
    app = form()
    app.text_input(key="image_url").set_value(url).run()
    assert [] == errors(app)
    app.button(key="submit").click().run()
    assert 1 == len(errors(app))
    assert "JourneyAPI cannot use this address" in errors(app)[0]
    assert url == app.text_input(key="image_url").value
    assert (0, 0, 0) == (space.history.count(), api.charges, len(api.calls_to("upscale-2x-4x")))


def test_a_task_of_journeyapi_is_sent_as_a_parent(
    space: Workspace, api: FakeHosted, form: Callable[[], AppTest]
) -> None:
    """A grid of the hosted service is looked at, one picture is picked, and its index is what is sent; 2 credits."""
    app = form()
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value(GRID_ID).run()
    app.button(key="pick_2").click().run()
    app.button_group(key="scale").set_value(2).run()
    assert "Upscale · 2 credits" == app.button(key="submit").label
    app.button(key="submit").click().run()
    entry = space.history.latest(limit=1)[0]
    until(lambda: space.history.get(entry.id).task_id)
    api.finish(space.history.get(entry.id).task_id)
    until(lambda: space.history.get(entry.id).state is State.FINISHED, seconds=60)
    assert (GRID_ID, "2", 2) == (entry.parent_task_id, entry.index, space.history.get(entry.id).credits)
    assert 1 == api.charges


@pytest.mark.parametrize(
    ("width", "height", "scale", "said"),
    [(1500, 900, 2, "1.4 megapixels; up to 1 are possible"), (900, 700, 4, "10 megapixels; up to 4 are possible")],
    ids=["picture", "result"],
)
def test_too_large_is_said_before_anything_is_sent(
    space: Workspace, api: FakeHosted, form: Callable[[], AppTest], width: int, height: int, scale: int, said: str
) -> None:
    """A picture or a result over the limits is refused in place, with the numbers, before it is queued."""
    before = space.history.count()
    app = form()
    app.button_group(key="engine").set_value("embedded")
    app.button_group(key="scale").set_value(scale)
    app.text_input(key="image_url").set_value(api.picture_url(width, height)).run()
    app.button(key="submit").click().run()
    assert said in " ".join(errors(app)), errors(app)
    assert before == space.history.count()


def test_a_wrong_key_pauses_the_queue_with_a_banner(
    space: Workspace, api: FakeHosted, form: Callable[[], AppTest]
) -> None:
    """When the key is refused, one banner says so on each page, with a way to go on."""
    space.history.pause("journeyapi", "JourneyAPI does not accept this key.")
    app = form()
    assert any("JourneyAPI is paused" in warning.value for warning in app.warning)
    app.button(key="resume_journeyapi").click().run()
    assert {} == space.history.paused()


def test_the_key_is_nowhere_on_the_page(space: Workspace, api: FakeHosted, form: Callable[[], AppTest]) -> None:
    """The API key is neither drawn nor kept in the session."""
    app = form()
    drawn = repr(app.main) + repr(app.session_state)
    assert api.key not in drawn
