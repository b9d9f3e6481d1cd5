"""`journey upscale` on this machine."""

from __future__ import annotations

import io
import json
import signal

import pytest
from PIL import Image

from journey.testing import StandIn, picture
from tests.commands.conftest import Terminal
from tests.harness.standing import wait_for


def size(data: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as image:
        return image.format, image.size


def test_a_picture_is_enlarged_beside_itself(terminal: Terminal) -> None:
    """`journey upscale koi.png` makes koi_4x.png, which is four times as large, and leaves nothing else."""
    answer = terminal.run("upscale", "koi.png")
    assert ("PNG", (256, 192)) == size((terminal.folder / "koi_4x.png").read_bytes())
    assert "koi.png → koi_4x.png · 256 × 192 px" in answer.out
    assert {"koi.png", "koi_4x.png"} == {path.name for path in terminal.folder.iterdir()}


def test_folders_patterns_and_addresses_are_taken(terminal: Terminal, api: StandIn) -> None:
    """A folder, a pattern and an address are taken together; names stay apart, and a second run makes nothing."""
    terminal.settings["JOURNEY_FETCH_ALLOW"] = "127.0.0.0/8"
    terminal.file("in/a.png")
    terminal.file("in/b.png")
    terminal.file("more/a.png")
    (terminal.folder / "in" / "notes.txt").write_text("no picture")
    words = ["upscale", "in", "more/*.png", api.picture_url(32, 24), "--to", "2x", "-o", "out"]
    first = [json.loads(line) for line in terminal.run(*words, "--json").out.splitlines()]
    names = {"a_2x.png", "b_2x.png", "a-2_2x.png", "32x24_2x.png"}
    assert names == {path.name for path in (terminal.folder / "out").iterdir()}
    assert {(128, 96), (64, 48)} == {(each["width"], each["height"]) for each in first}
    assert 4 == terminal.run(*words).out.count("is there already")
    terminal.run("upscale", "in", "--to", "2x")
    assert {"a.png", "b.png", "a_2x.png", "b_2x.png", "notes.txt"} == {
        path.name for path in (terminal.folder / "in").iterdir()
    }
    assert 2 == terminal.run("upscale", "in", "--to", "2x").out.count("is there already")


def test_standard_input_and_output(terminal: Terminal) -> None:
    """`-` reads the picture from standard input, and `-o -` writes nothing but the result to standard output."""
    answer = terminal.run("upscale", "-", "--to", "2x", "-o", "-", given=picture(40, 30))
    assert ("PNG", (80, 60)) == size(answer.data)


def test_a_picture_that_is_large_enough_comes_out_of_a_pipe_as_it_is(terminal: Terminal) -> None:
    """With `-o -` there is a picture on standard output even when nothing has to be enlarged: the same, to the bit."""
    large = picture(400, 300)
    answer = terminal.run("upscale", "-", "--for", "10x15cm", "--dpi", "40", "-o", "-", given=large)
    assert (large, "") == (answer.data, answer.err)


def test_a_paper_says_how_far(terminal: Terminal) -> None:
    """`--for` enlarges as far as the paper needs, makes nothing where that is not at all, and says what is too far."""
    terminal.file("large.png", 400, 300)
    terminal.file("tiny.png", 4, 3)
    answer = terminal.run(
        "upscale", "koi.png", "large.png", "tiny.png", "--for", "10x15cm", "--dpi", "40", "--json", status=1
    )
    told = {line["source"]: line for line in map(json.loads, answer.out.splitlines())}
    assert (4, "koi_4x.png") == (told["koi.png"]["multiplier"], told["koi.png"]["result"])
    assert (1, None) == (told["large.png"]["multiplier"], told["large.png"]["result"])
    assert "Out of reach" in told["tiny.png"]["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.png"], "There is no picture at 'nothing.png'"),
        (["koi.png", "--for", "A9"], "there is no paper named 'A9'"),
        (["koi.png", "--for", "A3", "--dpi", "0"], "DPI"),
        (["koi.png", "--network", "nosuch"], "--network: must be one of"),
        (["koi.png", "koi.png", "-o", "x.jpg"], "has to end in .png"),
        (["koi.png", "--to", "3x"], "3x"),
        ([], "PICTURE_OR_URL"),
        (["koi.png", "--engine", "journeyapi"], "There is no key for JourneyAPI"),
    ],
)
def test_what_cannot_be_meant_is_refused(terminal: Terminal, words: list[str], said: str) -> None:
    """A wrong word ends with 2 and one sentence, before anything is made."""
    answer = terminal.run("upscale", *words, status=2)
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert ["koi.png"] == [path.name for path in terminal.folder.iterdir()]


def test_one_bad_picture_costs_only_itself(terminal: Terminal) -> None:
    """A file that is no picture is named; the others are made, and the status says that not all went well."""
    (terminal.folder / "bad.png").write_bytes(b"no picture")
    answer = terminal.run("upscale", "bad.png", "koi.png", "--to", "2x", status=1)
    assert "bad.png: This is not a picture." in answer.err
    assert (terminal.folder / "koi_2x.png").is_file()


def test_ctrl_c_leaves_nothing_half_made(terminal: Terminal) -> None:
    """Ctrl-C ends with 130, and what was under way leaves no file."""
    terminal.file("large.png", 1500, 1500)
    process = terminal.begin("upscale", "large.png")
    wait_for(lambda: any(path.name.startswith(".journey-") for path in terminal.folder.iterdir()), seconds=60)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (130, "Stopped.") == (process.returncode, err.decode().strip())
    assert {"koi.png", "large.png"} == {path.name for path in terminal.folder.iterdir()}
