"""The other commands: plan, print, networks, doctor, completion, and the command itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image

from tests.commands.conftest import Terminal


def test_a_plan_names_the_cheapest_way(terminal: Terminal) -> None:
    """`journey plan` gives the verdict, the pixels that a paper needs and every multiplier, for people and as JSON."""
    out = terminal.run("plan", "1024x1536", "--paper", "A3").out
    assert "4x is enough: 350 DPI, excellent, sharp in the hand." in out
    assert "3508 × 4961 px" in out
    made = json.loads(terminal.run("plan", "1024x1536", "--paper", "a3", "--bleed", "3mm", "--json").out)
    assert ("A3", [3579, 5031], 4) == (made["paper"], made["needed"], made["recommended"])
    assert "A0" in terminal.run("plan", "koi.png").out


@pytest.mark.parametrize("words", [["12"], ["1024x1536", "--paper", "A3", "--bleed", "3furlongs"], ["0x5"]])
def test_a_plan_of_nothing_is_refused(terminal: Terminal, words: list[str]) -> None:
    """What is no size, paper or length is refused with 2 and one line."""
    answer = terminal.run("plan", *words, status=2)
    assert 1 == len(answer.err.strip().splitlines())


def test_a_print_file_has_what_was_asked_for(terminal: Terminal) -> None:
    """`journey print` writes what the name ends in, with pixels, DPI and bleed as asked, and replaces nothing."""
    terminal.run("print", "koi.png", "--paper", "A6", "--bleed", "3mm", "--dpi", "150", "-o", "a6.tif")
    with Image.open(terminal.folder / "a6.tif") as made:
        assert ("TIFF", (909, 656)) == (made.format, made.size)
        assert (150, 150) == tuple(round(each) for each in made.info["dpi"])
    assert "is there already" in terminal.run("print", "koi.png", "--paper", "A6", "-o", "a6.tif", status=2).err
    made_of = json.loads(terminal.run("print", "koi.png", "--paper", "10x15cm", "--format", "jpg", "--json").out)
    assert ("JPEG", 300) == (made_of["format"], made_of["dpi"])
    assert (terminal.folder / made_of["file"]).is_file()


def test_a_healthy_machine_is_found_well(terminal: Terminal) -> None:
    """`journey doctor` is green without a key, and changes nothing."""
    answer = terminal.run("doctor")
    assert "✗" not in answer.out
    assert "✓ Runs on: OpenVINO" in answer.out
    assert ["koi.png"] == [path.name for path in terminal.folder.iterdir()]


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        ({"JOURNEY_ENGINE_WORKERS": "many"}, "Settings"),
        ({"JOURNEY_API_KEY": "k-0123456789", "JOURNEY_API_URL": "http://127.0.0.1:9/api/v1"}, "Key"),
        ({"JOURNEY_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}, "Database"),
        ({"JOURNEY_ENGINE_MODEL": "nosuch"}, "Networks"),
        ({"JOURNEY_DATA_DIR": "/proc/nothing"}, "Data folder"),
        ({"JOURNEY_PAPERS": "missing.toml"}, "Papers"),
    ],
)
def test_what_is_ill_is_named(terminal: Terminal, settings: dict[str, str], about: str) -> None:
    """Each fault is one line with what to do, and the status says that there is one."""
    terminal.settings |= settings
    findings = json.loads(terminal.run("doctor", "--json", status=1).out)["findings"]
    assert [about] == [each["about"] for each in findings if not each["is_well"]]


def test_networks_are_listed(terminal: Terminal) -> None:
    """`journey networks` lists all three, and which is the default."""
    found = json.loads(terminal.run("networks", "--json").out)
    assert ({"fast", "detail", "faithful"}, "fast") == ({each["name"] for each in found["networks"]}, found["default"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_it(terminal: Terminal, shell: str) -> None:
    """`journey completion` prints what the shell evaluates."""
    assert "_JOURNEY_COMPLETE" in terminal.run("completion", shell).out


def test_help_loads_nothing_heavy() -> None:
    """`journey --help` imports neither NumPy nor SQLAlchemy, HTTPX, OpenVINO, Pillow or Rich."""
    script = (
        "import sys, journey.commands.main; "
        "heavy = {'numpy', 'sqlalchemy', 'httpx', 'openvino', 'PIL', 'rich', 'pydantic'}; print(heavy & {*sys.modules})"
    )
    assert (
        "set()"
        == subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    )


def test_a_product_of_ones_own_has_its_dpi_bleed_and_format(terminal: Terminal) -> None:
    """A product in papers.toml is planned for and printed as its shop asks, unless the command says otherwise."""
    terminal.settings["JOURNEY_PAPERS"] = "shop.toml"
    (terminal.folder / "shop.toml").write_text(
        '[[paper]]\nname = "Post card"\nsize = "10x15cm"\nbleed = "3mm"\ndpi = 150\nformat = "PNG"\n'
    )
    planned = json.loads(terminal.run("plan", "1024x1536", "--paper", "postcard", "--json").out)
    assert ("Post card", 150, 3) == (planned["paper"], planned["dpi"], planned["bleed_mm"])
    made = json.loads(terminal.run("print", "koi.png", "--paper", "post card", "--dpi", "100", "--json").out)
    assert ("PNG", 100, 614) == (made["format"], made["dpi"], made["width"])
    (terminal.folder / "shop.toml").write_text('[[paper]]\nname = "Post card"\n')
    refused = terminal.run("plan", "1024x1536", status=2).err
    assert "In the entry at line 1, “Post card”: It needs a size" in refused


def test_a_jpeg_can_be_made_to_fit(terminal: Terminal) -> None:
    """`--at-most` keeps a limit, `--dry-run` tells the size and writes nothing, and what cannot be is a sentence."""
    wanted = ["print", "koi.png", "--paper", "A6", "--format", "jpeg", "--json"]
    full = json.loads(terminal.run(*wanted, "--dry-run").out)["bytes"]
    told = json.loads(terminal.run(*wanted, "--at-most", f"{full * 0.7 / 1e6:.4f}MB", "--dry-run").out)
    assert ["koi.png"] == [path.name for path in terminal.folder.iterdir()]
    made = json.loads(terminal.run(*wanted, "--at-most", f"{full * 0.7 / 1e6:.4f} MB").out)
    assert (terminal.folder / made["file"]).stat().st_size == made["bytes"] <= full * 0.7
    assert (told["file"], told["quality"]) == (made["file"], pytest.approx(made["quality"], abs=3))
    assert "Even at quality 60" in terminal.run(*wanted, "--at-most", "0.01", status=2).err
    assert "--at-most: The largest file must be" in terminal.run(*wanted, "--at-most", "much", status=2).err
    assert "Only a JPEG" in terminal.run("print", "koi.png", "--paper", "A6", "--at-most", "3", status=2).err


def test_a_set_by_ratio_is_one_archive(terminal: Terminal) -> None:
    """`journey print --set` makes a ZIP, tells its files before, and a picture that is too small is a sentence."""
    told = json.loads(terminal.run("print", "koi.png", "--set", "--dpi", "8", "--dry-run", "--json").out)
    made = json.loads(terminal.run("print", "koi.png", "--set", "--dpi", "8", "-o", "set.zip", "--json").out)
    assert (terminal.folder / "set.zip").stat().st_size == made["bytes"]
    assert [each["file"] for each in told["files"]] == [each["name"] for each in made["files"]]
    assert "koi_ISO_A4_8dpi.tif" not in (each["name"] for each in made["files"])
    assert "fills no paper of any ratio" in terminal.run("print", "koi.png", "--set", status=2).err
    assert "Say which --paper, or --set" in terminal.run("print", "koi.png", status=2).err


def test_ctrl_c_ends_with_130_wherever_it_falls(terminal: Terminal) -> None:
    """Ctrl-C in the middle of a text that Python runs, as it does to make a dataclass, has the same status as ever."""
    (terminal.folder / "pressed.py").write_text(
        "from types import SimpleNamespace\n"
        "from journey.commands import main\n"
        "main.journey = SimpleNamespace(main=lambda **_: exec('raise KeyboardInterrupt'))\n"
        "main.main()\n"
    )
    pressed = Terminal(terminal.folder, command=(sys.executable, "-m", "pressed"))
    assert "Stopped.\n" == pressed.run(status=130).err
