"""A stand-in for the hosted JourneyAPI, for tests of programs that use it. It never leaves this machine.

    from journey.testing import journeyapi  # a fixture of pytest: the stand-in, started on a free port

    def test_mine(journeyapi):
        my_program(key=journeyapi.key, base_url=journeyapi.url)
        assert journeyapi.spent == 2

stand_in  the stand-in itself       faults        what a call may meet, for tests in Python
calls     the rules of the wire     named_faults  the same by words, in a header or as a key
tasks     the life of a task        webhooks      the documented deliveries and retries
pictures  results                   server        the listener
fixtures  for pytest                emulator      `journey engine --emulate`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journey.testing.calls import Call
from journey.testing.faults import (
    Change,
    Close,
    Drip,
    Fault,
    Hang,
    Late,
    Reply,
    each_task,
    rate_limited,
    redirect,
    web_page,
    with_fields,
    without,
)
from journey.testing.pictures import picture
from journey.testing.stand_in import StandIn
from journey.testing.tasks import GRID_ID, SINGLE_ID, STEPS, StandInTask

if TYPE_CHECKING:
    from journey.testing.fixtures import journeyapi

__all__ = [
    "GRID_ID",
    "SINGLE_ID",
    "STEPS",
    "Call",
    "Change",
    "Close",
    "Drip",
    "Fault",
    "Hang",
    "Late",
    "Reply",
    "StandIn",
    "StandInTask",
    "each_task",
    "journeyapi",
    "picture",
    "rate_limited",
    "redirect",
    "web_page",
    "with_fields",
    "without",
]


def __getattr__(name: str) -> object:
    """Import the fixture when it is asked for: only tests have pytest."""
    if name == "journeyapi":
        from journey.testing.fixtures import journeyapi

        return journeyapi
    raise AttributeError(f"module 'journey.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    """All public names, so that `pytest_plugins = ["journey.testing"]` finds the fixture."""
    return __all__
