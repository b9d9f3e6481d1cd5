"""What came back from the API, and which error it means. Nothing here touches the network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape

from journey.api.errors import (
    Ambiguous,
    AuthenticationFailed,
    GatewayRefused,
    InsufficientCredits,
    RateLimited,
    ServerError,
    TaskNotFound,
    WrongAddress,
)
from journey.api.reading import sayings
from journey.errors import MESSAGE_LIMIT, InvalidRequest, JourneyError, one_line
from journey.outside.codings import beginning

ANSWER_LIMIT = 1024 * 1024
"""At most this many bytes of an answer are read; no documented answer comes near that."""
KEPT_ANSWER = 4096
"""An error keeps at most this many bytes of an unusable answer."""
RETRY_AFTER_LIMIT = 120.0
"""Seconds. A longer Retry-After is not believed."""

# Like 429, these statuses prove that nothing was accepted. Any other answer without a task id proves nothing.
_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 413, 415, 422})

# What Cloudflare, Envoy and Go's own server say without a page.
_GATEWAY_TEXT = re.compile(r"error code: \d+|upstream |no healthy upstream|RBAC: |404 page not found", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """One answer, or as much of it as came. `status` is 0 when nothing came; `fault` says why the body is incomplete.

    The names in `headers` are in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    fault: str = ""

    def parsed(self) -> object:
        """The body, read as JSON. Raises ValueError when it is not JSON."""
        try:
            return json.loads(self._plain())
        except UnicodeDecodeError:
            return _parsed(self.text())
        except RecursionError:
            raise ValueError("nested too deeply") from None

    def text(self) -> str:
        """The body as text that any database can hold."""
        return self._plain().decode("utf-8-sig", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")

    def _plain(self) -> bytes:
        """The body, or as much of it as can be unpacked within the limit if the server compressed it unasked."""
        return beginning(self.body, self.headers.get("content-encoding"), limit=ANSWER_LIMIT)

    @property
    def is_of_a_gateway(self) -> bool:
        """True for a page, and for the plain sentences of some gateways: the API itself speaks JSON."""
        start = self.text()[:KEPT_ANSWER].lstrip("\ufeff \t\r\n")
        return start.startswith("<") or bool(_GATEWAY_TEXT.match(start))


def error_in(
    answer: Answer, *, paid: bool, by_id: bool, secrets: Iterable[str], at_usual_path: bool = True
) -> JourneyError:
    """Which error an unusable answer means.

    `paid`: anything but a proven refusal is Ambiguous. `by_id`: a 404 means that the API does not know the task, unless
    it was not asked `at_usual_path`. No error repeats any of the `secrets` of 8 characters or more.
    """
    status = answer.status
    raw = _without(secrets, answer.text())
    kept = raw.encode()[:KEPT_ANSWER].decode(errors="ignore")
    page = answer.is_of_a_gateway
    texts = [_page_sentence(raw)] if page else _texts(raw, secrets)
    said = "" if answer.fault else " ".join(texts)[:MESSAGE_LIMIT]  # half an answer is not a sentence

    if status == 429:
        return RateLimited(
            _sentence("Too many calls (429). Nothing was accepted; try again later.", said),
            _retry_after(answer.headers.get("retry-after", ""), answer.headers.get("date", "")),
        )
    if status in _REFUSALS:
        # A web page may mention credits for reasons of its own.
        names_credits = not page and status in (400, 403, 422) and re.search(r"\bcredits?\b", said, re.IGNORECASE)
        if status == 402 or names_credits:
            return InsufficientCredits(_sentence("The account has too few credits. Nothing was charged.", said))
        if status == 403 and page:
            return GatewayRefused(
                _sentence(
                    "A gateway in front of the API refused the call (403). The key is not at fault, and nothing was "
                    "charged; try again later, or from another network.",
                    said,
                )
            )
        if status in (401, 403):
            return AuthenticationFailed(_sentence(f"The API refused the key ({status}).", said))
        knows_call = not page and (at_usual_path or "task" in said.lower())
        if status == 404 and by_id and knows_call:
            return TaskNotFound(_sentence("The API does not know this task.", said))
        if status == 405 or (status == 404 and not (paid and texts and knows_call)):
            return WrongAddress(
                _sentence(f"There is no such call at this address ({status}). Check the API address.", said)
            )
        if paid or status in (400, 413, 422):
            if texts and not page:
                return InvalidRequest(*_within(texts, MESSAGE_LIMIT))
            who = "A gateway in front of the API" if page else "The API"
            return InvalidRequest(_sentence(f"{who} refused the request ({status}). Nothing was charged.", said))
    if not paid and not at_usual_path and page and 200 <= status < 300:
        return WrongAddress(_sentence("There is a web page at this address, no API. Check the API address.", said))
    happened = answer.fault or _what_happened(status, page, "no task id" if paid else "nothing that can be read")
    if paid:
        return Ambiguous(
            _sentence(f"The API may have accepted the order and charged for it: {happened}.", said),
            kept,
        )
    return ServerError(_sentence(f"The API gave no usable answer: {happened}.", said), kept)


def _what_happened(status: int, page: bool, missing: str) -> str:
    who = "a gateway in front of it" if page and status >= 500 else "it"
    if 200 <= status < 300:
        return f"it answered {status} with {missing}"
    if 300 <= status < 400:
        return f"it answered {status}, a redirect, which is not followed; check the API address"
    return f"{who} answered {status}"


def _texts(raw: str, secrets: Iterable[str]) -> list[str]:
    """The API's own sentences, from an error body of any shape."""
    try:
        body = _parsed(raw)
    except ValueError:
        body = raw
    found = [body] if isinstance(body, str) else sayings({"errors": body} if isinstance(body, list) else body)
    texts = [one_line(_without(secrets, text)) for text in found]
    return list(dict.fromkeys(text for text in texts if text))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _page_sentence(raw: str) -> str:
    if not raw.lstrip().startswith("<"):
        return one_line(raw, 100)
    title = re.search(r"<title[^>]*>([^<]{1,300})", raw, re.IGNORECASE)
    named = one_line(unescape(title[1]))[:100] if title else ""
    return f"It sent a web page (“{named}”)." if named else "It sent a web page."


def _sentence(ours: str, said: str) -> str:
    return f"{ours} {_masked(said)}" if said else ours


def _masked(text: str) -> str:
    # Not at the top: its expressions take as long to compile as the rest of the client to import.
    from journey.outside.masking import masked_text

    return masked_text(text)


def _within(texts: list[str], limit: int) -> list[str]:
    """The first texts, cut so that together they stay within the limit, in characters."""
    kept = []
    for text in texts:
        if limit <= 0:
            break
        kept.append(_masked(text)[:limit])
        limit -= len(text) + 1
    return kept


def _without(secrets: Iterable[str], text: str) -> str:
    """The text without the secrets: a server may repeat what it was sent."""
    for secret in secrets:
        if len(secret) >= 8:  # a shorter one would tear ordinary words apart
            text = text.replace(secret, "…")
    return text


def _retry_after(value: str, date: str) -> float | None:
    """Seconds from a Retry-After header (seconds or an HTTP date), 0 to 120. None when it says nothing usable."""
    value = value.strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return min(float(value), RETRY_AFTER_LIMIT)
    until, now = _moment(value), _moment(date) or datetime.now(UTC)
    return None if until is None else min(max((until - now).total_seconds(), 0.0), RETRY_AFTER_LIMIT)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
