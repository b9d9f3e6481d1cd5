"""Addresses that people or servers give, judged by their form and by the networks that they lead to.

Nothing here resolves a name or connects to anything. A blocked address raises Unreachable, with the same sentence as an
unresolvable or a silent one; an address whose form is wrong raises InvalidRequest.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import httpx

from journey.errors import CannotStart, InvalidRequest, Unreachable

URL_LIMIT = 2048
PORTS = frozenset({80, 443, 8080, 8443})
UNREACHABLE = "This address cannot be reached. Check the spelling; only public addresses on the internet work."
"""One sentence for blocked, unresolvable and silent addresses, so that nobody can scan a network through us."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Written out, because the `is_global` of the standard library differs between Python versions.
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
# Everything outside this block is loopback, private, link-local, multicast, mapped IPv4 or NAT64.
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
_BAD_HOST = "The host name in this address is not valid. Check the spelling between // and the next /."


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
                    names.add((target_of(f"http://{host}/").host, port))
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


NOTHING_ALLOWED = AllowList()


@dataclass(frozen=True)
class Target:
    url: httpx.URL
    host: str
    port: int
    https_only: bool

    @property
    def address(self) -> _Address | None:
        """The host as an IP address, if it is one in its plain spelling."""
        return plain_address(self.host)

    @property
    def problem(self) -> str | None:
        if self.port not in PORTS:
            return "This port is not allowed. Use an address with the usual port (80, 443, 8080 or 8443)."
        if self.https_only and self.url.scheme != "https":
            return "This address must start with https://."
        return None


def target_of(url: str, *, https_only: bool = False) -> Target:
    """Take an address apart.

    Raises InvalidRequest when its form alone makes it unusable, Unreachable for an IPv4 address in an odd spelling.
    """
    if not re.match("https?://", url, re.IGNORECASE):
        raise InvalidRequest("This address must start with https:// or http://.")
    if len(url) > URL_LIMIT:
        raise InvalidRequest(f"This address is longer than {URL_LIMIT} characters. Use a shorter one.")
    refuse_odd_characters(url)
    authority = re.split("[/?#]", url.split("//", 1)[1], maxsplit=1)[0]
    if "@" in authority:
        raise InvalidRequest("This address contains a user name or password. Use one that works without them.")
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
    return Target(parsed, host, parsed.port or (443 if parsed.scheme == "https" else 80), https_only)


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
    if local_name or (address is not None and not _public(address)):
        raise Unreachable(UNREACHABLE)


def is_allowed(address: _Address, target: Target, allow: AllowList) -> bool:
    return allow.has_address(address, target.port) or (_public(address) and target.problem is None)


def refuse_odd_characters(url: str) -> None:
    if not url.isprintable() or " " in url or "\\" in url:
        raise InvalidRequest("This address contains spaces, backslashes or invisible characters. Copy it again.")


def _block_odd_numbers(host: str) -> None:
    """Systems read 127.1, 0x7f.1 or 2130706433 as IPv4 addresses; only four plain decimal numbers pass."""
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and plain_address(host) is None:
        raise Unreachable(UNREACHABLE)


def _public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INTERNAL_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _INTERNAL_V6)


def plain_address(text: str) -> _Address | None:
    """An IP address from its plain spelling. None for anything else, and for one with a zone id."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


HOST_AND_PORT = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?P<port>:[0-9]{1,5})?", re.IGNORECASE)
"""A Host header, or the part of an origin after its scheme."""


def is_loopback(host: str) -> bool:
    """True for a host name or address that means this machine and nothing else."""
    address = plain_address(host)
    return address.is_loopback if address else host == "localhost" or host.endswith(".localhost")
