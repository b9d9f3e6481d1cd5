"""The documents say what the code does: settings, defaults, routes, commands, errors, states and numbers."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import click
import pytest
from pydantic import ByteSize

import journey
from journey import printing
from journey.api.models import TaskStatus
from journey.commands.main import journey as command
from journey.errors import DatabaseAway, JourneyError
from journey.history.states import FETCHED_AGAIN, WAYS, State
from journey.printing.grades import GRADES
from journey.printing.shop import FORMATS
from journey.settings import MEGAPIXEL, Settings
from journey.views.documents import HELP
from journey.views.words import STATE_WORDS
from journey.workspace import Workspace
from tests.harness.navigation import pages

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
AT_THE_TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]

_LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_WEB = re.compile(r"https?://[^\s)>\"'`|]+")


def read(name: str) -> str:
    return (DOCS / name).read_text()


def rows(document: str) -> list[list[str]]:
    """The cells of all tables of a document, without their marks."""
    lines = [line for line in document.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def section(document: str, title: str) -> str:
    """What stands below a heading of the second level, up to the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def test_every_setting_is_documented_and_no_other() -> None:
    """The table of settings names each setting once."""
    documented = re.findall(r"^\| `(JOURNEY_\w+)` \|", read("reference/settings.md"), re.MULTILINE)
    assert [f"JOURNEY_{name.upper()}" for name in Settings.model_fields] == documented


@pytest.mark.parametrize("name", ["max_bytes", "max_input_pixels", "max_output_pixels", "engine_model", "api_url"])
def test_a_documented_default_is_the_real_one(name: str) -> None:
    """Where the table gives a value, it is the default."""
    found = re.search(rf"^\| `JOURNEY_{name.upper()}` \| `([^`]+)` \|", read("reference/settings.md"), re.MULTILINE)
    assert found is not None
    shown = found[1]
    value: object = shown
    if shown.endswith("MiB"):
        value = ByteSize(int(shown.split()[0]) * 2**20)
    elif shown.endswith("MP"):
        value = int(shown.split()[0]) * MEGAPIXEL
    assert value == Settings.model_fields[name].default


def test_every_extra_is_documented_and_no_other() -> None:
    """The table of extras names each one that the package has."""
    project = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^\[project.optional-dependencies\]\n(.*?)\n\n", project, re.MULTILINE | re.DOTALL)
    assert block is not None
    extras = set(re.findall(r"^(\w+) =", block[1], re.MULTILINE))
    assert extras == {name for name, _ in rows(section(read("reference/settings.md"), "Extras"))} - {"extra"}


def test_every_route_is_documented(tmp_path: Path) -> None:
    """The table of routes names every path that the server answers."""
    space = Workspace(Settings(data_dir=tmp_path))
    paths = {route.path for route in space.routes} | {"/healthz", "/readyz", "/docs", "/docs/{path}", *pages().values()}
    space.stop()
    document = read("reference/routes.md")
    assert [] == [path for path in sorted(paths) if f"`{path}`" not in document]


@pytest.mark.parametrize("name", list(command.commands))
def test_every_command_and_option_is_documented_and_no_other(name: str) -> None:
    """The section of a command lists its options in their order, with all spellings and choices, and its argument."""
    made = command.commands[name]
    document = section(read("reference/command-line.md"), f"journey {name}")
    options = [each for each in made.params if isinstance(each, click.Option)]
    documented = [cells[0] for cells in rows(document) if cells[0].startswith("-")]
    assert [", ".join(each.opts) for each in options] == documented
    for argument in (each for each in made.params if isinstance(each, click.Argument)):
        assert f"`{(argument.metavar or argument.human_readable_name).removesuffix('...')}`" in document
    for choices in (each.type.choices for each in made.params if isinstance(each.type, click.Choice)):
        assert [] == [choice for choice in choices if f"`{choice}`" not in document]


def test_no_command_is_documented_that_does_not_exist() -> None:
    """The sections of the page are the commands, in the order of the help."""
    document = read("reference/command-line.md")
    assert list(command.commands) == re.findall(r"^## journey (\S+)$", document, re.MULTILINE)
    assert {"--version"} == {cells[0] for cells in rows(document.partition("## ")[0])} - {"option", "-h, --help"}


def errors() -> dict[str, str]:
    """The names of all errors that are raised on purpose, wherever they are defined, and what each is a kind of."""
    for module in pkgutil.walk_packages(journey.__path__, "journey."):
        if not module.name.endswith("__main__") and ".migrations" not in module.name:
            importlib.import_module(module.name)
    found = [JourneyError]
    for each in found:
        found += each.__subclasses__()
    own = {each for each in found if each.__module__.startswith("journey.")}
    return {each.__name__: next((base.__name__ for base in each.__bases__ if base in own), "") for each in own}


