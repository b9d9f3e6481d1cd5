"""Who may import whom. The table below is the architecture; `docs/design.md` says why."""

from __future__ import annotations

import ast
import functools
import itertools
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SIBLINGS: dict[str, set[str]] = {
    "errors": {"api"},  # for type checking only
    "outside": {"errors"},
    "api": {"errors", "outside"},
    "printing": {"errors", "pictures", "processes", "storage"},
    "processes": {"errors"},
    "pictures": {"errors", "processes", "storage"},
    "signing_in": {"errors"},
    "way_back": {"signing_in"},
    "settings": {"errors", "api", "signing_in"},
    "storage": {"errors"},
    "history": {"storage", "errors", "api"},
    "sources": {"api", "errors", "outside", "storage", "history", "pictures"},
    "lineage": {"history", "sources"},
    "usual": {"storage", "history"},
    "notices": {"storage", "history", "lineage"},
    "comparison": {"history", "wording"},
    "tracker": {"api", "errors", "outside", "storage", "history", "pictures"},
    "webhooks": {"history", "api"},
    "engine": {
        "storage",
        "errors",
        "outside",
        "pictures",
        "api",
        "processes",
        "settings",
    },
    "spreadsheets": set(),
    "spending": {"storage", "history", "api", "spreadsheets"},
    "batches": {"storage", "errors", "history", "api", "printing", "sources", "wording"},
    "wording": {"history", "api", "printing"},
    "removal": {"api", "errors", "storage", "pictures", "history"},
    "exports": {"storage", "history", "listing", "spreadsheets"},
    "listing": {"history", "printing", "wording"},
    "facts": {"history", "wording"},
}
"""Siblings that a module (or package) of `journey` may import. `workspace` may import all of them."""

ONLY_IN: dict[str, set[str]] = {
    "streamlit": {"app.py", "pages"},
    "httpx": {"journey/api/client.py", "journey/outside"},
    "httpcore": {"journey/outside"},
    "sqlalchemy": {
        "journey/storage/database.py",
        "journey/storage/migrations",
        "journey/history",
        "journey/batches/store.py",
        "journey/engine/jobs.py",
        "journey/spending.py",
        "journey/notices.py",
        "journey/usual.py",
        # To tell "the database is away" from other errors.
        "journey/tracker.py",
        "journey/webhooks.py",
        "journey/workspace.py",
        "pages/_app.py",
        "pages/_parts.py",
    },
    "starlette": {
        "app.py",
        "journey/webhooks.py",
        "journey/batches/results_zip.py",
        "journey/exports.py",
        "journey/storage/files.py",
        "journey/pictures/tiles.py",
        "journey/engine",
        "journey/way_back.py",
    },
    "ncnn": {"journey/engine/network.py"},
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


def siblings(path: Path) -> set[str]:
    """The modules of `journey` that a file imports, its own package left out."""
    place = path.relative_to(ROOT).with_suffix("").parts
    own = place[1] if place[0] == "journey" else ""
    modules = {each.stem for each in (ROOT / "journey").iterdir()}
    return {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("journey.") and name.split(".")[1] in modules and name.split(".")[1] != own
    }


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_the_siblings_it_may_know(path: Path) -> None:
    """Each module of the package knows only the floors below it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] != "journey" or parts[1] in ("__init__", "workspace"):
        return
    assert siblings(path) - SIBLINGS[parts[1]] == set()


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_used_only_where_it_belongs(library: str) -> None:
    """Each outside library stays behind the modules that are named for it."""
    users = {
        str(path.relative_to(ROOT))
        for path in sources()
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    strays = {
        user for user in users if not any(user == place or user.startswith(f"{place}/") for place in ONLY_IN[library])
    }
    assert strays == set()


def test_every_module_has_its_place_in_the_table() -> None:
    """A new module has to be given its place before anything can import it."""
    modules = {
        path.stem for path in (ROOT / "journey").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert modules - {"__init__", "workspace"} == set(SIBLINGS)


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_parts_that_run_alone_are_protected(path: Path) -> None:
    """What runs again without the frame asks for itself who is signed in, and says what broke."""
    for node in ast.walk(ast.parse(path.read_text())):
        decorators = [ast.unparse(each) for each in getattr(node, "decorator_list", [])]
        for outer, inner in itertools.pairwise([*decorators, ""]):
            if outer.startswith("st.fragment"):
                assert inner.removeprefix("_parts.").startswith("protected("), node.name


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.name)
def test_callbacks_that_act_are_acting(path: Path) -> None:
    """A callback runs before the frame: one that reaches beyond its own session asks for itself who is signed in."""
    tree = ast.parse(path.read_text())
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for word in (node for node in ast.walk(tree) if isinstance(node, ast.keyword)):
        if word.arg not in ("on_click", "on_change"):
            continue
        callback = ast.unparse(word.value)
        written = functions.get(callback)
        decorators = [ast.unparse(each) for each in written.decorator_list] if written else []
        if callback.removeprefix("_parts.").startswith("acting(") or "_parts.acting" in decorators:
            continue
        words = ast.unparse(written or word.value)
        assert not any(f"{outside}." in words for outside in ("workspace()", "space", "store", "run")), callback
