"""How people reach the stand-in: the fixture, and the command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from journey import JourneyClient
from journey.testing import StandIn
from tests.commands.conftest import Terminal

ROOT = Path(__file__).parents[2]
IMPORTED = "from journey.testing import journeyapi\n"
PLUGIN = 'pytest_plugins = ["journey.testing"]\n'
TEST = """
from journey import JourneyClient

def test_mine(journeyapi):
    with JourneyClient(journeyapi.key, journeyapi.url) as client:
        task = client.wait(client.upscale(image_url=journeyapi.picture_url(), type="2x"))
    assert (1, 2, 11_998) == (journeyapi.charges, journeyapi.spent, journeyapi.credits)
"""


MY_PROGRAM = """
from journey import JourneyClient

def my_program(key, base_url, picture):
    with JourneyClient(key, base_url) as client:
        client.wait(client.upscale(image_url=picture, type="2x"))

"""


def run_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder outside this project."""
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.mark.parametrize("door", [IMPORTED, PLUGIN], ids=["import", "plugin"])
def test_the_fixture_works_in_other_projects(tmp_path: Path, door: str) -> None:
    """A test elsewhere gets a stand-in that runs, and sees what was charged."""
    (tmp_path / ("test_mine.py" if door == IMPORTED else "conftest.py")).write_text(door)
    with (tmp_path / "test_mine.py").open("a") as file:
        file.write(TEST)
    done = run_tests(tmp_path)
    assert "1 passed" in done.stdout, done.stdout


def test_the_documents_run(tmp_path: Path) -> None:
    """The examples of docs/reference/stand-in.md work as they stand there, around a program that orders one picture."""
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reference" / "stand-in.md").read_text(), re.DOTALL)
    (tmp_path / "test_mine.py").write_text(MY_PROGRAM + "\n".join(examples))
    done = run_tests(tmp_path)
    assert "1 passed" in done.stdout, done.stdout


def test_pytest_is_not_needed() -> None:
    """The stand-in can be used where pytest is not installed."""
    script = "import sys; sys.modules['pytest'] = None; from journey.testing import StandIn; StandIn().start()"
    assert 0 == subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode


def test_the_command_says_how_to_use_it(terminal: Terminal) -> None:
    """`journey engine --emulate` prints address, key and faults, has the credits asked for, and ends quietly."""
    process = terminal.begin("engine", "--emulate", "--port", "0", "--credits", "7", "--speed", "100")
    assert process.stdout is not None
    lines: list[str] = []
    while not (lines and "fetch: hang" in lines[-1]):
        lines.append(process.stdout.readline().decode())
        assert lines[-1], process.communicate()
    url = lines[0].split()[-1]
    key = lines[1].split("Its key is ")[1].split(",")[0]
    assert 7 == JourneyClient(key, url).account().credits
    assert any("429 for N calls" in line for line in lines)
    process.send_signal(signal.SIGINT)
    assert (b"", b"") == process.communicate(timeout=30)
    assert 0 == process.returncode


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--emulate", "--host", "0.0.0.0"), "127.0.0.1 only"),
        (("--credits", "7"), "belong to --emulate"),
        (("--emulate", "--speed", "0"), "--speed"),
        (("--emulate", "--credits", "-1"), "--credits"),
        (("--emulate", "--port", "99999"), "no such port"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(terminal: Terminal, words: tuple[str, ...], said: str) -> None:
    """It is never reachable from elsewhere, and nothing is dropped without a word."""
    assert said in terminal.run("engine", *words, status=2).err


def test_a_taken_port_is_told(terminal: Terminal) -> None:
    """A port that somebody listens at is named, with what to do."""
    with StandIn() as other:
        port = other.origin.rpartition(":")[2]
        answer = terminal.run("engine", "--emulate", "--port", port, status=2)
    assert f"port {port}" in answer.err
    assert "--port" in answer.err
