"""The result on a card: under the slider where that can be, and what is left of it where it cannot."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from journey.views.pictures import PREVIEW
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.test_compare import add, captions, keep
from tests.pages.test_pages import errors

OpenPage = Callable[..., AppTest]
GONE = "This picture is no longer stored."
AWAY = "This picture cannot be read at the moment. Reload the page in a while."


def has_slider(app: AppTest) -> bool:
    return bool(app.get("bidi_component"))


def compare_link(app: AppTest) -> dict[str, str]:
    return dict(
        parse_qsl(next(link.proto.query_string for link in app.get("page_link") if link.proto.label == "Compare"))
    )


def test_a_result_is_under_the_slider(space: Workspace, open_page: OpenPage) -> None:
    """A finished task shows the slider, and its link to Compare leads to the most detailed place at 100 %."""
    entry = add(space, result_width=4000, result_height=3000)
    preview = Image.new("RGB", (800, 600), "white")
    preview.paste(Image.effect_noise((128, 96), 90).convert("RGB"), (536, 72))
    preview.save(space.files.path(str(space.history.get(entry).result.key), PREVIEW))
    app = open_page("history.py", task=entry)
    assert [] == errors(app)
    assert has_slider(app)
    assert GONE not in captions(app)
    link = compare_link(app)
    assert (entry, "1") == (link["task"], link["zoom"])
    assert (0.75, 0.2) == pytest.approx((float(link["x"]), float(link["y"])), abs=0.01)


ORIGINAL, RESULT = "Original: hill.png", "2x result: hill.png"


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({"source_key": None, "source_file": None, "source_width": None, "source_height": None}, [RESULT]),
        ({"source_key": "0" * 32}, [RESULT]),
        ({"result_key": "0" * 32}, [ORIGINAL, ORIGINAL]),
    ],
    ids=["no original", "original gone", "result gone"],
)
def test_what_is_left_is_shown(
    space: Workspace, open_page: OpenPage, fields: dict[str, object], left: list[str]
) -> None:
    """Without one of the two pictures there is no slider: the other is shown, and a line says what is gone."""
    app = open_page("history.py", task=add(space, **fields))
    assert [] == errors(app)
    assert not has_slider(app)
    assert GONE in captions(app)
    assert left == [picture.alt for each in app.get("image") for picture in each.proto.imgs]
    assert {"Compare", "Print-ready file"} <= {link.proto.label for link in app.get("page_link")}


def test_a_picture_without_tiles_is_shown_from_its_preview(space: Workspace, open_page: OpenPage) -> None:
    """When the tiles of a picture cannot be made, its preview is under the slider, and the card says so."""
    key = keep(space.files, 80, 60)
    space.files.path(key, "hill.png").write_bytes(b"no picture")
    entry = add(space, result_key=key, finished_at=1.0)
    assert space.tiles.look(key, "hill.png") is None
    wait_for(lambda: space.tiles.problem(key) is not None)
    app = open_page("history.py", task=entry)
    assert has_slider(app)
    assert "2x result: only a preview can be shown." in captions(app)


def test_a_picture_that_is_away_leaves_the_rest_of_the_page(
    space: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While object storage does not answer, each picture is a line that says so, and the page is drawn to its end."""
    entry = add(space, result_key="0" * 32)

    def away(key: str, name: str) -> Path:
        raise OSError(errno.EIO, "Could not connect")

    monkeypatch.setattr(space.files, "path", away)
    app = open_page("history.py", task=entry)
    assert [] == errors(app)
    assert AWAY in captions(app)
