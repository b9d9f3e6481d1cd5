"""Everything that is known about one entry, in plain words."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from journey.api.answers import KEPT_ANSWER
from journey.errors import one_line
from journey.history import Entry, Moment
from journey.outside.masking import masked, masked_text
from journey.views.ways import follows_words
from journey.views.words import STATE_WORDS, duration, file_size, literal, pixels, print_size, state_words, zone


def facts(entry: Entry, *, timezone: str | None, now: float) -> dict[str, str]:
    """What is known, by its name, in reading order; what is not known is left out.

    The values may be text from outside. None of them is a secret or a token: addresses are masked.
    """
    size = entry.result_bytes
    known: dict[str, object] = {
        "Name": entry.name,
        "Entry ID": entry.id,
        "Task ID": entry.task_id,
        "State": state_words(entry, now),
        "Status at the provider": entry.task_status and entry.task_status.value,
        "Progress": None if entry.percentage is None else f"{entry.percentage} %",
        "Provider": entry.provider.label,
        "Network asked for": entry.network,
        "Network used": entry.result_model,
        "Enlarged": entry.type,
        "Order of two steps": follows_words(entry) if entry.step else None,
        "Network of the second step": entry.then_network,
        "Follows the entry": entry.follows,
        "Original": entry.source_size and pixels(entry.source_size),
        "Result": entry.result_size and pixels(entry.result_size),
        "Result prints at 300 DPI": entry.result_size and print_size(entry.result_size),
        "Result file": entry.result and entry.result.file,
        "Result size": size and f"{size:,} bytes ({file_size(size)})",
        "Credits": entry.credits,
        "Times sent": entry.attempts,
        "Downloads tried again": entry.archive_attempts or None,
        "Who": entry.person,
        "Added": _time(entry.created_at, timezone),
        "Sent": _time(entry.submitted_at, timezone),
        "Ended": _time(entry.finished_at, timezone),
        "Last change": _time(entry.changed_at, timezone),
        "Next check": None
        if entry.state.over
        else _time(entry.due_at and max(entry.due_at, entry.changed_at), timezone),
        "Took": entry.finished_at and duration(entry.finished_at - entry.created_at),
        "Address of the picture": entry.image_url and masked(entry.image_url),
        "Upscaled task": _picture_of(entry.parent_task_id, entry.index),
        "Came from task": _picture_of(entry.came_from, entry.came_from_index),
        "Batch": entry.batch,
        "Address of the result": None if entry.provider.is_here else entry.result_url and masked(entry.result_url),
        "Webhook": _host(entry.webhook_url),
        "Error": entry.error,
        "Note": entry.note,
    }
    return {name: str(value) for name, value in known.items() if value not in (None, "")}


def whole_addresses(entry: Entry, person: str | None) -> dict[str, str]:
    """The labels and whole addresses of links for the person who queued the entry; none for anybody else."""
    known = {"Open the picture's address": entry.image_url}
    known |= {} if entry.provider.is_here else {"Open the result's address": entry.result_url}
    return {label: link for label, address in known.items() if (link := own_link(address, entry, person))}


def own_link(address: str | None, entry: Entry, person: str | None) -> str | None:
    """A whole address, which may be signed, for the person who queued the entry; None for anybody else.

    What is no address of the web could be a script, and gets no link either.
    """
    is_web = address is not None and re.match("https?://", address, re.IGNORECASE)
    return address if is_web and entry.person == person else None


def child_words(child: Entry, now: float) -> str:
    """A task that another one led to, on one line. It may hold text from outside."""
    size = pixels(child.result_size) if child.result_size else ""
    return " · ".join(filter(None, (child.name, child.type, state_words(child, now), size)))


def as_markdown(text: str) -> str:
    """Text from outside as Markdown that shows it as it is, on one line.

    Addresses in it are masked, and do not become links.
    """
    text = masked_text(text)
    if not re.search(r"://|@|www\.", text, re.IGNORECASE):
        return literal(text, limit=KEPT_ANSWER)
    line = one_line(text, KEPT_ANSWER)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}"


@dataclass(frozen=True)
class Step:
    """One line of a timeline. `lasted` is how long the state lasted; empty for a final state."""

    when: str
    state: str
    lasted: str
    words: str


def steps(moments: Sequence[Moment], *, timezone: str | None, now: float) -> list[Step]:
    """The timeline: each state in order, with how long it lasted."""
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
    """The host that is called; the rest of such an address is often a secret."""
    return url and f"{urlsplit(url).hostname} (the rest of the address and the secret are not shown)"
