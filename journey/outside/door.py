"""The one door for addresses that people or servers give us: pictures come in through it, and webhooks go out.

An address is judged three times: by its form before any name is resolved, by what its name resolves
to before anything connects, and by its answer while that is read. We connect to the very address that
was judged, so a name that changes its mind in between gains nothing; the Host header, the TLS server
name and the check of the certificate still use the name.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO

import httpcore
import httpx

from journey.errors import FetchFailed, InvalidRequest, Unreachable
from journey.outside import refusals
from journey.outside.addresses import (
    NOTHING_ALLOWED,
    UNREACHABLE,
    AllowList,
    Target,
    is_allowed,
    judge_form,
    target_of,
)
from journey.outside.agent import user_agent
from journey.outside.codings import TooLong, Undecodable, decoded
from journey.outside.networks import STAND_INS, plain_address
from journey.outside.transport import PatientResolver, Resolver, Transport, tls_failure

NOT_FOR_OTHERS = (
    "A service on the internet cannot reach this address. Use a public address, or upload the picture instead."
)
_OF_A_PROXY = (
    f"{UNREACHABLE} This name leads to {STAND_INS}, as behind a proxy on this machine that answers for every name. "
    f"If you run one, add {STAND_INS} to JOURNEY_FETCH_ALLOW and start again."
)
_log = logging.getLogger(__name__)
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<title")
_SNIFFED = 512
_PICTURE = re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|....ftyp", re.DOTALL)
_UNREAD = re.compile(r"\b(br|zstd|compress|dcb|dcz)\b")
_HEADERS = {
    # Compressed answers could unpack to any size.
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_WHOLE = frozenset({200, 203})  # 203 is what some proxies make of 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WEBHOOK_ANSWER_BYTES = 4096


class BadStatus(FetchFailed):
    """The server answered with a status of which no file comes. `status` is that number; 403 and 404 often mean gone.

    `retry_after` is the wait that the server asked for, in seconds and at most a day; None when it asked for none.
    """

    def __init__(self, message: str, status: int, retry_after: float | None = None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)


class CutShort(FetchFailed):
    """The answer began but did not end in time or in full. The next try may succeed."""


@dataclass(frozen=True)
class Limits:
    """How long and how often the door tries. Times are seconds."""

    resolve: float = 3.0
    connect: float = 3.0
    silence: float = 15.0
    total: float = 60.0
    redirects: int = 5
    addresses: int = 4
    """How many addresses of one name are tried, of both families in turn. Every address it has is judged."""


FOR_RESULTS = Limits(total=600.0)
"""For what was paid for: over a slow line a large picture takes minutes, and it may, as long as bytes keep coming."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought: the final address after redirects, the content type, and the size in bytes."""

    url: str
    content_type: str
    """As the server states it, without parameters; "" when it states none. Never a reason to trust the bytes."""
    size: int


