"""`journey upscale --engine journeyapi`, against a stand-in that counts charges."""

from __future__ import annotations

import json
import signal

from journey.history import History, State
from journey.provider import JOURNEYAPI
from journey.settings import Settings
from journey.storage.database import Database
from journey.testing import Close, Reply, StandIn, picture
from tests.commands.conftest import Terminal
from tests.harness.standing import wait_for

THERE = ("--engine", "journeyapi", "--yes")


def history(terminal: Terminal) -> History:
    return History(Database(Settings(data_dir=terminal.folder / ".journey").database_place))


def test_pictures_are_ordered_once_and_fetched(hosted: Terminal, api: StandIn) -> None:
    """Addresses are sent for 2 credits each, the results land here, and a second run pays for nothing."""
    (hosted.folder / "more.png").write_bytes(picture(64, 48, "JPEG"))
    words = ["upscale", "koi.png", "more.png", *THERE[:2], "-o", "out"]
    first = [json.loads(line) for line in hosted.run(*words, "--yes", "--json").out.splitlines()]
    assert [(256, 192)] * 2 == [(each["width"], each["height"]) for each in first]
    assert 2 == api.charges
    entries = history(hosted).lists.latest()
    sent = [str(call.body["image_url"]) for call in api.calls_to("upscale-2x-4x")]
    assert ["to-send.jpg", "to-send.png"] == sorted(url.rpartition("/")[2] for url in sent)
    assert [(State.FINISHED, JOURNEYAPI, 2)] * 2 == [(entry.state, entry.provider, entry.credits) for entry in entries]
    for path in (hosted.folder / "out").iterdir():
        path.unlink()
    again = hosted.run(*words)  # there is nothing to agree to
    assert (2, 2) == (api.charges, again.out.count("→"))
    assert 2 == len(list((hosted.folder / "out").iterdir()))


def test_nothing_is_spent_without_a_word(hosted: Terminal, api: StandIn) -> None:
    """In a script, a command that would spend ends with 2, the sum, and how to agree to it."""
    answer = hosted.run("upscale", "koi.png", "--engine", "journeyapi", status=2)
    assert "1 picture × 2 credits = 2 credits at JourneyAPI: add --yes" in answer.err
    assert 0 == api.charges


def test_the_budget_holds_here_too(hosted: Terminal, api: StandIn) -> None:
    """More than is left of the month's budget is refused as a whole."""
    hosted.settings["JOURNEY_MONTHLY_CREDITS"] = "3"
    (hosted.folder / "more.png").write_bytes(picture(64, 48, "JPEG"))
    answer = hosted.run("upscale", "koi.png", "more.png", *THERE, status=2)
    assert "cost 4 credits, but only 3 of this month's budget" in answer.err
    assert 0 == api.charges


def test_a_file_that_only_lies_here_is_refused(hosted: Terminal, api: StandIn) -> None:
    """Without a public address JourneyAPI cannot get a file, and the command says so."""
    del hosted.settings["JOURNEY_PUBLIC_URL"]
    answer = hosted.run("upscale", "koi.png", *THERE, status=1)
    assert "JourneyAPI cannot reach a picture that is only on this machine" in answer.err
    assert 0 == api.charges


def test_a_picture_that_is_large_enough_costs_nothing(hosted: Terminal, api: StandIn) -> None:
    """Where nothing has to be enlarged nothing is ordered, and a pipe gets the picture as it is."""
    large = picture(400, 300)
    words = ("upscale", "-", "--for", "10x15cm", "--dpi", "40", "--engine", "journeyapi", "--yes", "-o", "-")
    assert large == hosted.run(*words, given=large).data
    assert 0 == api.charges


def test_a_killed_command_is_gone_on_with(hosted: Terminal, api: StandIn) -> None:
    """Killed while it waits, the command goes on when it is run again, and pays nothing for it."""
    api.always("fetch", Reply(503, b""))
    process = hosted.begin("upscale", "koi.png", *THERE)
    wait_for(lambda: api.charges == 1, seconds=60)
    wait_for(lambda: bool(api.calls_to("fetch")), seconds=60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    api.always("fetch", None)
    answer = hosted.run("upscale", "koi.png", "--engine", "journeyapi")
    assert "256 × 192 px" in answer.out
    assert 1 == api.charges


def test_a_call_in_doubt_is_not_made_again(hosted: Terminal, api: StandIn) -> None:
    """When it is not known whether a call was accepted, the command says so, and a second run does not repeat it."""
    api.script("upscale-2x-4x", Close.AFTER_READING)
    for _ in range(2):
        answer = hosted.run("upscale", "koi.png", *THERE, status=1)
        assert "It may have been charged" in answer.err
    assert 1 == api.charges


def test_a_refused_key_is_said_at_once(hosted: Terminal, api: StandIn) -> None:
    """With a key that is refused, the command does not wait: it says so, and that nothing was charged."""
    api.always("upscale-2x-4x", Reply(401, {}))
    answer = hosted.run("upscale", "koi.png", *THERE, status=1)
    assert "key" in answer.err
    assert "nothing was charged" in answer.err


def test_fetch_goes_on_with_what_was_begun(hosted: Terminal, api: StandIn) -> None:
    """`journey fetch` finds a task by JourneyAPI's id, waits for its end and stores its result."""
    hosted.run("upscale", "koi.png", *THERE, "-o", "first.png")
    (entry,) = history(hosted).lists.latest()
    answer = hosted.run("fetch", str(entry.task_id), "-o", "second.png")
    assert "second.png · 256 × 192 px" in answer.out
    assert (hosted.folder / "first.png").read_bytes() == (hosted.folder / "second.png").read_bytes()
    assert "has no task" in hosted.run("fetch", "unknown", status=2).err
    assert 1 == api.charges


def test_the_account_is_shown(hosted: Terminal, api: StandIn) -> None:
    """`journey account` shows the credits that are left."""
    assert f"Credits: {api.credits}" in hosted.run("account").out
