"""All that is known about one entry, in the words of people."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from journey.history import ANSWER_LIMIT, Entry, Moment
from journey.views.words import STATE_WORDS, duration, file_size, literal, pixels, print_size, state_words, zone


def facts(entry: Entry, *, engine: str, timezone: str | None, now: float) -> dict[str, str]:
    """What is known, by its name, in the order of reading; what is not known is left out.

    `engine` is its name for people. The values may be text from outside. No secret and no token is among them.
    """
    size = f"{entry.result_bytes:,} bytes ({file_size(entry.result_bytes)})" if entry.result_bytes else None
    known: dict[str, object] = {
        "Name": entry.name,
        "Entry ID": entry.id,
        "Task ID": entry.task_id,
        "State": state_words(entry, now),
        "Status at the engine": entry.task_status and entry.task_status.value,
        "Progress": None if entry.percentage is None else f"{entry.percentage} %",
        "Engine": engine,
        "Network asked for": entry.model,
        "Network used": entry.result_model,
        "Enlarged": entry.type,
        "Original": entry.source_width and pixels(entry.source_width, entry.source_height),
        "Result": entry.result_width and pixels(entry.result_width, entry.result_height),
        "Result prints at 300 DPI": entry.result_width and print_size(entry.result_width, entry.result_height),
        "Result file": entry.result_file,
        "Result size": size,
        "Credits": entry.credits,
        "Times sent": entry.attempts,
        "Downloads tried again": entry.archive_attempts or None,
        "Who": entry.person,
        "Added": _time(entry.created_at, timezone),
        "Sent": _time(entry.submitted_at, timezone),
        "Ended": _time(entry.finished_at, timezone),
        "Last change": _time(entry.changed_at, timezone),
        "Looked at next": None if entry.state.over else _time(entry.due_at, timezone),
        "Took": entry.finished_at and duration(entry.finished_at - entry.created_at),
        "Address of the picture": entry.image_url,
        "Upscaled task": _picture_of(entry.parent_task_id, entry.index),
        "Came from task": _picture_of(entry.came_from, entry.came_from_index),
        "Batch": entry.batch,
        "Address of the result": entry.result_url if entry.engine == "journeyapi" else None,
        "Webhook": _host(entry.webhook_url),
        "Error": entry.error,
        "Note": entry.note,
    }
    return {name: str(value) for name, value in known.items() if value not in (None, "")}


def as_markdown(text: str) -> str:
    """Text from outside as Markdown that shows it as it is, on one line. Addresses in it do not become links."""
    if not re.search(r"://|@|www\.", text, re.IGNORECASE):
        return literal(text, limit=ANSWER_LIMIT)
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}"


@dataclass(frozen=True)
class Step:
    """One line of a time line. `lasted` is how long it stayed like this; empty at the end."""

    when: str
    state: str
    lasted: str
    words: str


def steps(moments: Sequence[Moment], *, timezone: str | None, now: float) -> list[Step]:
    """The time line with how long each state lasted, the first one first."""
    ends = [moment.at for moment in moments[1:]]
    if moments and not moments[-1].state.over:
        ends.append(now)
    lasted = [duration(end - moment.at) for moment, end in zip(moments, ends, strict=False)]
    return [
        Step(
            _time(moment.at, timezone) or "",
            STATE_WORDS[moment.state],
            lasted[place] if place < len(lasted) else "",
            moment.words or "",
        )
        for place, moment in enumerate(moments)
    ]


def _time(seconds: float | None, timezone: str | None) -> str | None:
    if seconds is None:
        return None
    return f"{datetime.datetime.fromtimestamp(seconds, zone(timezone)):%d %b %Y, %H:%M:%S}"


def _picture_of(task_id: str | None, index: str | None) -> str | None:
    return task_id and task_id + (f", picture {index}" if index else "")


def _host(url: str | None) -> str | None:
    """Who is called; the rest of such an address is often a secret."""
    return url and f"{urlsplit(url).hostname} (the rest of the address and the secret are not shown)"
