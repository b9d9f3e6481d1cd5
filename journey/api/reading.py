"""Single fields of an answer, however they are written. What cannot be read is None, and nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from journey.errors import one_line
from journey.outside.addresses import URL_LIMIT

SUCCESS = frozenset(
    {"success", "successful", "succeeded", "succeed", "complete", "completed", "done", "finish", "finished"}
)
PLAIN_FAILURE = frozenset({"fail", "failed", "failure", "error", "errored"})
FAILURE = PLAIN_FAILURE | frozenset(
    {
        *("cancel", "cancelled", "canceled"),
        *("moderated", "rejected", "refused", "banned", "aborted", "expired", "timeout", "timedout"),
    }
)
"""The words with which services say that a task is over, as `word` gives them."""

_ERRORS = ("error", "errors", "error_message", "errorMessage", "failure_reason", "fail_reason", "failReason")
_SAYINGS = (*_ERRORS, "reason", "message", "msg", "detail", "details")
_INSIDE = (*_SAYINGS, "description", "title")
"""Where sentences are: under these names of an answer, and under these of an object that stands for a sentence."""

_NAMES = ("code", "type", "name")
"""What stands in for a sentence where there is none."""

_MOST_WORDS = 50
_DEEPEST = 5


def text(value: object, limit: int) -> str | None:
    """A text that any database can hold, cut to the limit; None for anything else, and for an empty one."""
    if not isinstance(value, str) or not value:
        return None
    # Lone surrogates and NUL can be sent as JSON escapes, but not every database can store them.
    return value[:limit].encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def word(value: object) -> str:
    """A word without regard to case, spaces and what joins its parts: `TIMED_OUT` is `timedout`; "" for no word."""
    return "".join(char for char in value.casefold() if char.isalpha()) if isinstance(value, str) else ""


def address(value: object) -> str | None:
    """An address as a browser takes it: without blanks round it, without line breaks, with spaces encoded.

    None for what is no text, and for one that would be longer than URL_LIMIT: its beginning leads elsewhere.
    """
    if not isinstance(value, str) or len(value) > 4 * URL_LIMIT:
        return None
    found = re.sub(r"[\t\r\n]", "", value.strip(" \t\r\n\f\v\x00\xa0\u200b\ufeff")).replace(" ", "%20")
    return text(found, len(found)) if len(found) <= URL_LIMIT else None


def is_too_long(value: object) -> bool:
    """True for an address that `address` refuses for its length alone."""
    return isinstance(value, str) and bool(value.strip()) and address(value) is None


def whole(value: object) -> int | None:
    """A whole number that a database can hold; digits in a string are understood as well."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 2**53:  # False for NaN
        return None
    return int(value)


def number(value: object) -> float | None:
    """A number, or one in a string such as "42", "42.0" or "42 %". None for NaN and for what no percentage is."""
    if isinstance(value, str):
        value = value.strip().removesuffix("%").rstrip()[:10]
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < float("inf") else None  # False for NaN


def complaints(body: object) -> list[str]:
    """The sentences in a body under names that mean an error, wherever the API put them."""
    return _sentences(body, _ERRORS)


def sayings(body: object) -> list[str]:
    """The sentences in a body under any name that holds words for people: complaints, messages, details."""
    return _sentences(body, _SAYINGS)


def _sentences(body: object, names: Collection[str]) -> list[str]:
    """Each once, on one line, in the order of the names."""
    found: dict[str, None] = {}
    for each in _under(body, names, _DEEPEST):
        if line := one_line(each):
            found[line] = None
        if len(found) >= _MOST_WORDS:
            break
    return list(found)


def _under(body: object, names: Collection[str], depth: int) -> Iterator[str]:
    if isinstance(body, Mapping):
        for name in names:
            yield from _said(body.get(name), depth)


def _said(value: Any, depth: int) -> Iterator[str]:
    """The sentences in the value of such a name: a text, an object with texts of its own, or a list of these."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, list):
        for item in value[:_MOST_WORDS]:
            yield from _said(item, depth - 1)
    elif depth and isinstance(value, Mapping):
        sentences = list(_under(value, _INSIDE, depth - 1))
        # {"prompt": ["is banned"]} names the fields at fault; {"code": "MODERATED"} has nothing but a name.
        yield from (
            sentences
            or [each for each in map(value.get, _NAMES) if isinstance(each, str)]
            or (each for item in list(value.values())[:_MOST_WORDS] for each in _said(item, depth - 1))
        )
