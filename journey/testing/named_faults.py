"""Faults that a program asks for by words: in the header X-Journey-Fault, or as its API key.

The words concern orders, unless the name of a call stands before them: `fetch: hang`. A key cannot hold spaces, so that
dashes stand for them there: `429-for-3-calls`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from journey.testing.faults import Close, Fault, Hang, Late, Reply, web_page
from journey.testing.tasks import Fate

HEADER = "x-journey-fault"
CALLS = {"upscale-2x-4x": "POST", "fetch": "POST", "fetch-many": "POST", "account": "GET"}
"""The calls of the wire, and the method of each."""
ORDER = "upscale-2x-4x"


@dataclass(frozen=True)
class TooMany:
    """Of every `calls` + 1 calls only the last gets its usual answer; the others get 429 and are not charged."""

    calls: int


Meaning = Fault | TooMany | Fate


@dataclass(frozen=True)
class Row:
    """A fault as the documents name it, what it does, and how its words are read."""

    words: str
    does: str
    pattern: str
    means: Callable[[str], Meaning]


ROWS = (
    Row("fail: WORDS", "the task ends as failed, with WORDS as its error", r"fail: ?(.+)", lambda it: Fate(error=it)),
    Row("status: WORD", "the task is told with this status all its life", r"status: ?(.+)", lambda it: Fate(status=it)),
    Row("stuck", "the task is at 50 percent and stays there", "(stuck)", lambda _: Fate(is_stuck=True)),
    Row(
        "omit from fetch-many",
        "the task is left out of answers to /fetch-many",
        "(omit from fetch[- ]many)",
        lambda _: Fate(is_omitted=True),
    ),
    Row(
        "expired result URLs",
        "the address of the result answers 403",
        "(expired result urls?)",
        lambda _: Fate(is_expired=True),
    ),
    Row(
        "slow webhook",
        "the webhook comes 60 seconds after the end",
        "(slow webhook)",
        lambda _: Fate(webhook_delay=60),
    ),
    Row("duplicate webhook", "the webhook comes twice", "(duplicate webhook)", lambda _: Fate(webhook_copies=2)),
    Row("no webhook", "the webhook never comes", "(no webhook)", lambda _: Fate(webhook_copies=0)),
    Row(
        "429 for N calls",
        "N calls are refused with 429 and Retry-After before each that is answered; free",
        r"429 for (\d{1,4}) calls?",
        lambda it: TooMany(int(it)),
    ),
    Row(
        "answer NNN",
        "the status NNN, with the body {}; free",
        r"answer ([45]\d\d)",
        lambda it: Reply(int(it), {}),
    ),
    Row("hang", "the call is read and carried out, and never answered", "(hang)", lambda _: Hang()),
    Row("slow answer", "the answer comes after 20 seconds", "(slow answer)", lambda _: Late(20)),
    Row(
        "drop after reading",
        "the call is read and carried out, then the connection is closed",
        "(drop after reading)",
        lambda _: Close.AFTER_READING,
    ),
    Row(
        "half an answer",
        "the connection is closed in the middle of the answer",
        "(half an answer)",
        lambda _: Close.HALF_ANSWER,
    ),
    Row(
        "no task id",
        "the order is carried out and answered with {}",
        "(no task id)",
        lambda _: Reply(200, {}, accepted=True),
    ),
    Row("web page", "a web page says 502 in place of the API; free", "(web page)", lambda _: web_page(502)),
)


@dataclass(frozen=True)
class Named:
    """A fault that was asked for, and the call that it concerns."""

    call: str
    meaning: Meaning


def read(words: str) -> Named | None:
    """What these words of a header ask for; None when they are not known."""
    words = " ".join(words.split())
    call = ORDER
    for name in CALLS:
        if found := re.match(name.replace("-", "[- ]") + ": ?", words, re.IGNORECASE):
            call, words = name, words[found.end() :]
            break
    for row in ROWS:
        if found := re.fullmatch(row.pattern, words, re.IGNORECASE):
            meaning = row.means(found[1])
            return None if isinstance(meaning, Fate) and call != ORDER else Named(call, meaning)
    return None


def read_key(key: str) -> Named | None:
    """What this API key asks for; None when it is no such key."""
    return read(re.sub("[-_]", " ", key))


def table() -> list[tuple[str, str]]:
    """What can be asked for, and what each does."""
    return [(row.words, row.does) for row in ROWS]


def problem(words: Any) -> str:
    """The sentence for words that nobody knows."""
    known = ", ".join(row.words for row in ROWS)
    return f"X-Journey-Fault: {str(words)[:80]!r} is not known here. Known are: {known}"
