"""The one door out for addresses that people or servers give us: pictures come in by it, webhooks go out.

An address is judged three times: by its form before any name is resolved, by what its name resolves
to before anything connects, and by its answer while it is read. The address that was judged is the
one that is connected to, so a name that changes its mind in between gains nothing; the Host header,
TLS server name and certificate stay on the name.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, Self
from urllib.parse import urljoin

import httpcore
import httpx

from journey.errors import CannotStart, FetchFailed, InvalidRequest, Unreachable
from journey.outside.transport import PatientResolver, Resolver, Transport, tls_failure

URL_LIMIT = 2048
PORTS = frozenset({80, 443, 8080, 8443})

UNREACHABLE = "This address cannot be reached. Check the spelling; only public addresses on the internet work."
"""The one sentence for blocked, unresolvable and silent addresses: nobody can scan a network with it."""

NOT_FOR_OTHERS = (
    "A service on the internet cannot reach this address. Use a public address, or upload the picture instead."
)

_log = logging.getLogger(__name__)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Written out, because what `is_global` of the standard library covers differs between Python versions.
_INTERNAL_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent: a public number, an internal service
        "169.254.0.0/16",  # link-local; cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
# Everything outside it is loopback, private, link-local, multicast, mapped IPv4 or NAT64.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_INTERNAL_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)

_AUTHORITY = re.compile(r"https?://(?P<host>\[[0-9a-f:.]*\]|[^\[\]:@%]*)(?::(?P<port>[0-9]*))?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)

_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta", b"<title")
_PICTURE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_SNIFFED = 512
_HEADERS = {
    "User-Agent": "journey-print-studio",
    # Compressed answers could unpack to any size.
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BAD_HOST = "The host name in this address is not valid. Check the spelling between // and the next /."
_WEBHOOK_ANSWER_BYTES = 4096


class BadStatus(FetchFailed):
    """The server answered with another status than 200. `status` is the number: 403 and 404 often mean gone."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
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
    redirects: int = 3
    addresses: int = 4
    """How many addresses of one name are tried. All of them are judged."""


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought: the address it came from after redirects, what the server calls it, its bytes."""

    url: str
    content_type: str
    """As the server says, without parameters; "" when it does not say. Never a reason to trust the bytes."""
    size: int


@dataclass(frozen=True)
class AllowList:
    """Hosts, networks and ports that are exempt from the address, port and HTTPS rules."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[_Network, int | None], ...] = ()

    @classmethod
    def parse(cls, entries: Sequence[str]) -> Self:
        """Read entries such as `intranet.example`, `10.0.0.0/8`, `127.0.0.1:9000` or `[::1]:9000`.

        Raises CannotStart for anything else.
        """
        names: set[tuple[str, int | None]] = set()
        networks: list[tuple[_Network, int | None]] = []
        for entry in entries:
            try:
                # A bare IPv6 address or network has colons of its own.
                if network := _network(entry):
                    networks.append((network, None))
                    continue
                host, colon, digits = entry.rpartition(":") if ":" in entry else (entry, "", "")
                port = int(digits) if colon else None
                if network := _network(host.removeprefix("[").removesuffix("]")):
                    networks.append((network, port))
                elif re.search("[/?#]", host):
                    raise ValueError("neither a host nor a network")
                else:
                    names.add((_target(f"http://{host}/").host, port))
            except (ValueError, Unreachable) as error:
                raise CannotStart(
                    f"JOURNEY_FETCH_ALLOW: {entry[:100]!r} is not a host, host:port or a network such as 10.0.0.0/8."
                ) from error
        return cls(frozenset(names), tuple(networks))

    def has_name(self, host: str, port: int) -> bool:
        """True when the host itself is listed, whatever it resolves to."""
        return (host, None) in self.names or (host, port) in self.names

    def has_address(self, address: _Address, port: int) -> bool:
        """True when the address lies in a listed network."""
        return any(address in network and only in (None, port) for network, only in self.networks)


_NOTHING_ALLOWED = AllowList()