class Door:
    """Fetches pictures and delivers webhooks, to public addresses and to those that `allow` lists.

    Safe to share between threads. `resolver` gives the addresses of a host and port and may block;
    `backend` makes the connections. `contact` is added to the User-Agent.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolver: Resolver | None = None,
        backend: httpcore.NetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        contact: str | None = None,
    ) -> None:
        self._headers = {**_HEADERS, "User-Agent": user_agent(contact)}
        self._allow = AllowList.parse(allow)
        self._limits = limits or Limits()
        self._resolve = PatientResolver(resolver, seconds=self._limits.resolve)
        self._backend = backend
        self._clock = clock
        self._now = now
        self._ssl_context = ssl_context

    def check(self, url: str, *, https_only: bool = False) -> str:
        """Judge an address by its form alone, and give it as it will be asked for; nothing is resolved or sent.

        Raises InvalidRequest with one sentence that says what is wrong and what to do.
        """
        try:
            target = target_of(url, https_only=https_only)
            judge_form(target, self._allow)
        except Unreachable as error:
            raise InvalidRequest(str(error)) from None
        return str(target.url)

    def reachable_by_others(self, url: str, *, https_only: bool = False) -> None:
        """Judge whether a service out on the internet could reach this address; our allow list does not count.

        Resolves the name (up to 3 s) but connects to nothing. Raises InvalidRequest when no service could.
        """
        try:
            target = target_of(url, https_only=https_only)
            judge_form(target, NOTHING_ALLOWED)
            found = self._found(target.host, target.port, self._limits.resolve)
            # A proxy that gives stand-ins for every name knows where it leads; what is listed here is ours to know.
            if not any(_is_stand_in(text) and self._is_allowed(text, target, self._allow) for text in found):
                self._judge(found, target, NOTHING_ALLOWED)
        except Unreachable as error:
            raise InvalidRequest(str(error) if str(error) != UNREACHABLE else NOT_FOR_OTHERS) from None

    def get(self, url: str, *, max_bytes: int, into: BinaryIO) -> Fetched:
        """Fetch a picture of up to `max_bytes` and write it to `into`, which may hold a part of it after an error.

        Raises InvalidRequest when the address breaks a rule of form, Unreachable when it is blocked,
        does not resolve or does not answer, and FetchFailed (BadStatus, CutShort), with a sentence that says
        why, when the answer is unusable. What writing to `into` raises passes through.
        """
        end = self._clock() + self._limits.total
        target = target_of(url)
        judge_form(target, self._allow)
        passed: list[str] = []
        while len(passed) <= self._limits.redirects:
            passed.append(str(target.url))
            accept = {"Accept": "image/png,image/jpeg,image/webp,*/*;q=0.1"}
            request = httpx.Request("GET", target.url, headers=_host_header(target) | self._headers | accept)
            response = self._exchange(request, target, end - self._clock(), self._limits.silence)
            with closing(response):
                if response.status_code not in _REDIRECTS:
                    size = self._receive(response, passed, max_bytes, into)
                    return Fetched(passed[-1], _content_type(response), size)
                target = self._redirected(target, response)
        if str(target.url) in passed:
            raise FetchFailed("This address redirects in a circle, as some servers do without a sign-in. Use another.")
        raise FetchFailed(f"This address redirects more than {self._limits.redirects} times. Use the final address.")

    def post_json(self, url: str, payload: Any, headers: Mapping[str, str], *, timeout: float = 10.0) -> int:
        """Deliver a webhook and return the status of the answer, whatever it is. Redirects are not followed.

        `timeout` bounds the whole delivery, in seconds. Raises InvalidRequest when the address or a
        header cannot be used, Unreachable or FetchFailed when no answer came.
        """
        target = target_of(url, https_only=True)
        judge_form(target, self._allow)
        try:
            request = httpx.Request(
                "POST",
                target.url,
                headers=_host_header(target) | self._headers | {"Content-Type": "application/json"} | dict(headers),
                content=json.dumps(payload).encode(),
            )
        except UnicodeError:
            raise InvalidRequest("A header of this webhook contains characters that cannot be sent.") from None
        response = self._exchange(request, target, timeout, timeout)
        with closing(response), suppress(FetchFailed), _while_reading():
            # Read a little, so that the receiver is not cut off in mid-answer; what it says does not matter.
            received = 0
            for chunk in response.iter_raw():
                received += len(chunk)
                if received >= _WEBHOOK_ANSWER_BYTES:
                    break
        return response.status_code

    def _exchange(self, request: httpx.Request, target: Target, seconds: float, silence: float) -> httpx.Response:
        """Send one request, and return as soon as the headers of the answer are there."""
        request.extensions = {"timeout": {"connect": None, "read": silence, "write": silence, "pool": None}}
        transport = Transport(
            deadline_seconds=seconds,
            connect_timeout=self._limits.connect,
            clock=self._clock,
            choose=partial(self._choose, target, self._allow),
            backend=self._backend,
            ssl_context=self._ssl_context,
        )
        try:
            return transport.handle_request(request)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            raise InvalidRequest("This address or a header contains characters that cannot be sent.") from error
        except httpx.RemoteProtocolError as error:
            _log.info("%.300r gave no HTTP answer: %.300r", target.host, error)
            raise FetchFailed("The server at this address does not answer like a web server.") from error
        except (httpx.TransportError, ValueError) as error:
            _log.info("%.300r cannot be reached: %.300r", target.host, error)
            if isinstance(error, httpx.ConnectError) and (failure := tls_failure(error)):
                raise FetchFailed(refusals.of_tls(failure)) from error
            raise Unreachable(UNREACHABLE) from error

    def _choose(self, target: Target, allow: AllowList, host: str, port: int, seconds: float) -> Sequence[str]:
        """The addresses to connect to. A single one that is not allowed blocks them all."""
        found = self._found(host, port, seconds)
        self._judge(found, target, allow)
        return found[: self._limits.addresses]

    def _found(self, host: str, port: int, seconds: float) -> Sequence[str]:
        try:
            found = self._resolve(host, port, seconds)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            _log.info("%.300r does not resolve: %.300r", host, error.__cause__ or error)
            raise Unreachable(UNREACHABLE) from error
        if not found:
            _log.info("%.300r has no address", host)
            raise Unreachable(UNREACHABLE)
        return found

    def _judge(self, found: Sequence[str], target: Target, allow: AllowList) -> None:
        if allow.has_name(target.host, target.port):
            return
        for text in found:
            if not self._is_allowed(text, target, allow):
                _log.info("%.300r is blocked: it leads to %.60r, port %d", target.host, text, target.port)
                if target.address is None and any(map(_is_stand_in, found)):
                    raise Unreachable(_OF_A_PROXY)
                raise Unreachable(UNREACHABLE)

    @staticmethod
    def _is_allowed(text: str, target: Target, allow: AllowList) -> bool:
        address = plain_address(text)
        return address is not None and is_allowed(address, target, allow)

    def _redirected(self, source: Target, response: httpx.Response) -> Target:
        """Where a redirect leads, judged like any address; from https to http only where that is allowed."""
        places = {value for name, value in response.headers.raw if name.lower() == b"location"}
        try:
            (place,) = places
            # Like browsers: what is not ASCII is encoded byte by byte, whatever alphabet the server meant.
            location = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in place)
            target = target_of(location, base=source.url, https_only=source.url.scheme == "https")
            judge_form(target, self._allow)
        except ValueError as error:  # no address or several, or InvalidRequest
            # The address itself is not logged: it often carries an access token.
            _log.info("%.300r redirects to an unusable address: %s", source.host, type(error).__name__)
            raise FetchFailed("This address redirects to one that cannot be used. Use the final address.") from error
        return target

    def _receive(self, response: httpx.Response, passed: Sequence[str], max_bytes: int, into: BinaryIO) -> int:
        """Judge the answer to the last of the addresses, and write its body. Returns the number of bytes."""
        if response.status_code not in _WHOLE:
            asked_for = refusals.seconds_asked_for(response.headers.get("retry-after", ""), now=self._now())
            sentence = refusals.of_status(response.status_code, passed, retry_after=asked_for, now=self._now())
            raise BadStatus(sentence, response.status_code, asked_for)
        too_large = FetchFailed(f"The file at this address is larger than the limit of {_megabytes(max_bytes)}.")
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > max_bytes:
            raise too_large
        coding = response.headers.get("content-encoding", "")
        body = _with_start(decoded(_chunks(response), coding, limit=max_bytes))
        size = 0
        try:
            for chunk in body:
                if not size:
                    _refuse_others(chunk, response, passed)
                size += len(chunk)
                into.write(chunk)
        except TooLong:
            raise too_large from None
        except Undecodable as error:
            raise CutShort("The file at this address arrives damaged. Try again, or upload it.") from error
        if not size:
            raise FetchFailed("The file at this address is empty.")
        return size


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    """The raw body. Only an error while reading is the server's fault, never one in the code that uses the chunks."""
    chunks = response.iter_raw()
    while True:
        with _while_reading():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


