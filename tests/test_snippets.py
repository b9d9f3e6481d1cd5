"""What the documents tell people to type works: a reader who follows a page gets to its end."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from journey.settings import read_settings
from journey.testing import picture
from tests.harness.engines import KEY, Engine, WebServer, encoded, gradient, running_engine

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

SHOWN = {
    "text": "what a program says, and commands that need another machine, a key or a network",
    "powershell": "needs Windows",
    "nginx": "tests/browser/test_team.py runs nginx with it",
    "toml": "read, not run",
    "json": "read, not run",
    "ini": "read as settings",
    "{toctree}": "Sphinx reads it",
    "{eval-rst}": "Sphinx reads it",
    "": "a configuration file of a proxy that the tests do not have",
}
"""Languages that are not run, and why."""

NOT_RUN = {
    "make run": "every browser test starts the studio, and `make wheel` an installed one",
    "make test": "this is run by it",
    "make bench": "takes minutes, and measures; tests/test_bench.py runs a small part",
    "export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_ENDPOINT_URL=https://s3.example.com": "names no server",
    'echo "JOURNEY_DATABASE_URL=postgresql://journey@db.example.com/journey" >> .env': "names no server",
}
"""Blocks that are not run, by their first line without its comment, and why."""


@dataclass(frozen=True)
class Block:
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.splitlines()[0].partition("  #")[0].rstrip()

    @property
    def is_run(self) -> bool:
        return self.language in ("sh", "python") and self.first_line not in NOT_RUN


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^( *)```([^\n`]*)\n(.*?)^\1```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [
        Block(language.strip(), "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True)))
        for indent, language, text in found
    ]


ALL = {page.relative_to(ROOT).as_posix(): blocks(page) for page in PAGES}
WITH_CODE = [name for name, found in ALL.items() if any(block.is_run for block in found)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as made:
        yield made


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer({"/picture.png": encoded(gradient())}) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a reader has: pictures of their own, the command on the path, and the key of a studio that runs."""
    for name in ("photo.png", "pictures/koi.png", "pictures/owl.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture(64, 48))
    (tmp_path / ".journey").mkdir()
    (tmp_path / ".journey" / "engine-key").write_text(KEY)
    command = tmp_path / "bin" / "journey"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m journey.commands "$@"\n')
    command.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("name", WITH_CODE)
def test_a_page_can_be_followed(
    name: str, folder: Path, engine: Engine, web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command and program of a page ends well, in the order of the page, in one folder; what it writes into .env
    are settings."""
    for block in ALL[name]:
        if block.is_run:
            run(block, folder, engine, web)
    for variable in [each for each in os.environ if each.startswith("JOURNEY_")]:
        monkeypatch.delenv(variable)
    read_settings(folder / ".env")


def run(block: Block, folder: Path, engine: Engine, web: WebServer) -> None:
    """Run a block as its reader would, with the servers of this test in place of those that it names."""
    text = re.sub(r"http://127\.0\.0\.1:850[12]\b", engine.origin, block.text)
    text = text.replace("https://example.com/picture.png", f"{web.url}/picture.png")
    if block.language == "python":
        words = [sys.executable, "-c", text.replace('"your-key"', repr(KEY))]
    else:
        words = ["bash", "-euo", "pipefail", "-c", text]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
    path = f"{folder / 'bin'}{os.pathsep}{bare['PATH']}"
    environment = bare | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert 0 == done.returncode, (block.text, done.stdout, done.stderr)
    if "curl" in text:
        assert json.loads(done.stdout)["task_id"]


@pytest.mark.parametrize("name", list(ALL))
def test_what_is_not_run_is_so_for_a_reason(name: str) -> None:
    """Each block is run, or its language says why not; settings and data in it can be read."""
    for block in ALL[name]:
        if block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "ini":
            assert re.fullmatch(r"(JOURNEY_[A-Z_]+=.+\n)+", block.text)
        assert block.language in ("sh", "python") or block.language in SHOWN, block


def test_every_exception_is_still_needed() -> None:
    """No reason is kept for a block that is gone."""
    there = {block.first_line for found in ALL.values() for block in found}
    assert set() == NOT_RUN.keys() - there
