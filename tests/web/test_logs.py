"""Logs that whoever reaches the server can neither fill nor forge."""

from __future__ import annotations

import errno
import logging
import sys

import pytest

from journey.errors import DatabaseAway
from journey.web.logs import ALIKE_A_MINUTE, ALL_A_MINUTE, LINE_LIMIT, Bounded, OneLine
from tests.harness.standing import Clock


def record(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    trace = None
    if error is not None:
        try:
            raise error
        except BaseException:
            trace = sys.exc_info()
    return logging.LogRecord("journey.somewhere", logging.WARNING, __file__, 1, message, arguments, trace)


@pytest.mark.parametrize("said", ["a\nERROR root: forged", "a\r\nb", "a\x1b[2Jb", "a\u2028b", "a\u202eb", "a\x00b"])
def test_an_event_is_one_line(said: str) -> None:
    """Nothing from outside begins a line of its own, moves the cursor or turns the direction of writing."""
    line = OneLine().format(record("refused: %s", said))
    assert line.isprintable()
    assert "refused: a" in line


def test_a_line_has_an_end() -> None:
    """A line is cut in the middle, so that the end of a trace stays."""
    line = OneLine().format(record("x" * 100_000, error=RuntimeError("the reason")))
    assert LINE_LIMIT + 10 >= len(line)
    assert "RuntimeError: the reason" in line
    assert "xxx" in line


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DatabaseAway("it is locked"), "it is locked"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
    ],
)
def test_a_known_trouble_has_no_trace(error: Exception, reason: str) -> None:
    """A database that is away and a full disk are said with their reason, without a trace."""
    line = OneLine().format(record("the result cannot be stored", error=error))
    assert f"the result cannot be stored: {reason}" in line
    assert "Traceback" not in line


def test_no_secret_is_written() -> None:
    """The keys of the settings are nowhere in a line, neither in its message nor in its trace."""
    line = OneLine(secrets=("s3cr3t", "")).format(record("sent %s", "Bearer s3cr3t", error=ValueError("bad s3cr3t")))
    assert "s3cr3t" not in line
    assert "ValueError" in line


def test_no_signature_is_written() -> None:
    """Addresses in a message, its arguments and its trace are written without the values of their query."""
    signed = "https://me:s1gned@cdn.example/x?X-Amz-Signature=s1gned"
    line = OneLine().format(record("at %r", signed, error=ValueError(f"{signed}&more=s1gned")))
    assert "s1gned" not in line
    assert 2 == line.count("https://…@cdn.example/x?X-Amz-Signature=…")


def test_events_of_a_kind_are_counted_rather_than_written() -> None:
    """So many of a kind pass in a minute, and the first of the next minute says how many did not."""
    clock = Clock()
    bounded = Bounded(clock=clock)
    passed = [bounded.filter(record("refused: %s", number)) for number in range(1000)]
    assert ALIKE_A_MINUTE == sum(passed)
    assert bounded.filter(record("something else"))
    clock.now += 61
    again = record("refused: %s", "x")
    assert bounded.filter(again)
    assert "refused: x" == again.getMessage()


def test_all_events_together_are_bounded() -> None:
    """Ever new kinds of events do not get around the limit, and how many were left out is told."""
    clock = Clock()
    bounded = Bounded(clock=clock)
    assert ALL_A_MINUTE == sum(bounded.filter(record(f"kind {number}")) for number in range(5000))
    clock.now += 61
    first = record("next")
    assert bounded.filter(first)
    assert f"next ({5000 - ALL_A_MINUTE:,} events left out before this)" == first.getMessage()
