"""Who may come in: what a sign-in needs to be configured, and which of the people signed in are let in."""

from __future__ import annotations

import hashlib
import importlib.metadata
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import idna

from journey.errors import CannotStart

UNNAMED = "default"
"""The provider that is configured in [auth] itself."""

CALLBACK = "/oauth2callback"
COOKIE_SECRET_CHARACTERS = 32
AUTHLIB = (1, 6, 11)
"""The oldest release without known holes."""

_OF_A_PROVIDER = ("client_id", "client_secret", "server_metadata_url")
_WHERE = "See docs/team.md."


def providers(auth: object) -> tuple[str, ...]:
    """The names of the providers in `auth`, the table [auth] of secrets.toml; none when there is no such table.

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
        raise CannotStart("expose_tokens in [auth] may be left out, or name “id” and “access”.")
    named = {name: table for name, table in auth.items() if isinstance(table, Mapping) and name != "client_kwargs"}
    if not named or any(key in auth for key in _OF_A_PROVIDER):
        named = {UNNAMED: auth, **named}
    for name, table in named.items():
        _check_provider("[auth]" if name == UNNAMED else f"[auth.{name}]", str(name), table)
    _check_authlib()
    return tuple(named)


def refusal(claims: Mapping[str, object], domains: Sequence[str]) -> str | None:
    """Why somebody who is signed in is not let in, as a sentence; None when they are.

    `claims` is what the provider says about them. With no `domains`, everybody it signs in is let in, except with
    an address that it says is not theirs.
    """
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
            "Your sign-in service does not tell your e-mail address, so it is not known whether you may come in. "
            "Ask whoever runs this studio to request the scope “email”."
        )
    domain = domain_of(address)
    if domain is None or domain not in {normal_domain(each) for each in domains}:
        return (
            f"{address} is not among the addresses that are let in. "
            "Sign in with another one, or ask whoever runs this studio."
        )
    return None


def domain_of(address: str) -> str | None:
    """The domain of an e-mail address in its normal form; None when this is no address."""
    before, _, after = address.rpartition("@")
    if not before or not address.isprintable() or " " in address:
        return None
    try:
        return normal_domain(after)
    except ValueError:
        return None


def normal_domain(text: str) -> str:
    """A domain in the one form in which it can be compared: lower case, Punycode. Raises ValueError."""
    try:
        domain = idna.encode(text.strip(), uts46=True).decode("ascii")
    except UnicodeError:
        raise ValueError("must be domains such as example.com") from None
    if "." not in domain or domain.endswith(".") or not re.fullmatch(r"[a-z0-9.-]+", domain):
        raise ValueError("must be domains such as example.com")
    return domain


def login_mark(claims: Mapping[str, object]) -> str:
    """What all tabs of one sign-in have in common, and no other sign-in has."""
    return hashlib.sha256(json.dumps(claims, sort_keys=True, default=str).encode()).hexdigest()


def way_back(referer: str) -> str | None:
    """Path and query of the page of ours on which a sign-in was begun, from the address that the browser names."""
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


def _check_provider(where: str, name: str, table: Mapping[str, object]) -> None:
    missing = [key for key in _OF_A_PROVIDER if not isinstance(table.get(key), str) or not table[key]]
    if missing:
        raise CannotStart(f"{where} in secrets.toml lacks {', '.join(missing)}. {_WHERE}")
    if "_" in name:
        raise CannotStart(f"The name of {where} in secrets.toml must be without underscores.")
    address = str(table["server_metadata_url"])
    if not _is_address(address) or not (address.startswith("https://") or _is_here(address)):
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
        raise CannotStart(f"Sign-in needs the package Authlib {oldest} or newer. Install journey-print-studio[auth].")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_here(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_within(value: object, allowed: Sequence[str]) -> bool:
    given = [value] if isinstance(value, str) else value
    return isinstance(given, Sequence) and all(each in allowed for each in given)
