"""Sentences and numbers as people read them. Pure functions, so that pages hold no logic of their own."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from journey import printing
from journey.api.models import Account, TaskStatus
from journey.errors import counted as counted  # noqa: PLC0414  pages find all words here
from journey.errors import one_line
from journey.history import UNDECIDED, Entry, State
from journey.history.kinship import variant_of
from journey.outside.masking import masked_text
from journey.printing import Paper
from journey.provider import Provider
from journey.storage.stored import StoredPicture

_WORD_JOINER = "\u2060"
_LINK = re.compile(r"(?<=://)|(?<=www)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=\"'/@])")

STATE_WORDS: dict[State, str] = {
    State.QUEUED: "Waiting to be sent",
    State.SUBMITTING: "Being sent",
    State.ASKING: "Needs your decision",
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

    Addresses are masked, and do not become links: an invisible character breaks them up, because escapes alone do not.
    """
    text = masked_text(text)
    line = one_line(text, limit) + ("…" if len(text) > limit else "")
    return _MARKDOWN.sub(r"\\\1", _LINK.sub(_WORD_JOINER, line))


def state_words(entry: Entry, now: float) -> str:
    """The state of an entry in two or three words."""
    if entry.state is State.OPEN:
        if entry.is_stale(now):
            return "No news for 30 minutes"
        return _OPEN_WORDS.get(entry.task_status or TaskStatus.PENDING, STATE_WORDS[State.OPEN])
    return STATE_WORDS[entry.state]


FIRST_SHARE = 1 / 17
"""How much of an order of two steps its first step is: time goes by pixels, and the first step makes 16 of each."""


def progress(entry: Entry) -> int:
    """0 to 100 for a progress bar, which goes over both steps when an order has two."""
    if entry.state is State.FINISHED:
        return 100
    done = min(99, entry.percentage or 0)
    if entry.step == 1:
        return round(done * FIRST_SHARE)
    return min(99, round(100 * FIRST_SHARE + done * (1 - FIRST_SHARE))) if entry.step == 2 else done


def progress_words(entry: Entry, now: float, usual_seconds: float | None = None) -> str:
    """Such as `Upscaling · 42 % · 3 s so far, usually about 5 s`, after `Step 1 of 2` when an order has two."""
    parts = [f"Step {entry.step} of 2"] if entry.step else []
    parts.append(state_words(entry, now))
    if entry.state in (State.OPEN, State.ARCHIVING) and entry.percentage is not None:
        parts.append(f"{progress(entry)} %")
    spent = f"{duration(now - entry.created_at)} so far"
    if usual_seconds and entry.state in (State.SUBMITTING, State.OPEN):
        spent += f", usually about {duration(usual_seconds)}"
    return " · ".join([*parts, spent])


def origin_words(task_id: str, index: str | None) -> str:
    """Where a picture came from, such as `From task 994c2844, picture 3`. The id is from outside."""
    return f"From task {task_id}" + (f", picture {index}" if index else "")


def pair_words(entry: Entry, other: Entry | None, now: float) -> str:
    """Why the two halves of an A/B pair cannot be compared."""
    if other is None:
        return "A/B: the other half has been deleted."
    missing = [half for half in (entry, other) if not half.result]
    for half in missing:
        if half.state is State.FINISHED:
            return f"A/B: the result of {variant_of(half).name} is no longer stored."
        if half.state.over:
            return f"A/B: {variant_of(half).name} has no result to compare ({state_words(half, now).lower()})."
    return (
        "A/B: not finished yet: "
        + ", ".join(f"{variant_of(half).name} ({state_words(half, now).lower()})" for half in missing)
        + "."
    )


def tab_title(page: str, open_tasks: int) -> str:
    """The title of the browser's tab: `(2) Upscale · Journey Print Studio`."""
    return (f"({open_tasks}) " if open_tasks else "") + f"{page} · Journey Print Studio"


def ending(entry: Entry) -> str | None:
    """What to tell the person who queued this, as Markdown; None while it is under way, or when a person ended it.

    Of an order of two steps, a finished first one is no end.
    """
    name = literal(entry.name, limit=80)
    if entry.state is State.FINISHED and entry.step == 1:
        return None
    if entry.state is State.FINISHED:
        return f"**{name}** is finished ({literal(variant_of(entry).name)}): {pixels(entry.result_size)}."
    if entry.state is State.FAILED:
        return f"**{name}** failed: {literal(entry.error or 'no reason was given.', limit=160)}"
    if entry.state is State.ASKING:
        return f"**{name}** needs your decision: its link has expired, so nothing was sent."
    if entry.state is State.AMBIGUOUS:
        return f"**{name}** needs your decision: it is not known whether {entry.provider.label} accepted it."
    return None