@dataclass(frozen=True)
class _Target:
    url: httpx.URL
    host: str
    port: int
    https_only: bool

    @property
    def address(self) -> _Address | None:
        """The address when the host is one in its plain spelling."""
        return _address(self.host)

    @property
    def problem(self) -> str | None:
        if self.port not in PORTS:
            return "This port is not allowed. Use an address with the usual port (80, 443, 8080 or 8443)."
        if self.https_only and self.url.scheme != "https":
            return "This address must start with https://."
        return None


class Door:
    """Fetches pictures and delivers webhooks, to public addresses and to those that `allow` lists.

    Safe to share between threads. `resolver` gives the addresses of a host and port and may block;
    `backend` makes the connections.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolver: Resolver | None = None,
        backend: httpcore.NetworkBackend | None = None,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allow = AllowList.parse(allow)
        self._limits = limits or Limits()
        self._resolve = PatientResolver(resolver, seconds=self._limits.resolve)
        self._backend = backend
        self._clock = clock
        self._ssl_context = ssl_context

    def check(self, url: str, *, https_only: bool = False) -> None:
        """Judge an address by its form alone; nothing is resolved or sent.

        Raises InvalidRequest with one sentence that says what is wrong and what to do.
        """
        try:
            _judge_form(_target(url, https_only=https_only), self._allow)
        except Unreachable as error:
            raise InvalidRequest(str(error)) from None

    def reachable_by_others(self, url: str, *, https_only: bool = False) -> None:
        """Judge whether a service out on the internet could reach this address: our allow list does not count.

        Resolves the name (up to 3 s), connects to nothing. Raises InvalidRequest.
        """
        try:
            target = _target(url, https_only=https_only)
            _judge_form(target, _NOTHING_ALLOWED)
            self._choose(target, _NOTHING_ALLOWED, target.host, target.port, self._limits.resolve)
        except Unreachable:
            raise InvalidRequest(NOT_FOR_OTHERS) from None

    def get(self, url: str, *, max_bytes: int, into: BinaryIO) -> Fetched:
        """Fetch a picture of up to `max_bytes` and write it to `into`, which may hold a part of it after an error.

        Raises InvalidRequest when the address breaks a rule of form, Unreachable when it is blocked,
        does not resolve or does not answer, and FetchFailed (BadStatus, CutShort) with a sentence
        when a server answered with something else than a picture. What writing to `into` raises comes through.
        """
        end = self._clock() + self._limits.total
        target = _target(url)
        _judge_form(target, self._allow)
        for _ in range(self._limits.redirects + 1):
            request = httpx.Request(
                "GET", target.url, headers={**_HEADERS, "Accept": "image/png,image/jpeg,image/webp,*/*;q=0.1"}
            )
            response = self._exchange(request, target, end - self._clock(), self._limits.silence)
            with closing(response):
                if response.status_code not in _REDIRECTS:
                    size = _receive(response, max_bytes, into)
                    return Fetched(str(target.url), _content_type(response), size)
                target = self._redirected(target, response)
        raise FetchFailed(f"This address redirects more than {self._limits.redirects} times. Use the final address.")

    def post_json(self, url: str, payload: Any, headers: Mapping[str, str], *, timeout: float = 10.0) -> int:
        """Deliver a webhook and return the status of the answer, whatever it is. Redirects are not followed.

        `timeout` bounds the whole delivery, in seconds. Raises InvalidRequest when the address or a
        header cannot be used, Unreachable or FetchFailed when no answer came.
        """
        target = _target(url, https_only=True)
        _judge_form(target, self._allow)
        try:
            request = httpx.Request(
                "POST",
                target.url,
                headers={**_HEADERS, "Content-Type": "application/json", **headers},
                content=json.dumps(payload).encode(),
            )
        except UnicodeError:
            raise InvalidRequest("A header of this webhook holds characters that cannot be sent.") from None
        response = self._exchange(request, target, timeout, timeout)
        with closing(response), suppress(FetchFailed), _while_reading():
            # Read a little so that the receiver is not cut off in mid-answer; what it says does not matter.
            received = 0
            for chunk in response.iter_raw():
                received += len(chunk)
                if received >= _WEBHOOK_ANSWER_BYTES:
                    break
        return response.status_code

    def _exchange(self, request: httpx.Request, target: _Target, seconds: float, silence: float) -> httpx.Response:
        """Send one request. Returns when the headers of the answer are there."""
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
            raise InvalidRequest("This address or a header holds characters that cannot be sent.") from error
        except httpx.RemoteProtocolError as error:
            _log.info("%.300r gave no HTTP answer: %.300r", target.host, error)
            raise FetchFailed("The server at this address does not answer as a web server does.") from error
        except httpx.TransportError as error:
            _log.info("%.300r cannot be reached: %.300r", target.host, error)
            if isinstance(error, httpx.ConnectError) and (failure := tls_failure(error)):
                raise FetchFailed(_tls_sentence(failure)) from error
            raise Unreachable(UNREACHABLE) from error

    def _choose(self, target: _Target, allow: AllowList, host: str, port: int, seconds: float) -> Sequence[str]:
        """The addresses to connect to. One that is not allowed among them blocks all."""
        try:
            found = self._resolve(host, port, seconds)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            _log.info("%.300r does not resolve: %.300r", host, error.__cause__ or error)
            raise Unreachable(UNREACHABLE) from error
        if not allow.has_name(target.host, target.port):
            for text in found:
                address = _address(text)
                if address is None or not _allowed(address, target, allow):
                    _log.info("%.300r is blocked: it leads to %.60r, port %d", host, text, port)
                    raise Unreachable(UNREACHABLE)
        if not found:
            _log.info("%.300r has no address", host)
            raise Unreachable(UNREACHABLE)
        return found[: self._limits.addresses]

    def _redirected(self, source: _Target, response: httpx.Response) -> _Target:
        """Where a redirect leads, judged like any address; from https to http only where that is allowed."""
        places = [value for name, value in response.headers.raw if name.lower() == b"location"]
        try:
            (place,) = places
            location = place.decode("utf-8")
            _refuse_odd_characters(location)
            target = _target(urljoin(str(source.url), location), https_only=source.url.scheme == "https")
            _judge_form(target, self._allow)
        except ValueError as error:  # none or several, not UTF-8, or InvalidRequest
            # Not the address itself: such addresses often carry access tokens.
            _log.info("%.300r redirects to an unusable address: %s", source.host, type(error).__name__)
            raise FetchFailed("This address redirects to one that cannot be used. Use the final address.") from error
        return target


def _target(url: str, *, https_only: bool = False) -> _Target:
    """Take an address apart.

    Raises InvalidRequest when its form alone makes it unusable, Unreachable for an IPv4 address in an odd spelling.
    """
    if not re.match("https?://", url, re.IGNORECASE):
        raise InvalidRequest("This address must start with https:// or http://.")
    if len(url) > URL_LIMIT:
        raise InvalidRequest(f"This address is longer than {URL_LIMIT} characters. Use a shorter one.")
    _refuse_odd_characters(url)
    authority = re.split("[/?#]", url.split("//", 1)[1], maxsplit=1)[0]
    if "@" in authority:
        raise InvalidRequest("This address holds a user name or password. Remove them; the picture must be public.")
    parts = _AUTHORITY.fullmatch(url[: url.index("//") + 2] + authority)
    if parts is None:
        raise InvalidRequest(_BAD_HOST)
    if not parts["host"].strip("[]."):
        raise InvalidRequest("This address has no host name. Write it as https://host/path.")
    _block_odd_numbers(parts["host"].removesuffix("."))
    digits = parts["port"]
    if digits and not (len(digits) < 6 and 0 < int(digits) < 65536):
        raise InvalidRequest("This address has a port that does not exist. Leave the port out.")
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
        if host.endswith("."):
            host = host[:-1]
            parsed = parsed.copy_with(host=host)
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidRequest(_BAD_HOST) from error
    _block_odd_numbers(host)  # again, because other scripts have dots and digits of their own
    name = ":" not in host
    if (name and not all(_LABEL.fullmatch(label) for label in host.split("."))) or len(host) > 253:
        raise InvalidRequest(_BAD_HOST)
    return _Target(parsed, host, parsed.port or (443 if parsed.scheme == "https" else 80), https_only)


def _refuse_odd_characters(url: str) -> None:
    if not url.isprintable() or " " in url or "\\" in url:
        raise InvalidRequest("This address holds spaces, backslashes or invisible characters. Copy it again.")


def _block_odd_numbers(host: str) -> None:
    """Systems read 127.1, 0x7f.1 or 2130706433 as IPv4 addresses; only four plain decimal numbers pass."""
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and _address(host) is None:
        raise Unreachable(UNREACHABLE)


def _judge_form(target: _Target, allow: AllowList) -> None:
    """Judge what can be judged without resolving. Raises InvalidRequest, or Unreachable when it is not public."""
    if allow.has_name(target.host, target.port):
        return
    address = target.address
    if address is not None and allow.has_address(address, target.port):
        return
    if address is None and allow.networks:
        return  # the name may lead into an allowed network: `_allowed` judges it by all rules once that is known
    if target.problem:
        raise InvalidRequest(target.problem)
    local_name = target.host.rpartition(".")[2] == "localhost"
    if local_name or (address is not None and not _public(address)):
        raise Unreachable(UNREACHABLE)


def _allowed(address: _Address, target: _Target, allow: AllowList) -> bool:
    return allow.has_address(address, target.port) or (_public(address) and target.problem is None)


def _public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INTERNAL_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _INTERNAL_V6)


def _address(text: str) -> _Address | None:
    """Read an address in its plain spelling; one with a zone id is none."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _receive(response: httpx.Response, max_bytes: int, into: BinaryIO) -> int:
    """Judge the answer and write its body. Returns the number of bytes."""
    if response.status_code != 200:
        raise BadStatus(_status_sentence(response.status_code), response.status_code)
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise FetchFailed("The server sends this picture compressed although it was asked not to. Upload it instead.")
    too_large = FetchFailed(f"The file at this address is larger than the limit of {_megabytes(max_bytes)}.")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    size, start = 0, b""
    for chunk in _chunks(response):
        size += len(chunk)
        if size > max_bytes:
            raise too_large
        if len(start) < _SNIFFED:
            start += chunk[:_SNIFFED]
            if len(start) >= _SNIFFED:
                _refuse_page(start, response)
        into.write(chunk)
    if not size:
        raise FetchFailed("The file at this address is empty.")
    _refuse_page(start, response)
    return size


