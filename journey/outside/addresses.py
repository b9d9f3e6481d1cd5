"""Addresses that people or servers give, read as browsers read them, and judged by their form and where they lead.

Nothing here resolves a name or connects to anything. A blocked address raises Unreachable, with the same sentence as an
unresolvable or a silent one; an address whose form is wrong raises InvalidRequest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

import httpx
import idna

from journey.errors import CannotStart, InvalidRequest, Unreachable
from journey.outside.networks import Address, Network, carried, is_public, network_of, plain_address

URL_LIMIT = 8192
"""The most characters of an address, as it is sent. Signed addresses have two or three thousand."""
PORTS = frozenset({80, 443, 8080, 8443})
UNREACHABLE = "This address cannot be reached. Check the spelling; only public addresses on the internet work."
"""One sentence for blocked, unresolvable and silent addresses, so that nobody can scan a network through us."""
TOO_LONG = f"This address is longer than {URL_LIMIT:,} characters. Use a shorter one."
_WEB = re.compile("https?://", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]*\]|[^\[\]:@]*)(?::(?P<port>[0-9]*))?", re.IGNORECASE)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_BAD_HOST = "The host name in this address is not valid. Check the spelling between // and the next /."
# What browsers cut off at the ends, and what they leave out anywhere.
_ENDS = "".join(map(chr, range(33)))
_LEFT_OUT = dict.fromkeys(map(ord, "\t\n\r"))
_SURROGATE = re.compile("[\ud800-\udfff]")
# What browsers encode in a path and in a query, besides what httpx does.
_IN_PATH = re.compile("[\x00-\x1f\x7f|^]")
_IN_QUERY = re.compile("[\x00-\x1f\x7f']")


@dataclass(frozen=True)
class AllowList:
    """Hosts, networks and ports that are exempt from the address, port and HTTPS rules."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    @classmethod
    def parse(cls, entries: Sequence[str]) -> Self:
        """Read entries such as `intranet.example`, `10.0.0.0/8`, `127.0.0.1:9000` or `[::1]:9000`.

        Raises CannotStart for anything else.
        """
        names: set[tuple[str, int | None]] = set()
        networks: list[tuple[Network, int | None]] = []
        for entry in entries:
            try:
                # A bare IPv6 address or network has colons of its own.
                if network := network_of(entry):
                    networks.append((network, None))
                    continue
                host, colon, digits = entry.rpartition(":") if ":" in entry else (entry, "", "")
                port = int(digits) if colon else None
                if network := network_of(host.removeprefix("[").removesuffix("]")):
                    networks.append((network, port))
                elif re.search(r"[\s/\\?#]", host):
                    raise ValueError("neither a host nor a network")
                else:
                    names.add((target_of(f"http://{host}/").host, port))
            except (ValueError, Unreachable) as error:
                raise CannotStart(
                    f"JOURNEY_FETCH_ALLOW: {entry[:100]!r} is not a host, host:port or a network such as 10.0.0.0/8."
                ) from error
        return cls(frozenset(names), tuple(networks))

    def has_name(self, host: str, port: int) -> bool:
        """True when the host itself is listed, whatever it resolves to."""
        return (host, None) in self.names or (host, port) in self.names

    def has_address(self, address: Address, port: int) -> bool:
        """True when the address, or the IPv4 address inside it, lies in a listed network."""
        return any(
            only in (None, port) and any(each in network for each in (address, carried(address)))
            for network, only in self.networks
        )


NOTHING_ALLOWED = AllowList()


@dataclass(frozen=True)
class Target:
    url: httpx.URL
    host: str
    port: int
    https_only: bool

    @property
    def address(self) -> Address | None:
        """The host as an IP address, if it is one in its plain spelling."""
        return plain_address(self.host)

    @property
    def problem(self) -> str | None:
        if self.port not in PORTS:
            return "This port is not allowed. Use an address with the usual port (80, 443, 8080 or 8443)."
        if self.https_only and self.url.scheme != "https":
            return "This address must start with https://."
        return None