@contextmanager
def _while_reading() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise CutShort("The server at this address sends too slowly. Try again later, or upload the file.") from error
    except httpx.TransportError as error:
        raise CutShort("The server at this address stopped before the file was complete. Try again.") from error


def _with_start(body: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes; the first piece is long enough to tell what they are."""
    start = b""
    for piece in body:
        start += piece
        if len(start) >= _SNIFFED:
            break
    if start:
        yield start
    yield from body


def _refuse_others(start: bytes, response: httpx.Response, passed: Sequence[str]) -> None:
    """The commonest mistake is the address of a page that shows the picture. Its first bytes or type give it away."""
    if _PICTURE.match(start):
        return
    if coding := _UNREAD.search(response.headers.get("content-encoding", "").lower()):
        raise FetchFailed(
            f"The server sends this picture compressed ({coding[0]}) although it was asked not to. "
            f"{refusals.SAVE_AND_UPLOAD}"
        )
    if b"\x00" in start[:_SNIFFED]:  # no web page has one anywhere
        return
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGE_STARTS) or _content_type(response) in ("text/html", "application/xhtml+xml"):
        raise FetchFailed(refusals.of_page(passed))


def _host_header(target: Target) -> dict[str, str]:
    """Given, because httpx decodes a host by rules that many real hosts break before it writes the header itself."""
    return {"Host": target.url.netloc.decode("ascii")}


def _is_stand_in(text: str) -> bool:
    address = plain_address(text)
    return address is not None and address in STAND_INS


def _content_type(response: httpx.Response) -> str:
    text = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return text if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", text) else ""


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size} bytes"
