"""Who may import whom. The table below is the architecture; `docs/design.md` says why."""

from __future__ import annotations

import ast
import functools
import importlib
import itertools
from pathlib import Path

import pytest

from journey.provider import PROVIDERS

ROOT = Path(__file__).parent.parent

ROOMS: dict[str, set[str]] = {
    "journey/errors.py": set(),
    "journey/provider.py": set(),
    "journey/background.py": set(),
    "journey/processes": {"errors"},
    "journey/outside": {"errors"},
    "journey/signing_in.py": {"background", "errors", "outside"},
    "journey/api": {"errors", "outside"},
    "journey/storage": {"background", "errors", "provider"},
    "journey/settings": {"api", "errors", "outside", "signing_in", "storage"},
    "journey/pictures": {"background", "errors", "processes", "storage"},
    "journey/printing": {"errors", "pictures", "processes", "storage"},
    "journey/engine": {"api", "background", "errors", "outside", "pictures", "processes", "settings", "storage"},
    "journey/history": {"api", "errors", "outside", "provider", "storage"},
    "journey/studio": {
        "api", "background", "errors", "history", "outside", "pictures", "printing", "provider", "storage"
    },
    "journey/views": {"api", "errors", "history", "outside", "pictures", "printing", "provider", "storage", "studio"},
    "journey/web": {
        "api", "errors", "history", "outside", "pictures", "printing", "signing_in", "storage", "studio", "views"
    },
    "journey/workspace.py": {
        "api", "background", "engine", "errors", "history", "outside", "pictures", "printing", "provider", "settings",
        "signing_in", "storage", "studio", "views", "web",
    },
    "pages": {"errors", "printing", "studio", "views", "workspace"},
}  # fmt: skip
"""From the ground up: each room, and the rooms below it that it may import."""

TOP = ("journey/__init__.py", "journey/engine/__main__.py", "journey/commands", "journey/testing", "app.py")
"""What is put together on the top floor: a client, the engine, the command line, the stand-in, and the studio."""

FOR_PAGES = {"studio": {"batches"}, "printing": {"drawing", "inputs", "shop"}}
"""What pages may use of these two rooms besides the names in `__all__`."""

ONLY_IN: dict[str, set[str]] = {
    "streamlit": {"app.py", "pages"},
    "httpx": {"journey/api/client.py", "journey/outside"},
    "httpcore": {"journey/outside"},
    "sqlalchemy": {
        "journey/storage/database.py",
        "journey/storage/driver_errors.py",
        "journey/storage/sign_outs.py",
        "journey/storage/uses.py",
        "journey/storage/migrations",
        "journey/history",
        "journey/studio/batches/store.py",
        "journey/engine/pruning.py",
        "journey/engine/tasks.py",
    },
    "alembic": {"journey/storage"},
    "fsspec": {"journey/storage"},
    "uvicorn": {"journey/web/connections.py", "journey/engine/__main__.py"},
    "starlette": {"app.py", "journey/web", "journey/engine"},
    "zipstream": {"journey/web"},
    "itsdangerous": {"journey/web"},
    "ncnn": {"journey/engine/networks/ncnn_backend.py"},
    "openvino": {f"journey/engine/networks/openvino_{part}.py" for part in ("backend", "dat", "graphs")},
    "click": {"journey/commands"},
    "rich": {"journey/commands"},
    "distributed": {"journey/engine/cluster.py"},
    "pyvips": {"journey/pictures/streaming.py"},
    "requests": set(),
    "urllib.request": set(),
    "http.client": set(),
}


def sources() -> list[Path]:
    return [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "journey").rglob("*.py"))]


@functools.cache
def imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += (f"{node.module}.{name.name}" for name in node.names)
    return found


def room_of(path: Path) -> str | None:
    """The row of the table that a file belongs to; None for what is above all of them."""
    place = path.relative_to(ROOT).as_posix()
    if any(place == top or place.startswith(f"{top}/") for top in TOP):
        return None
    return next(room for room in ROOMS if place == room or place.startswith(f"{room}/"))


def used_rooms(path: Path) -> set[str]:
    """The rooms of `journey` that a file imports, without its own."""
    folder, *below = path.relative_to(ROOT).with_suffix("").parts
    used = {name.split(".")[1] for name in imports(path) if name.startswith("journey.")}
    return used - set(below[:1]) if folder == "journey" else used


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_knows_only_rooms_below_it(path: Path) -> None:
    """A file imports only rooms that its own room may know; an import for typing counts as well."""
    room = room_of(path)
    assert room is None or used_rooms(path) <= ROOMS[room]