def drawn(tree: str) -> dict[str, str]:
    """What each name of a drawn tree hangs on."""
    found: dict[str, str] = {}
    above: list[str] = []
    for line in tree.splitlines():
        start = re.search(r"\w", line)
        assert start is not None
        name = line[start.start() :].split()[0]
        above = [*above[: start.start() // 4], name]
        found[name] = above[-2] if len(above) > 1 else ""
    return found


def test_every_error_is_documented_and_no_other() -> None:
    """The page of errors has a row for each error class, the tree draws what each is a kind of, and none is gone."""
    document = read("reference/errors.md")
    known = errors()
    parts = (section(document, title) for title in ("Of a call to the API", "Of this program"))
    named = {cells[0] for part in parts for cells in rows(part)} - {"error"}
    assert {*known, DatabaseAway.__name__} == named
    tree = re.search(r"```text\n(.*?)```", document, re.DOTALL)
    assert tree is not None
    assert known == drawn(tree[1])


def test_every_public_name_is_documented_from_its_docstring() -> None:
    """The page of the Python API has each name of the package."""
    documented = re.findall(
        r"^\.\. auto(?:class|exception):: journey\.(\w+)", read("reference/python.md"), re.MULTILINE
    )
    assert sorted(journey.__all__) == sorted(documented)


def test_every_state_is_documented_with_its_ways() -> None:
    """The table of states has each state, its words on pages, and where it can lead."""
    table = {cells[0]: cells for cells in rows(section(read("reference/states.md"), "Of an entry in the history"))[1:]}
    assert [state.value for state in State] == list(table)
    for state in State:
        name, words, _, following = table[state.value]
        assert STATE_WORDS[state] == words
        ways = WAYS[state] | ({State.OPEN} if state in FETCHED_AGAIN else set())
        led_to = set(re.findall("|".join(State), following.replace("as above", ""))) if following != "–" else set()
        assert {way.value for way in ways} == led_to, name


def test_every_status_of_a_task_is_documented() -> None:
    """The table of the wire's words has each of them."""
    table = rows(section(read("reference/states.md"), "Of a task on the wire"))
    assert [status.value for status in TaskStatus] == [cells[0] for cells in table[1:]]


def test_print_numbers_are_those_of_the_program() -> None:
    """Grades, distances, papers, ratios, pixels and formats in the document are what the program computes."""
    document = read("reference/print-numbers.md")
    grades = [(cells[0], cells[1], cells[2]) for cells in rows(section(document, "Grades"))[1:]]
    assert [
        (each.word, f"{each.from_dpi:g} DPI" if each.from_dpi else "below that", each.in_words) for each in GRADES
    ] == grades
    for dpi, distance in rows(section(document, "Distance"))[1:]:
        assert printing.distance_text(printing.sharp_from_cm(float(dpi))) == distance
    papers = [name.strip() for cells in rows(section(document, "Papers"))[1:] for name in cells[1].split(",")]
    assert list(printing.PAPERS) == papers
    for name, plain, bled in rows(section(document, "Pixels"))[1:]:
        for bleed, shown in ((0, plain), (3, bled)):
            assert "{} × {}".format(*printing.pixels_needed(printing.PAPERS[name], 300, bleed)) == shown
    ratios = {cells[0]: cells[1].split(", ") for cells in rows(section(document, "Sets by ratio"))[1:]}
    assert {each.name: [paper.name for paper in each.papers] for each in printing.RATIOS} == ratios
    formats = {cells[0]: cells[2] for cells in rows(section(document, "Files"))[1:]}
    assert {name: "kept" if each.is_transparent else "white" for name, each in FORMATS.items()} == formats


def test_every_page_of_the_studio_has_a_document_that_helps() -> None:
    """Each page leads to a document that exists."""
    titles = re.findall(r'st\.Page\("\w+\.py", title="([^"]+)"', (ROOT / "pages" / "_app.py").read_text())
    assert titles == list(HELP)
    assert [] == [name for name in HELP.values() if not (DOCS / f"{name}.md").is_file()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_document_names_who_it_is_for(page: Path) -> None:
    """Below its title, a document says who should read it."""
    assert re.match(r"# [^\n]+\n\n\*For [^*]+\*\n", page.read_text())


@pytest.mark.parametrize("page", [*AT_THE_TOP, *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link into this repository leads to a file that is there, at a heading that it has; others are addresses."""
    text = _CODE.sub("", page.read_text())
    for target in _LINK.findall(text):
        if target.startswith(("http://", "https://")):
            assert _WEB.fullmatch(target), target
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_file(), target
        assert file.is_relative_to(ROOT), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


def test_every_picture_is_shown() -> None:
    """Each picture of the documents is in one of them."""
    shown = {Path(target).name for page in [*AT_THE_TOP, *PAGES] for target in _LINK.findall(page.read_text())}
    assert [] == [path.name for path in sorted((DOCS / "pictures").iterdir()) if path.name not in shown]


def test_every_test_that_a_document_names_exists() -> None:
    """Each promise in docs/reliability.md is held by tests that are there."""
    there = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    named = set(re.findall(r"`(test_\w+)`", read("reliability.md")))
    assert len(named) > 100
    assert set() == named - there


def test_every_make_target_that_the_documents_name_exists() -> None:
    """Each `make something` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name
        for page in [*AT_THE_TOP, *PAGES]
        for name in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert set() == named - targets


def test_every_file_that_the_program_points_to_exists() -> None:
    """Where a message, a comment or a setting names a document, it is there."""
    sources = [ROOT / "app.py", *(ROOT / "journey").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    sources += [*(ROOT / "tests").rglob("*.py"), ROOT / "Makefile", *(ROOT / ".streamlit").glob("*.[te]*")]
    named = {name for path in sources for name in re.findall(r"\bdocs/[\w/-]+\.md", path.read_text())}
    assert {"docs/how-to/team.md", "docs/how-to/install.md"} <= named
    assert [] == [name for name in sorted(named) if not (ROOT / name).is_file()]
