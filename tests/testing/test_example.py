"""A program that knows nothing of the stand-in, run against it as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from journey.testing import StandIn

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "uses_journeyapi.py"


def run(api: StandIn, key: str) -> subprocess.CompletedProcess[str]:
    """Run the program with two pictures and this key."""
    pictures = [api.picture_url(30, 20), api.picture_url(40, 20)]
    environment = os.environ | {"JOURNEY_API_KEY": key, "JOURNEY_API_URL": api.url, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, PROGRAM, *pictures], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_it_is_short() -> None:
    """The program has at most thirty lines, without the empty ones."""
    assert len([line for line in PROGRAM.read_text().splitlines() if line.strip()]) <= 30


@pytest.mark.parametrize("key", [None, "429-for-3-calls", "omit-from-fetch-many", "duplicate-webhook", "no-webhook"])
def test_it_gets_its_results(key: str | None) -> None:
    """It ends well, and each picture is charged once, though orders are refused or an id is left out."""
    with StandIn(seed=0, speed=50) as api:
        done = run(api, key or api.key)
        assert 0 == done.returncode, done.stderr
        assert 2 == done.stdout.count(f"-> {api.origin}/cdn/")
        assert (2, 4) == (api.charges, api.spent)
        assert {"http"} == {call.body["webhook_url"][:4] for call in api.calls_to("upscale-2x-4x")}
        if key is None:  # nothing else wakes the program before it asks for the first time
            assert any(each.has_arrived for each in api.deliveries)


def test_it_says_why_a_task_failed() -> None:
    """A failure is told for each picture in the API's words."""
    with StandIn(seed=0, speed=50) as api:
        assert 2 == run(api, "fail:content-policy").stdout.count("-> content policy")


def test_it_does_not_pay_twice_for_a_dropped_answer() -> None:
    """An order whose answer was dropped ends the program with the error that says so, and is sent once."""
    with StandIn(seed=0, speed=50) as api:
        done = run(api, "drop-after-reading")
        assert (1, 1) == (done.returncode, api.charges)
        assert "Ambiguous: " in done.stderr


def test_it_ends_when_the_credits_do() -> None:
    """The order that the account cannot pay for is refused."""
    with StandIn(seed=0, speed=50, credits=3) as api:
        done = run(api, api.key)
        assert (1, 1) == (done.returncode, api.credits)
        assert "InsufficientCredits: " in done.stderr