def test_the_stand_in_is_reached_by_one_command() -> None:
    """Nothing of the program imports the stand-in for JourneyAPI but the command that starts it."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if any(name.startswith("journey.testing") for name in imports(path))
    }
    assert {"journey/commands/serving.py"} == {user for user in users if not user.startswith("journey/testing/")}


def test_the_table_goes_one_way() -> None:
    """A room may import only rooms that come before it in the table, so there can be no cycle."""
    below: set[str] = set()
    for room, known in ROOMS.items():
        assert known <= below, room
        below.add(Path(room).stem)


def test_every_room_has_its_place_in_the_table() -> None:
    """A new room must be given its place in the table before anything can import it."""
    rooms = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "journey").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert rooms - set(TOP) == set(ROOMS) - {"pages"}


def test_the_entrance_shows_every_room() -> None:
    """Whoever lists the package sees the architecture, in at most twenty names."""
    entries = {path.name for path in (ROOT / "journey").iterdir()} - {"py.typed", "__pycache__"}
    assert len(entries) <= 20


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    """No module has more than 400 lines, and no script of a page more than 150."""
    limit = 150 if path.parent == ROOT / "pages" else 400
    assert len(path.read_text().splitlines()) <= limit


@pytest.mark.parametrize("room", FOR_PAGES)
def test_pages_use_the_public_names_of_a_room(room: str) -> None:
    """Pages use only public names, so the inside of the studio and of printing can change without them."""
    public = FOR_PAGES[room] | set(importlib.import_module(f"journey.{room}").__all__)
    used = {
        name.split(".")[2]
        for path in (ROOT / "pages").rglob("*.py")
        for name in imports(path)
        if name.startswith(f"journey.{room}.")
    }
    assert used <= public


def test_a_provider_is_named_by_its_value() -> None:
    """Only the table of providers spells their names, and few places need to know a particular provider."""
    spelled: list[str] = []
    meant: list[str] = []
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        # The fixture of the stand-in has the name of what it stands for.
        if place == "journey/provider.py" or "/migrations/" in place or place.startswith("journey/testing/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in PROVIDERS:
                spelled.append(place)
            if isinstance(node, ast.Name) and node.id in ("JOURNEYAPI", "THIS_MACHINE"):
                meant.append(place)
    assert ["journey/engine/server.py"] == spelled  # the plan that /account tells, which is part of the wire
    assert len(meant) <= 3, meant


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_used_only_where_it_belongs(library: str) -> None:
    """Each outside library is imported only where the table says."""
    users = {
        str(path.relative_to(ROOT))
        for path in sources()
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    strays = {
        user for user in users if not any(user == place or user.startswith(f"{place}/") for place in ONLY_IN[library])
    }
    assert strays == set()


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_parts_that_run_alone_are_protected(path: Path) -> None:
    """A fragment runs again without the frame, so it checks for itself who is signed in, and says what broke."""
    for node in ast.walk(ast.parse(path.read_text())):
        decorators = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
        for outer, inner in itertools.pairwise([*decorators, ""]):
            if outer.startswith("st.fragment"):
                assert inner.startswith("protected("), node.name


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_callbacks_that_act_are_acting(path: Path) -> None:
    """A callback runs before the frame, so one that reaches beyond its own session checks who is signed in."""
    tree = ast.parse(path.read_text())
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for word in (node for node in ast.walk(tree) if isinstance(node, ast.keyword)):
        if word.arg not in ("on_click", "on_change"):
            continue
        callback = ast.unparse(word.value)
        written = functions.get(callback)
        decorators = [ast.unparse(each) for each in written.decorator_list] if written else []
        if callback.startswith("acting(") or "acting" in decorators:
            continue
        words = ast.unparse(written or word.value)
        assert not any(f"{outside}." in words for outside in ("workspace()", "space", "store", "run")), callback


OPENED_IN = {
    "journey/engine/pieces.py",
    "journey/pictures/previews.py",
    "journey/printing/shop/tiff.py",
    "journey/testing/pictures.py",
    "journey/views/comparison.py",
    "pages/planner/drawn.py",
}
"""What may open a picture without the box: previews and parts of print files, made here, and pictures of tests."""


def test_pictures_of_others_are_opened_in_their_room() -> None:
    """`Image.open` believes whatever a file says; only what was made here is opened so."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open"
    }
    assert users == OPENED_IN


def test_no_page_draws_html_of_its_own() -> None:
    """Nothing asks Streamlit to draw HTML as it is: text from outside could be in it."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert "unsafe_allow_html" not in [each.arg for each in node.keywords], path
                assert ast.unparse(node.func) not in ("st.html", "components.html", "st.components.v1.html"), path
