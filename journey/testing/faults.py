"""What a call may meet instead of its usual answer. The server of the stand-in carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

PAGE = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"


class Close(Enum):
    """The connection is closed before a whole answer was sent."""

    BEFORE_READING = auto()
    AFTER_READING = auto()
    HALF_ANSWER = auto()
    """The headers promise the whole answer, but only half of its JSON comes."""


@dataclass(frozen=True)
class Hang:
    """The request is read and carried out, but the answer never comes."""


@dataclass(frozen=True)
class Drip:
    """The answer comes byte by byte, with `pause` seconds after each."""

    pause: float = 0.05


@dataclass(frozen=True)
class Late:
    """The usual answer, this many `seconds` late."""

    seconds: float


@dataclass(frozen=True)
class Reply:
    """An answer of any shape instead of the usual one. A `body` that is not bytes or text is sent as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: bool = False


@dataclass(frozen=True)
class Change:
    """The usual JSON answer (status 200), changed on its way out."""

    change: Callable[[Any], Any]


Fault = Close | Hang | Drip | Late | Reply | Change | None
"""None is the usual answer."""


def web_page(status: int = 200) -> Reply:
    """What a proxy in front of the API says."""
    return Reply(status, PAGE, {"Content-Type": "text/html"})


def rate_limited(retry_after: str | None = None) -> Reply:
    """A 429, with a Retry-After header when one is given."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(429, {"errors": [{"msg": "Too many requests"}]}, headers)


def redirect(location: str, status: int = 302) -> Reply:
    """An answer that points elsewhere."""
    return Reply(status, b"", {"Location": location})


def without(*names: str) -> Change:
    """The answer with these fields left out."""
    return Change(lambda answer: {name: value for name, value in answer.items() if name not in names})


def with_fields(**fields: Any) -> Change:
    """The answer with these fields replaced."""
    return Change(lambda answer: {**answer, **fields})


def each_task(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """An answer about one task or about many, with each task changed on its way out."""

    def changed(answer: dict[str, Any]) -> dict[str, Any]:
        if "tasks" in answer:
            return {"tasks": [change(task) for task in answer["tasks"]]}
        return change(answer)

    return Change(changed)
