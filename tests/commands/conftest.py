"""The command as a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from journey.testing import STEPS, StandIn, picture
from tests.harness.studios import ROOT


@dataclass
class Terminal:
    """A folder with a picture of 64 × 48 px, and settings for the commands that are run in it.

    `command` is what stands for `journey`: that of this checkout, unless it is another.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    command: Sequence[str] = (sys.executable, "-m", "journey.commands")

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `journey` with these words."""
        return subprocess.Popen(
            [*self.command, *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a command sees: none of ours but the settings."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
        return bare | {"PYTHONPATH": str(ROOT)} | self.settings

    def run(self, *words: str, given: bytes = b"", status: int = 0) -> Answer:
        """Run `journey` with these words to its end, which has to have this status."""
        process = self.begin(*words)
        out, err = process.communicate(given, timeout=120)
        assert status == process.returncode, (out, err)
        return Answer(out, err.decode())

    def file(self, name: str, width: int = 64, height: int = 48) -> Path:
        """A picture of this size in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(width, height))
        return path


@dataclass(frozen=True)
class Answer:
    """What a command wrote."""

    data: bytes
    err: str

    @property
    def out(self) -> str:
        return self.data.decode()


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.file("koi.png")
    return made


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        fake.steps = STEPS[-1:]
        yield fake


@pytest.fixture
def hosted(terminal: Terminal, api: StandIn) -> Terminal:
    """The same with a key for a stand-in, and a public address at which that is told to find files."""
    terminal.settings |= {
        "JOURNEY_API_KEY": api.key,
        "JOURNEY_API_URL": api.url,
        "JOURNEY_FETCH_ALLOW": "127.0.0.0/8",
        "JOURNEY_PUBLIC_URL": "https://studio.test",
    }
    return terminal
