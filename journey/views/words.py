"""Sentences and numbers as people read them. Pure functions, so that pages hold no logic of their own."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from journey import printing
from journey.api.models import CREDITS_PER_UPSCALE, TaskStatus
from journey.history import Entry, State

_WORD_JOINER = "\u2060"
_LINK = re.compile(r"(?<=://)|(?<=www)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=\"'/@])")

STATE_WORDS: dict[State, str] = {
    State.QUEUED: "Waiting to be sent",
    State.SUBMITTING: "Being sent",
    State.AMBIGUOUS: "Needs your decision",
    State.OPEN: "In progress",
    State.ARCHIVING: "Storing the result",
    State.FINISHED: "Finished",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
    State.ABANDONED: "No longer watched",
    State.STOPPED: "Stopped",
}

_OPEN_WORDS: dict[TaskStatus, str] = {
    TaskStatus.STAGED: "Accepted",
    TaskStatus.PENDING: "Waiting its turn",
    TaskStatus.STARTING: "Starting",
    TaskStatus.PROCESSING: "Upscaling",
    TaskStatus.FINISHED: "Finished, about to be stored",
}


def literal(text: str, *, limit: int = 2_000) -> str:
    """Text from outside as Markdown that shows it literally, on one line, cut to `limit` characters.

    Addresses are made no links: an invisible character keeps them apart, because escapes alone do not.
    """
    cut = text if len(text) <= limit else text[:limit] + "…"
    line = " ".join("".join(char if char.isprintable() else " " for char in cut).split())
    return _MARKDOWN.sub(r"\\\1", _LINK.sub(_WORD_JOINER, line))


def state_words(entry: Entry, now: float) -> str:
    """The state of an entry in two or three words."""
    if entry.state is State.OPEN:
        if entry.is_stale(now):
            return "No news for 30 minutes"
        return _OPEN_WORDS.get(entry.task_status or TaskStatus.PENDING, STATE_WORDS[State.OPEN])
    return STATE_WORDS[entry.state]


def progress(entry: Entry) -> int:
    """0 to 100 for a progress bar."""
    if entry.state is State.FINISHED:
        return 100
    return min(99, entry.percentage or 0)


def progress_words(entry: Entry, now: float, usual_seconds: float | None = None) -> str:
    """Such as `Upscaling · 42 % · 3 s so far, usually about 5 s`."""
    parts = [state_words(entry, now)]
    if entry.state in (State.OPEN, State.ARCHIVING) and entry.percentage is not None:
        parts.append(f"{progress(entry)} %")
    spent = f"{duration(now - entry.created_at)} so far"
    if usual_seconds and entry.state in (State.SUBMITTING, State.OPEN):
        spent += f", usually about {duration(usual_seconds)}"
    return " · ".join([*parts, spent])


def lineage(task_id: str, index: str | None) -> str:
    """Where a picture came from, such as `From task 994c2844, picture 3`. The id is from outside."""
    return f"From task {task_id}" + (f", picture {index}" if index else "")


def variant(entry: Entry) -> str:
    """Which of two ways an entry of an A/B pair went: `JourneyAPI`, or the network on this machine."""
    return "JourneyAPI" if entry.engine == "journeyapi" else entry.model or "this machine"


def pair_words(entry: Entry, other: Entry | None, now: float) -> str:
    """What keeps the two halves of an A/B pair from being compared."""
    if other is None:
        return "A/B: the other half has been deleted."
    missing = [half for half in (entry, other) if not has_result(half)]
    for half in missing:
        if half.state is State.FINISHED:
            return f"A/B: the result of {variant(half)} is no longer stored."
        if half.state.over:
            return f"A/B: {variant(half)} has no result to compare: {state_words(half, now).lower()}."
    return (
        "A/B: still missing "
        + ", ".join(f"{variant(half)}: {state_words(half, now).lower()}" for half in missing)
        + "."
    )


def has_result(entry: Entry) -> bool:
    """True when the result is stored here."""
    return entry.state is State.FINISHED and entry.result_key is not None


def tab_title(page: str, open_tasks: int) -> str:
    """The title of the browser's tab: `(2) Upscale · Journey Print Studio`."""
    return (f"({open_tasks}) " if open_tasks else "") + f"{page} · Journey Print Studio"


def ending(entry: Entry) -> str | None:
    """What to tell whoever queued this, as Markdown; None while it goes on, and for what a person ended."""
    name = literal(entry.name, limit=80)
    if entry.state is State.FINISHED:
        return (
            f"**{name}** is finished with {literal(variant(entry))}: {pixels(entry.result_width, entry.result_height)}."
        )
    if entry.state is State.FAILED:
        return f"**{name}** failed: {literal(entry.error or 'no reason was given.', limit=160)}"
    if entry.state is State.AMBIGUOUS:
        return f"**{name}** needs your decision: it is not known whether JourneyAPI accepted it."
    return None


def endings(entries: Sequence[Entry]) -> str:
    """What to tell about many that ended: `12 tasks ended: 11 finished, 1 failed.`"""
    counted = [
        (sum(entry.state is state for entry in entries), words)
        for state, words in (
            (State.FINISHED, "finished"),
            (State.FAILED, "failed"),
            (State.AMBIGUOUS, "waiting for your decision"),
        )
    ]
    parts = [f"{count} {words}" for count, words in counted if count]
    return f"{len(entries)} tasks ended: {', '.join(parts)}."


def balance_problem(cost: int, credits_left: int | None) -> str | None:
    """What to say before a click that the account at JourneyAPI cannot pay for."""
    if credits_left is None or cost <= credits_left:
        return None
    return (
        f"This costs {cost} credits, and your JourneyAPI account has {credits_left:,}. What you queue waits until "
        "there are enough; the engine on this machine is free."
    )


def counted(number: int, noun: str) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def duration(seconds: float) -> str:
    """`4 s`, `2 min`, `1 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def took(entry: Entry) -> str | None:
    """How long a finished entry took from the click to the stored result."""
    if entry.state is not State.FINISHED or entry.finished_at is None:
        return None
    return duration(entry.finished_at - entry.created_at)


def pixels(width: int | None, height: int | None) -> str:
    """`1024 × 1536 px`, or a dash when unknown."""
    return f"{width} × {height} px" if width and height else "–"


def print_size(width: int | None, height: int | None, *, dpi: float = 300) -> str:
    """`3.4 × 5.1 in · 8.7 × 13.0 cm` at a resolution, or a dash when unknown."""
    if not width or not height:
        return "–"
    size = printing.print_size(width, height, dpi)
    return f"{size.text('in')} · {size.text('cm')}"


def file_size(size: int | None) -> str:
    """`12 KB`, `3.4 MB`, `5.6 GB` or `7.8 TB`, by powers of 1,024; a dash when unknown."""
    if size is None:
        return "–"
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB")):
        if size >= 1024**power:
            return f"{size / 1024**power:.1f} {unit}"
    return f"{size / 1024:.0f} KB"


def cost_words(engine: str) -> str:
    """What one upscale costs there."""
    return f"{CREDITS_PER_UPSCALE} credits" if engine == "journeyapi" else "free"


def moment(seconds: float | None, timezone: str | None = None) -> str:
    """A point in time such as `22 Nov 2026, 14:05`, in the reader's own time zone when it is known."""
    if seconds is None:
        return "–"
    return f"{datetime.datetime.fromtimestamp(seconds, zone(timezone)):%d %b %Y, %H:%M}"


def zone(name: str | None) -> datetime.tzinfo:
    """The time zone of this name; UTC when it is not known."""
    try:
        return ZoneInfo(name) if name else datetime.UTC
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return datetime.UTC
