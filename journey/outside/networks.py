"""Which addresses are on the public internet, and which lead inside some network.

Nothing here knows of names, and nothing is asked of the system.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
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
# Everything outside this block is loopback, private, link-local or multicast, or has an IPv4 address inside.
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
_CARRIERS = (
    ipaddress.IPv6Network("::ffff:0:0/96"),  # how systems write an IPv4 address as an IPv6 one
    ipaddress.IPv6Network("64:ff9b::/96"),  # NAT64: how networks that have IPv6 alone reach IPv4
)
STAND_INS = ipaddress.IPv4Network("198.18.0.0/15")
"""For measurements. Proxies on one's own machine give these to every name, and look at the name when one connects."""


def is_public(address: Address) -> bool:
    """True for an address of the internet at large. One that carries an IPv4 address is judged by that."""
    address = carried(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INTERNAL_V4)
    return address in _PUBLIC_V6 and not any(address in network for network in _INTERNAL_V6)


def carried(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where packets end up; the same address when there is none."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in _CARRIERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def plain_address(text: str) -> Address | None:
    """An IP address from its plain spelling. None for anything else, and for one with a zone id."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def network_of(text: str) -> Network | None:
    """A network from its spelling, such as 10.0.0.0/8. None for anything else."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
