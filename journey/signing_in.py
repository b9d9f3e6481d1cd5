"""Who may come in: how sign-in must be configured, and which of the people who signed in are let in."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import idna

from journey.background import Latest
from journey.errors import CannotStart
from journey.outside.addresses import is_loopback

UNNAMED = "default"
"""Streamlit's name for the service that is configured in [auth] itself."""

CALLBACK = "/oauth2callback"
COOKIE_SECRET_CHARACTERS = 32
AUTHLIB = (1, 6, 11)
"""The oldest release without known security holes."""

TABS_REMEMBERED = 10_000

_OF_A_SERVICE = ("client_id", "client_secret", "server_metadata_url")
_WHERE = "See docs/how-to/team.md."


def services(auth: object) -> tuple[str, ...]:
    """The names of the sign-in services in `auth`, the table [auth] of secrets.toml; none when there is no such table.

    Raises CannotStart with what is missing or wrong: a studio that was meant to be closed must not be open.
    """
    if auth is None:
        return ()
    if not isinstance(auth, Mapping) or not auth:
        raise CannotStart(f"[auth] in secrets.toml is empty. Fill it in, or remove it to run without sign-in. {_WHERE}")
    secret = auth.get("cookie_secret")
    if not isinstance(secret, str) or len(secret) < COOKIE_SECRET_CHARACTERS:
        raise CannotStart(
            f"cookie_secret in [auth] must be at least {COOKIE_SECRET_CHARACTERS} random characters, because whoever "
            f"guesses it can sign in as anybody. `openssl rand -hex 32` makes one. {_WHERE}"
        )
    back = str(auth.get("redirect_uri", "")).replace("{port}", "1")
    if not _is_address(back) or not urlsplit(back).path.endswith(CALLBACK):
        raise CannotStart(
            f"redirect_uri in [auth] must be this studio's address followed by {CALLBACK}, such as "
            f"https://studio.example.com{CALLBACK}. {_WHERE}"
        )
    if not _is_within(auth.get("expose_tokens", ()), ("id", "access")):
        raise CannotStart("expose_tokens in [auth] may be left out, or name “id”, “access” or both.")
    named = {name: table for name, table in auth.items() if isinstance(table, Mapping) and name != "client_kwargs"}
    if not named or any(key in auth for key in _OF_A_SERVICE):
        named = {UNNAMED: auth, **named}
    for name, table in named.items():
        _check_service("[auth]" if name == UNNAMED else f"[auth.{name}]", str(name), table)
    _check_authlib()
    return tuple(named)


class Marks(Protocol):
    """Marks of sign-ins that are over: a set, or one that all processes share."""

    def add(self, mark: str, /) -> None: ...

    def __contains__(self, mark: str, /) -> bool: ...


class Gate:
    """Lets people in. `claims` are what a sign-in service says about somebody who is signed in.

    Without `domains`, everybody whom a service signs in is let in, unless it says that their address is not verified.
    """

    def __init__(self, domains: Sequence[str], over: Marks) -> None:
        self._domains = {normal_domain(each) for each in domains}
        self._over = over
        self._inside: Latest[str, None] = Latest(TABS_REMEMBERED)

    services = staticmethod(services)

    def label(self, service: str) -> str:
        """The text on the button of a service, made from its name in secrets.toml."""
        return "Sign in" if service == UNNAMED else f"Sign in with {service.capitalize()}"

    def refusal(self, claims: Mapping[str, object]) -> str | None:
        """Why somebody who is signed in is not let in, as a sentence; None when they are."""
        return _refusal(claims, self._domains)

    def end(self, claims: Mapping[str, object]) -> None:
        """End a sign-in: from now on the other tabs of that browser, or a copied cookie, are worth nothing."""
        self._over.add(_mark(claims))

    def is_over(self, claims: Mapping[str, object]) -> bool:
        return _mark(claims) in self._over

    def let_in(self, tab: str) -> None:
        """Remember that a tab shows the studio. Of those that ended without a word, the oldest are forgotten."""
        self._inside[tab] = None

    def show_out(self, tab: str) -> None:
        self._inside.pop(tab, None)

    def is_inside(self, tab: str) -> bool:
        return tab in self._inside


def _refusal(claims: Mapping[str, object], domains: Collection[str]) -> str | None:
    address = claims.get("email")
    if str(claims.get("email_verified", True)).lower() == "false":
        return (
            f"{address} is not verified: your sign-in service does not know whether this address is yours. "
            "Verify it there, then sign in again."
        )
    if not domains:
        return None
    if not address or not isinstance(address, str):
        return (
            "Your sign-in service does not tell us your e-mail address, so we cannot know whether you may come in. "
            "Ask whoever runs this studio to request the scope “email”."
        )
    domain = domain_of(address)
    if domain is None or domain not in domains:
        return (
            f"{address} is not among the addresses that are let in. "
            "Sign in with another one, or ask whoever runs this studio."
        )
    return None


def domain_of(address: str) -> str | None:
    """The domain of an e-mail address in its normal form; None when this is not an address."""
    before, _, after = address.rpartition("@")
    if not before or not address.isprintable() or " " in address:
        return None
    try:
        return normal_domain(after)
    except ValueError:
        return None


def normal_domain(text: str) -> str:
    """A domain in the one form that can be compared: lower case, Punycode. Raises ValueError if it is not a domain."""
    try:
        domain = idna.encode(text.strip(), uts46=True).decode("ascii")
    except UnicodeError:
        raise ValueError("must be domains such as example.com") from None
    if "." not in domain or domain.endswith(".") or not re.fullmatch(r"[a-z0-9.-]+", domain):
        raise ValueError("must be domains such as example.com")
    return domain


def _mark(claims: Mapping[str, object]) -> str:
    """What all tabs of one sign-in share, and no other sign-in has."""
    return hashlib.sha256(json.dumps(claims, sort_keys=True, default=str).encode()).hexdigest()


def way_back(referer: str) -> str | None:
    """Path and query of our page on which a sign-in began, from the Referer header; None when it cannot be used."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return None
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path
    own_steps = parts.path.endswith((CALLBACK, "/sign_out")) or "/auth/" in parts.path
    if not inside or own_steps or not path.isascii() or not path.isprintable() or len(path) > 2_000:
        return None
    return path


def _check_service(where: str, name: str, table: Mapping[str, object]) -> None:
    missing = [key for key in _OF_A_SERVICE if not isinstance(table.get(key), str) or not table[key]]
    if missing:
        raise CannotStart(f"{where} in secrets.toml lacks {', '.join(missing)}. {_WHERE}")
    if "_" in name:
        raise CannotStart(f"The name of {where} in secrets.toml must not contain underscores.")
    address = str(table["server_metadata_url"])
    parts = urlsplit(address) if _is_address(address) else None
    if parts is None or not (parts.scheme == "https" or is_loopback(parts.hostname or "")):
        raise CannotStart(
            f"server_metadata_url in {where} must be the https:// address of your sign-in service's OpenID "
            f"configuration. {_WHERE}"
        )


def _check_authlib() -> None:
    try:
        version = importlib.metadata.version("authlib")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    if tuple(int(part) for part in re.findall(r"\d+", version)[:3]) < AUTHLIB:
        oldest = ".".join(str(part) for part in AUTHLIB)
        raise CannotStart(f"Sign-in needs Authlib {oldest} or newer, from the extra `auth` (make run EXTRAS=auth).")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_within(value: object, allowed: Sequence[str]) -> bool:
    given = [value] if isinstance(value, str) else value
    return isinstance(given, Sequence) and all(each in allowed for each in given)