def _chunks(response: httpx.Response) -> Iterator[bytes]:
    """The raw body. Only what reading raises is told as the server's fault, never what the reader's own work raises."""
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


def _refuse_page(start: bytes, response: httpx.Response) -> None:
    """A page that shows a picture is the commonest mistake; the bytes decide, not what they are called."""
    if start.startswith(_PICTURE_STARTS):
        return
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGE_STARTS) or _content_type(response) in ("text/html", "application/xhtml+xml"):
        raise FetchFailed(
            "This is the address of a web page, not of a picture. Open the page, right-click the picture, "
            "copy its image address and use that."
        )


def _content_type(response: httpx.Response) -> str:
    text = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return text if re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", text) else ""


def _status_sentence(status: int) -> str:
    if status in (401, 403):
        return f"The server does not give this file to us ({status}). It must be public, without a sign-in."
    if status in (404, 410):
        return f"There is no file at this address ({status}). It may have been removed; check the address."
    if status == 429:
        return "The server at this address is asked too often (429). Try again later."
    if status >= 500:
        return f"The server at this address has a problem ({status}). Try again later."
    return f"The server did not answer with a whole file ({status}). Use the address of the picture itself."


def _tls_sentence(error: ssl.SSLError) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "The server at this address does not speak HTTPS as it should. Check the address."
    reasons = {10: "it has expired", 18: "it is self-signed", 19: "it is self-signed", 62: "it is for another name"}
    reason = reasons.get(error.verify_code, "nobody that we trust vouches for it")
    return f"The certificate of this server is not valid: {reason}. Use an address with a valid one."


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size >= 2**20 else f"{size} bytes"
