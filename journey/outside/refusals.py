"""Why an address gave no picture, and what to do: one sentence for each reason."""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from journey.outside.expiring import expires_at
from journey.outside.shared import shared_by

RETRY_AFTER_LIMIT = 86_400.0
"""Seconds. A server that asks for a longer wait is asked again after a day."""

SAVE_AND_UPLOAD = "Open it in your browser, save the picture, and upload the file."
_PAGE = (
    "This is the address of a web page, not of a picture. Open the page, right-click the picture, "
    "copy its image address and use that."
)
_STATUS = {
    401: f"The server asks for a sign-in before it gives this file (401). {SAVE_AND_UPLOAD}",
    402: f"The server wants to be paid for this file (402). {SAVE_AND_UPLOAD}",
    403: f"The server refuses this file to programs such as this one (403). {SAVE_AND_UPLOAD}",
    404: "There is no file at this address (404). It may have been removed; check the address.",
    410: "There is no file at this address (410). It may have been removed; check the address.",
    451: "The server may not give this file out, for legal reasons (451). Use another picture.",
}
_BUSY = {429: "is getting too many requests", 503: "is busy"}


def of_status(status: int, passed: Sequence[str], *, retry_after: float | None, now: datetime) -> str:
    """Why an answer with this status, other than 200, is of no use.

    `passed` are the address that was given and those that it redirected to; `retry_after` is in seconds.
    """
    if 400 <= status < 500 and status not in (429, 451):
        for url in passed:
            if (end := expires_at(url)) and end <= now:
                return _expired(url, end)
    if status in (401, 403, 404, 410) and (hint := _shared(passed)):
        return hint
    if status in _BUSY:
        return f"The server at this address {_BUSY[status]} ({status}). Try again {in_words(retry_after)}."
    if status >= 500:
        return f"The server at this address has a problem ({status}). Try again {in_words(retry_after)}."
    return _STATUS.get(
        status, f"The server did not answer with a whole file ({status}). Use the address of the picture itself."
    )


def of_page(passed: Sequence[str]) -> str:
    """Why a web page is of no use. Many pages that share a picture have a way of their own to its file."""
    return _shared(passed) or _PAGE


def _shared(passed: Sequence[str]) -> str | None:
    return next(filter(None, map(shared_by, passed)), None)


def of_tls(error: ssl.SSLError) -> str:
    """Why the connection cannot be trusted."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "The server at this address does not speak HTTPS as it should. Check the address."
    reasons = {10: "it has expired", 18: "it is self-signed", 19: "it is self-signed", 62: "it is for another name"}
    reason = reasons.get(error.verify_code, "nobody we trust vouches for it")
    return f"The certificate of this server is not valid: {reason}. Use an address with a valid one."


def seconds_asked_for(retry_after: str, *, now: datetime) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date), at most a day. None when it says nothing usable."""
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", retry_after.strip()):
        return min(float(retry_after), RETRY_AFTER_LIMIT)
    try:
        until = parsedate_to_datetime(retry_after)
        wait = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError, IndexError):
        return None
    return min(max(wait, 0.0), RETRY_AFTER_LIMIT)


def in_words(seconds: float | None) -> str:
    """When to try again: `in 40 seconds`, `in 2 minutes`, `in 3 hours`, or `later` when nobody said."""
    if seconds is None or seconds < 1:
        return "later"
    for name, length, most in (("second", 1, 90), ("minute", 60, 90), ("hour", 3_600, 24)):
        if (number := math.ceil(seconds / length)) <= most:
            return f"in {number} {name}{'' if number == 1 else 's'}"
    return "tomorrow"


def _expired(url: str, end: datetime) -> str:
    host = urlsplit(url).hostname or ""
    is_discord = host.endswith((".discordapp.com", ".discordapp.net"))
    where = (
        "open the message again and copy it anew" if is_discord else "open the page where you found it and copy it anew"
    )
    return f"This link expired on {end.day} {end:%B} {end.year}: {where}."
