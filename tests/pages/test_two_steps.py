"""Ways beyond 4x as a person takes them: from a paper and from the form, gone on with, and repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from journey.history import Entry, NewEntry, State
from journey.provider import HERE, JOURNEYAPI
from journey.settings import Settings
from journey.storage.stored import StoredPicture
from journey.testing import GRID_ID, StandIn
from journey.testing import picture as drawn
from journey.views import comparison
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.conftest import running
from tests.pages.test_batch import batch_of, enter, shown
from tests.pages.test_pages import errors
from tests.pages.test_print_size import said

OpenPage = Callable[..., AppTest]
PAPER = {"paper": "A6", "dpi": "100"}
"""413 × 583 pixels, of which a picture of 64 × 96 fills 6.46 times fewer."""


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
        max_input_pixels=1_000_000,
        max_output_pixels=1_000_000,
        monthly_credits=100,
    )
    with running(settings) as workspace:
        yield workspace


def address(space: Workspace, width: int = 64, height: int = 96) -> str:
    """Where a picture of this size lies, stored here."""
    stored = space.intake.from_upload("fjord.png", drawn(width, height)).stored
    return stored.url(str(space.origins.for_provider(HERE)))


def order_of(space: Workspace) -> tuple[Entry, Entry | None]:
    """The first and the second step of the latest order."""
    latest = space.history.lists.latest(limit=1)[0]
    first = space.history.beginning(latest)
    return first, latest if latest.step == 2 else None


def finished(space: Workspace) -> tuple[Entry, Entry]:
    """Both steps of the latest order, once they are finished."""
    second = ended(space, State.FINISHED)
    return order_of(space)[0], second


def ended(space: Workspace, state: State) -> Entry:
    """The second step of the latest order, once it has ended in this state."""

    def has_ended() -> bool:
        _, second = order_of(space)
        return second is not None and second.state is state

    wait_for(has_ended, seconds=120)
    return space.history.lists.latest(limit=1)[0]


def test_one_click_on_print_size_orders_the_way(space: Workspace, open_page: OpenPage) -> None:
    """A paper that needs 6.46x gets a button for both steps here; the finished result takes the picture's place, and
    the file of the exact size is one more click."""
    app = open_page("print_size.py", url=address(space), **PAPER)
    assert said(app).startswith("8x is enough, in two steps: 124 DPI")
    told = " ".join(each.value for each in app.caption)
    assert "63 of 64 pixels are made up" in told
    assert "4x at JourneyAPI (2 credits), then 2x here (free)" == app.button(key="order_journeyapi").label
    assert app.button(key="order_journeyapi").disabled
    assert "JourneyAPI cannot reach a picture that is only on this machine" in told
    assert "4x, then 2x, both here (free)" == app.button(key="order_embedded").label
    app.button(key="order_embedded").click().run()
    first, second = finished(space)
    assert ("4x", "2x", HERE, HERE) == (first.type, second.type, first.provider, second.provider)
    assert ((256, 384), (512, 768)) == (first.result_size, second.result_size)
    app.run()
    assert [] == list(app.exception) + errors(app)
    assert second.id == app.selectbox(key="print_task").value
    assert said(app).startswith("No upscale needed: 124 DPI")
    app.selectbox(key="print_format").set_value("TIFF").run()
    app.button(key="make").click().run()
    started = app.session_state.print_runs[0]
    started.run.wait(60)
    made = started.run.made.stored
    with Image.open(space.files.path(made.key, made.file)) as sheet:
        assert ((413, 583), 100) == (sheet.size, round(sheet.info["dpi"][0]))


def test_the_first_step_may_be_paid_for_and_the_second_is_not(
    space: Workspace, api: StandIn, open_page: OpenPage
) -> None:
    """8x of a picture of JourneyAPI is one order of 2 credits: the card goes over both steps, and Spend counts once."""
    before, credits_before = api.charges, space.spending.budget(100).spent
    app = open_page("upscale.py")
    app.button_group(key="way").set_value("task").run()
    app.text_input(key="task_id").set_value(GRID_ID).run()
    app.button(key="pick_2").click().run()
    app.button_group(key="scale").set_value(8).run()
    assert [] == [each for each in app.button if each.key == "submit_pair"]
    assert "Upscale · 2 credits" == app.button(key="submit").label
    assert any("4x at JourneyAPI" in each.value.replace("\\", "") for each in app.caption)
    app.button(key="submit").click().run()
    first, second = order_of(space)
    assert (JOURNEYAPI, "4x", "2x", 8, None) == (
        first.provider, first.type, first.then_type, first.order_scale, second
    )  # fmt: skip
    wait_for(lambda: space.history.get(first.id).task_id)
    app.run()
    assert any("Step 1 of 2" in each.value for each in app.text)
    api.finish(str(space.history.get(first.id).task_id))
    first, second = finished(space)
    assert (1, 2) == (api.charges - before, space.spending.budget(100).spent - credits_before)
    assert (2, 0, first.task_id) == (first.credits, second.credits, second.came_from)
    assert "type" in api.calls_to("upscale-2x-4x")[-1].body
    assert not {"then_type", "then_network"} & api.calls_to("upscale-2x-4x")[-1].body.keys()
    app.run()
    cards = [each.value for each in app.text]
    assert any("Step 2 of 2" in each for each in cards)
    assert not any("Step 1 of 2" in each for each in cards)


def test_reuse_settings_repeats_the_order(space: Workspace, open_page: OpenPage) -> None:
    """From either step, the form gets the first picture and the whole multiplier, and Run again pays again."""
    first, second = finished(space)
    for entry in (first, second):
        app = open_page("upscale.py", again=entry.id)
        assert 8 == app.button_group(key="scale").value
        assert first.source is not None
        assert first.source.key == app.session_state["source"].stored.key
        app = open_page("history.py", task=entry.id)
        assert "Run again · 2 credits" == app.button(key="run_again").label
        assert [] == list(app.exception)


def test_a_way_beyond_the_limits_is_not_offered(space: Workspace, open_page: OpenPage) -> None:
    """A result larger than the limit is no way: the page names the limit, and the form offers what is left."""
    app = open_page("print_size.py", url=address(space, 320, 480), paper="A4", dpi="300")
    assert said(app).startswith("Out of reach: needs")
    assert any("the limit is 1" in each.value.replace("\\", "") for each in app.caption)
    assert [] == [each for each in app.button if each.key == "order_embedded"]
    app = open_page("upscale.py")
    app.text_input(key="image_url").set_value(address(space, 320, 480)).run()
    assert ["2x", "4x"] == app.button_group(key="scale").options
    app.text_input(key="image_url").set_value(address(space)).run()
    assert "8x" in app.button_group(key="scale").options


def test_a_second_step_that_failed_is_tried_again_alone(space: Workspace, api: StandIn, open_page: OpenPage) -> None:
    """The card offers to go on, for free: only the second step is queued again, and the first stays as it is."""
    charges = api.charges
    first = half_done(space)
    failed = ended(space, State.FAILED)
    for entry in (first, failed):
        app = open_page("history.py", task=entry.id)
        assert "Go on with step 2 · free" == app.button(key=f"go_on_{entry.id}").label
    app.button(key=f"go_on_{failed.id}").click().run()
    assert [] == list(app.exception) + errors(app)
    _, again = order_of(space)
    assert again is not None
    assert (first.id, True, 0) == (again.follows, again.id != failed.id, again.credits)
    assert charges == api.charges


def half_done(space: Workspace) -> Entry:
    """An order of two steps whose first is finished, and whose second cannot work: the picture is missing."""
    space.history.pauses.begin(JOURNEYAPI, "The test takes the steps by hand.")
    entry = space.history.add(NewEntry(provider=JOURNEYAPI, type="4x", then_type="2x", name="koi.png"))
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
        space.history.move(entry.id, state, task_id="t-1")
    result = StoredPicture("0" * 32, "gone.png", 256, 384)
    first = space.history.move(entry.id, State.FINISHED, result=result, result_key=result.key)
    space.history.pauses.end(JOURNEYAPI)
    assert first is not None
    return first


def test_a_batch_takes_two_steps_where_a_paper_needs_them(space: Workspace, api: StandIn, open_page: OpenPage) -> None:
    """A picture of which a paper needs 8x is suggested with it, and is one item that its second step finishes."""
    charges = api.charges
    app = open_page("batch.py")
    app = enter(app, address(space, 60, 90))
    app.selectbox(key="batch_paper").set_value("A6").run()
    app.text_input(key="batch_dpi").set_value("100").run()
    app.button_group(key="batch_provider").set_value(HERE.name).run()
    assert "about" in shown(app)
    app.button(key="batch_submit").click().run()
    (entry_id,) = [item.entry.id for item in space.batches.items(batch_of(app))]
    wait_for(lambda: [State.FINISHED] == [item.entry.state for item in space.batches.items(batch_of(app))], seconds=120)
    (item,) = space.batches.items(batch_of(app))
    assert (2, entry_id, (480, 720), 1) == (item.entry.step, item.entry.follows, item.entry.result_size, item.tries)
    assert charges == api.charges


def test_the_result_is_compared_with_the_first_picture(space: Workspace, open_page: OpenPage) -> None:
    """The card of the second step leads to Compare: the picture that was ordered, beside the result of both steps."""
    first, second = finished(space)
    app = open_page("compare.py", **comparison.address(comparison.pair_of(second, first), comparison.USUAL))
    assert [] == list(app.exception) + errors(app)
    captions = " ".join(each.value for each in [*app.caption, *app.markdown, *app.text])
    assert all(f"{width} × {height} px" in captions for width, height in (first.source_size, second.result_size))