def target_of(url: str, *, base: httpx.URL | None = None, https_only: bool = False) -> Target:
    """Take an address apart as a browser does; one without a host belongs to `base`, where a redirect came from.

    Blanks at its ends and line breaks are left out, a backslash is a slash, and what cannot be sent is encoded. Raises
    InvalidRequest when its form alone makes it unusable, Unreachable for an IPv4 address in an odd spelling.
    """
    if len(url) > URL_LIMIT:
        raise InvalidRequest(TOO_LONG)
    url = _SURROGATE.sub("\ufffd", url.strip(_ENDS).translate(_LEFT_OUT))
    path = re.split("[?#]", url, maxsplit=1)[0]
    url = path.replace("\\", "/") + url[len(path) :]
    if base is not None and not _WEB.match(url):
        url = _joined(base, url)
    if not _WEB.match(url):
        raise InvalidRequest("This address must start with https:// or http://.")
    scheme, _, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise InvalidRequest("This address contains a user name or password. Use one that works without them.")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise InvalidRequest(_BAD_HOST)
    if not parts["host"].strip("[]."):
        raise InvalidRequest("This address has no host name. Write it as https://host/path.")
    digits = parts["port"]
    if digits and not (len(digits) < 6 and 0 < int(digits) < 65536):
        raise InvalidRequest("This address has a port that does not exist. Leave the port out.")
    host = _host(parts["host"])
    port = f":{digits}" if digits else ""
    path, mark, query = rest[len(authority) :].partition("#")[0].partition("?")
    if path.endswith(("/.", "/..")):
        path += "/"  # which is what they mean, and what httpx would leave out
    rest = _IN_PATH.sub(_percent, path) + mark + _IN_QUERY.sub(_percent, query)
    with _as_bad_host():
        parsed = httpx.URL(f"{scheme.lower()}://{host}{port}{rest}")
        host = parsed.raw_host.decode("ascii")
    if len(str(parsed)) > URL_LIMIT:
        raise InvalidRequest(TOO_LONG)
    return Target(parsed, host, parsed.port or (443 if parsed.scheme == "https" else 80), https_only)


def _joined(base: httpx.URL, place: str) -> str:
    """A place without a host, where `base` is. `urljoin` would lose a last `?` and `;`, and a `//` in the middle."""
    place = place.removeprefix(f"{base.scheme}:")
    if re.match("[a-z][a-z0-9+.-]*:", place, re.IGNORECASE):
        return place
    if place.startswith("//"):
        return f"{base.scheme}:{place}"
    path, mark, query = base.raw_path.decode("ascii").partition("?")
    if place.startswith("?"):
        place = path + place
    elif not place or place.startswith("#"):
        place = path + mark + query
    elif not place.startswith("/"):
        place = path[: path.rindex("/") + 1] + place
    return f"{base.scheme}://{base.netloc.decode('ascii')}{place}"


def _percent(character: re.Match[str]) -> str:
    return f"%{ord(character[0]):02X}"


def as_sent(url: str) -> str:
    """The address as a browser would send it, which is what others are given. Raises as `target_of` does."""
    return str(target_of(url).url)


def judge_form(target: Target, allow: AllowList) -> None:
    """Judge what can be judged without resolving the name.

    Raises InvalidRequest, or Unreachable when the address is not public.
    """
    if allow.has_name(target.host, target.port):
        return
    address = target.address
    if address is not None and allow.has_address(address, target.port):
        return
    if address is None and allow.networks:
        return  # the name may lead into an allowed network: `is_allowed` applies all rules once it is resolved
    if target.problem:
        raise InvalidRequest(target.problem)
    local_name = target.host.rpartition(".")[2] == "localhost"
    if local_name or (address is not None and not is_public(address)):
        raise Unreachable(UNREACHABLE)


def is_allowed(address: Address, target: Target, allow: AllowList) -> bool:
    return allow.has_address(address, target.port) or (is_public(address) and target.problem is None)


@contextmanager
def _as_bad_host() -> Iterator[None]:
    try:
        yield
    except (httpx.InvalidURL, ValueError) as error:
        raise InvalidRequest(_BAD_HOST) from error


def _host(text: str) -> str:
    """A host as it is asked for: small letters, other scripts encoded. Emoji are encoded too, as browsers do."""
    if text.startswith("["):
        return text
    with _as_bad_host():
        # This is the mapping of browsers (UTS 46). Which of the letters one may register is not for us to say.
        plain = idna.uts46_remap(unquote(text), std3_rules=False, transitional=False)
        labels = [
            label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
            for label in plain.removesuffix(".").split(".")
        ]
    host = ".".join(labels)
    # Systems read 127.1, 0x7f.1 or 2130706433 as IPv4 addresses; only four plain decimal numbers pass.
    if _NUMBER.fullmatch(labels[-1]) and plain_address(host) is None:
        raise Unreachable(UNREACHABLE)
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidRequest(_BAD_HOST)
    return host


HOST_AND_PORT = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?P<port>:[0-9]{1,5})?", re.IGNORECASE)
"""A Host header, or the part of an origin after its scheme."""


def is_loopback(host: str) -> bool:
    """True for a host name or address that means this machine and nothing else."""
    address = plain_address(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")
