"""Compare, driven by its address and its pickers, on a real workspace."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from journey.history import State
from journey.history.tables import entries
from journey.pictures.previews import write_previews
from journey.provider import JOURNEYAPI
from journey.storage.files import Files
from journey.workspace import Workspace
from tests.harness.standing import wait_for
from tests.pages.test_pages import errors

OpenPage = Callable[..., AppTest]


def keep(files: Files, width: int, height: int, name: str = "hill.png") -> str:
    with files.folder() as folder:
        picture = Image.linear_gradient("L").resize((width, height))
        picture.save(folder / name)
        write_previews(picture, folder)
        return files.keep(folder)


def add(space: Workspace, **fields: Any) -> str:
    """Add a finished 2x task of 40 × 30 px, as if it had been made earlier."""
    now = time.time()
    entry = {
        "id": secrets.token_hex(8), "state": State.FINISHED, "provider": JOURNEYAPI, "type": "2x", "name": "hill.png",
        "credits": 2, "attempts": 1, "archive_attempts": 0, "created_at": now, "changed_at": now, "finished_at": now,
        "source_key": keep(space.files, 40, 30), "source_file": "hill.png", "source_width": 40, "source_height": 30,
        "result_key": keep(space.files, 80, 60), "result_file": "hill.png", "result_width": 80, "result_height": 60,
    } | fields  # fmt: skip
    with space.database.write() as connection:
        connection.execute(entries.insert().values(**entry))
    return str(entry["id"])


def sides(app: AppTest) -> tuple[str | None, str | None]:
    return app.selectbox(key="compare_left").value, app.selectbox(key="compare_right").value


def address(app: AppTest) -> dict[str, str]:
    """The query parameters. AppTest gives those that a page has written as text, and others as lists."""
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def captions(app: AppTest) -> str:
    return " | ".join(caption.value.replace("\\", "") for caption in app.caption)


def test_an_empty_studio_says_what_to_do(open_page: OpenPage) -> None:
    """Without a finished task the page says that there is nothing to compare, and shows no empty viewer."""
    app = open_page("compare.py")
    assert any("Nothing to compare yet" in info.value for info in app.info)
    assert not app.selectbox


def test_a_task_opens_as_original_against_result(space: Workspace, open_page: OpenPage) -> None:
    """`?task=` is the original on the left and the result on the right, each with pixels, provider and print size."""
    older, newer = add(space), add(space)
    app = open_page("compare.py", task=older)
    assert [] == errors(app)
    assert (f"{older}.original", older) == sides(app)
    said = captions(app)
    for words in ("40 × 30 px", "JourneyAPI · 80 × 60 px", "0.27 × 0.2 in · 0.68 × 0.51 cm at 300 DPI"):
        assert words in said
    app.number_input(key="compare_dpi").set_value(100).run()
    assert "at 100 DPI" in captions(app)
    assert (f"{newer}.original", newer) == sides(open_page("compare.py"))


def test_any_two_pictures_can_be_chosen_and_swapped(space: Workspace, open_page: OpenPage) -> None:
    """Pickers and the swap button change the pair, and the address with it; the rest of the view stays."""
    one, two = add(space), add(space, source_key=keep(space.files, 40, 90), name="tower.png")
    app = open_page("compare.py", left=one, right=f"{two}.original", zoom="2", x="0.25", y="0.5")
    assert (one, f"{two}.original") == sides(app)
    app.selectbox(key="compare_right").set_value(two).run()
    assert (one, two) == sides(app)
    next(button for button in app.button if button.label == "Swap").click().run()
    assert (two, one) == sides(app)
    assert {"left": two, "right": one, "zoom": "2", "x": "0.25", "y": "0.5"} == address(app)


def test_different_proportions_are_said(space: Workspace, open_page: OpenPage) -> None:
    """The page says that pictures of different proportions are aligned by their centres."""
    entry = add(space, source_key=keep(space.files, 40, 90), source_width=40, source_height=90)
    assert "their centres are aligned" in captions(open_page("compare.py", task=entry))
    assert "The same picture is on both sides" in captions(open_page("compare.py", left=entry, right=entry))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"state": State.QUEUED, "result_key": None, "provider": JOURNEYAPI}, "is not finished yet"),
        ({"state": State.FAILED, "result_key": None}, "has no result"),
        ({"result_key": None}, "no longer stored"),
        ({"result_key": "0" * 32}, "no longer stored"),
    ],
    ids=["unfinished", "failed", "removed", "file gone"],
)
def test_what_cannot_be_compared_is_explained(
    space: Workspace, open_page: OpenPage, fields: dict[str, Any], said: str
) -> None:
    """A link to a task without a stored result gets a sentence; the original stays chosen, and the address stays."""
    add(space)
    entry = add(space, due_at=None, **fields)
    app = open_page("compare.py", task=entry)
    assert 1 == len(errors(app))
    assert said in errors(app)[0]
    assert entry == address(app)["task"]
    assert f"{entry}.original" == app.selectbox(key="compare_left").value


def test_an_unknown_task_is_explained(space: Workspace, open_page: OpenPage) -> None:
    """Each unknown picture in the address gets a sentence, and choosing others leads on."""
    entry = add(space)
    app = open_page("compare.py", left="nowhere", right="[x](https://evil.example)")
    assert 2 == len(errors(app))
    assert not any("evil" in box.value for box in app.error)
    app.selectbox(key="compare_left").set_value(entry).run()
    assert 1 == len(errors(app))
    app.selectbox(key="compare_right").set_value(entry).run()
    assert [] == errors(app)


def test_an_unknown_task_of_both_sides_is_told_once(space: Workspace, open_page: OpenPage) -> None:
    """A link to a task whose original and result would be compared says once that there is no such task."""
    add(space)
    assert 1 == len(errors(open_page("compare.py", task="nowhere")))


def test_a_task_that_finishes_appears(space: Workspace, open_page: OpenPage) -> None:
    """A link that was opened too early becomes the comparison once the task is finished."""
    entry = add(space, state=State.ARCHIVING, due_at=None)
    app = open_page("compare.py", task=entry)
    assert "not finished yet" in errors(app)[0]
    space.history.move(entry, State.FINISHED)
    app.run()
    assert [] == errors(app)
    assert (f"{entry}.original", entry) == sides(app)


def test_a_linked_task_older_than_the_list_is_added(
    space: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that the address names can be chosen, however many newer ones there are."""
    old = add(space, created_at=1.0)
    latest = space.history.lists.latest
    monkeypatch.setattr(space.history.lists, "latest", lambda **wish: latest(**wish | {"limit": 1}))
    add(space)
    app = open_page("compare.py", task=old)
    assert (f"{old}.original", old) == sides(app)


def test_only_what_is_looked_at_gets_tiles(space: Workspace, open_page: OpenPage) -> None:
    """An original and its result get their tiles when they are looked at, and no other picture takes room for any."""
    unseen, seen = (space.history.get(add(space, finished_at=time.time() + 1)) for _ in range(2))
    assert unseen is not None
    assert seen is not None
    open_page("compare.py", task=seen.id)
    wait_for(lambda: all(space.files.has(each.key, "tiles.zip") for each in (seen.source, seen.result)))
    space._upkeep._step()
    space.tiles.wait(30)
    assert not any(space.files.has(each.key, "tiles.zip") for each in (unseen.source, unseen.result))