def endings(entries: Sequence[Entry]) -> str:
    """What to say when many tasks have ended: `12 tasks ended: 11 finished, 1 failed.`"""
    counted = [
        (sum(entry.state in states for entry in entries), words)
        for states, words in (
            ({State.FINISHED}, "finished"),
            ({State.FAILED}, "failed"),
            (UNDECIDED, "waiting for your decision"),
        )
    ]
    parts = [f"{count} {words}" for count, words in counted if count]
    return f"{len(entries)} tasks ended: {', '.join(parts)}."


def balance_problem(provider: Provider, cost: int, credits_left: int | None, *, works_here: bool) -> str | None:
    """What to say before a click that the provider's account cannot pay for. `works_here`: this machine can as well."""
    if credits_left is None or cost <= credits_left:
        return None
    return (
        f"This costs {counted(cost, 'credit')}, but your {provider.label} account has only {credits_left:,}. What "
        "you queue waits until there are enough." + (" Upscaling on this machine is free." if works_here else "")
    )


def duration(seconds: float) -> str:
    """`4 s`, `2 min`, `1 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def download_words(result: StoredPicture) -> str:
    """`Download PNG · 34.3 MB`; only PNG is named, because it is the format that people expect."""
    kind = "Download PNG" if result.file.endswith(".png") else "Download"
    return f"{kind} · {file_size(result.bytes)}"


def took(entry: Entry, begun: Entry | None = None) -> str | None:
    """How long a finished entry took from the click to the stored result. `begun` is the first step of its order."""
    if entry.state is not State.FINISHED or entry.finished_at is None:
        return None
    return duration(entry.finished_at - (begun or entry).created_at)


def cleaning_words(entry: Entry) -> str | None:
    """Said of a result for which the traces of JPEG were taken out of its source first; None of all others."""
    was_cleaned = entry.provider.has_networks and " after waifu2x" in (entry.result_model or "")
    return "The source had traces of JPEG. They were cleaned first." if was_cleaned else None


def pixels(size: tuple[int, int] | None) -> str:
    """`1024 × 1536 px`, or a dash when unknown."""
    return f"{size[0]} × {size[1]} px" if size else "–"


def print_size(size: tuple[int, int] | None, *, dpi: float = 300) -> str:
    """`3.4 × 5.1 in · 8.7 × 13.0 cm` at a resolution, or a dash when unknown."""
    if size is None:
        return "–"
    paper = printing.print_size(*size, dpi)
    return f"{paper.text('in')} · {paper.text('cm')}"


def paper_name(paper: Paper) -> str:
    """`A3`, `8 × 10`."""
    is_a_size = paper.product is None and paper.name[:1].isdigit()
    return paper.name.replace("x", " × ") if is_a_size else paper.name


def file_size(size: int | None) -> str:
    """`12 KB`, `3.4 MB`, `5.6 GB` or `7.8 TB`, by powers of 1,024; a dash when unknown."""
    if size is None:
        return "–"
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB")):
        if size >= 1024**power:
            return f"{size / 1024**power:.1f} {unit}"
    return f"{size / 1024:.0f} KB"


def cost_words(provider: Provider) -> str:
    """What one upscale costs at this provider."""
    return counted(provider.credits, "credit") if provider.is_paid else "free"


def provider_badge(provider: Provider, account: Account | None, *, is_ready: bool) -> str:
    """`JourneyAPI · 240 credits`, `This machine`, `JourneyAPI · paused`."""
    if not is_ready:
        return f"{provider.label} · paused"
    credits_left = account.credits if account else None
    return provider.label if credits_left is None else f"{provider.label} · {counted(credits_left, 'credit')}"


def moment(seconds: float | None, timezone: str | None = None) -> str:
    """A point in time such as `22 Nov 2026, 14:05`, in the reader's own time zone when it is known."""
    if seconds is None:
        return "–"
    return f"{datetime.datetime.fromtimestamp(seconds, zone(timezone)):%d %b %Y, %H:%M}"


def zone(name: str | None) -> datetime.tzinfo:
    """The time zone of this name; UTC when the name is not known."""
    try:
        return ZoneInfo(name) if name else datetime.UTC
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return datetime.UTC
