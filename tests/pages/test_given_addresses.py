"""What a person gives as an address on Upscale: understood as it was meant, kept as it was typed, and never cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from journey.testing import Reply, StandIn, web_page
from journey.workspace import Workspace
from tests.pages.test_pages import errors

OpenPage = Callable[..., AppTest]


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        yield fake


def given(app: AppTest, address: str) -> AppTest:
    return app.text_input(key="image_url").set_value(address).run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_what_was_pasted_is_understood_and_kept_as_it_was(open_page: OpenPage, api: StandIn) -> None:
    """A link with quotes and brackets gives its picture, and stays in the field as it was pasted."""
    pasted = f"“[koi]({api.picture_url(64, 48)})”,\u200b"
    app = given(open_page("upscale.py"), pasted)
    assert [] == errors(app)
    assert (64, 48) == app.session_state.source.size
    assert pasted == app.text_input(key="image_url").value


@pytest.mark.parametrize("length", [8_300, 100_000])
def test_an_address_that_is_too_long_leaves_nothing_to_order(
    space: Workspace, open_page: OpenPage, api: StandIn, length: int
) -> None:
    """A sentence says so, nothing is fetched, and the former picture is not ordered in its place."""
    before = space.history.lists.count()
    app = given(open_page("upscale.py"), api.picture_url(64, 48))
    assert 0 == app.text_input(key="image_url").proto.max_chars  # browsers drop what is longer, without a word
    assert app.session_state.source is not None
    asked = len(api.calls_to("cdn"))
    address = f"{api.picture_url(64, 48)}?{'a' * length}"
    given(app, address)
    assert ["This address is longer than 8,192 characters. Use a shorter one."] == errors(app)
    assert app.session_state.source is None
    app.button(key="submit").click().run()
    assert 1 == len(errors(app))
    assert address == app.text_input(key="image_url").value
    assert (before, asked) == (space.history.lists.count(), len(api.calls_to("cdn")))


def test_a_long_address_is_fetched_whole(open_page: OpenPage, api: StandIn) -> None:
    """A signed address of 3,000 characters is asked for as it is, and kept as it is."""
    address = f"{api.picture_url(64, 48)}?sig={'a' * 3_000}=="
    app = given(open_page("upscale.py"), address)
    assert address == app.session_state.source.image_url


def test_several_addresses_are_not_one(open_page: OpenPage, api: StandIn) -> None:
    """Two addresses in one field are told, and nothing is fetched."""
    app = given(open_page("upscale.py"), f"{api.picture_url(64, 48)} {api.picture_url(48, 64)}")
    assert ["This is more than one address. Give one of them here, or all of them on Batch."] == errors(app)
    assert [] == api.calls_to("cdn")


def test_the_full_picture_is_one_click_away(open_page: OpenPage, api: StandIn) -> None:
    """A reduced copy is taken and said to be one; a click, and no less, uses the full picture."""
    full = api.picture_url(64, 48)
    app = given(open_page("upscale.py"), f"{full}?width=48")
    assert f"{full}?width=48" == app.session_state.source.image_url
    assert any("may be a reduced copy of 64 × 48 px" in caption.value for caption in app.caption)
    assert full in [text.value for text in app.text]
    app.button(key="take_offer").click().run()
    assert (full, full) == (app.text_input(key="image_url").value, app.session_state.source.image_url)
    assert not {"Use the full picture", "Back to the address before"} & set(labels(app))


def test_a_full_picture_that_is_not_there_leads_back(open_page: OpenPage, api: StandIn) -> None:
    """When the offered address gives nothing, one click brings back what was typed."""
    reduced = f"{api.picture_url(64, 48)}?width=48"
    app = given(open_page("upscale.py"), reduced)
    api.script("cdn", Reply(404, b""))
    app.button(key="take_offer").click().run()
    assert "no file at this address" in errors(app)[0]
    app.button(key="leave_offer").click().run()
    assert [] == errors(app)
    assert (reduced, reduced) == (app.text_input(key="image_url").value, app.session_state.source.image_url)


def test_a_busy_server_can_be_asked_again(open_page: OpenPage, api: StandIn) -> None:
    """The wait that the server asks for is said, and a click asks again without typing."""
    api.script("cdn", Reply(503, b"", headers={"Retry-After": "120"}))
    app = given(open_page("upscale.py"), api.picture_url(64, 48))
    assert ["The server at this address is busy (503). Try again in 2 minutes."] == errors(app)
    app.button(key="look_again").click().run()
    assert [] == errors(app)
    assert app.session_state.source is not None


def test_a_page_that_shares_a_picture_offers_the_picture(open_page: OpenPage, api: StandIn) -> None:
    """A refused address of a page that is no known service offers nothing but another try."""
    api.script("cdn", web_page())
    app = given(open_page("upscale.py"), api.picture_url(64, 48))
    assert "Use this address" not in labels(app)
    given(app, "https://imgur.com:22/AbCdEf1")
    assert "https://i.imgur.com/AbCdEf1.png" in [text.value for text in app.text]
    assert "Use this address" in labels(app)


def test_a_linked_id_that_is_too_long_is_told(open_page: OpenPage) -> None:
    """A link's task_id= of which only the beginning could be an ID is refused, and no beginning of it is looked up."""
    app = open_page("upscale.py", task_id="a" * 300)
    assert ["This cannot be a task ID. Copy the whole ID and try again."] == errors(app)


def test_a_link_that_is_too_long_is_told(open_page: OpenPage) -> None:
    """A link's url= that nobody can fetch is named, and no part of it is fetched."""
    app = open_page("print_size.py", url=f"https://pictures.example/{'a' * 9_000}")
    warnings = " ".join(warning.value.replace("\\", "") for warning in app.warning)
    assert "The link's url= has more than 8,192 characters, so nothing was fetched." in warnings
    assert "" == app.text_input(key="print_url").value
