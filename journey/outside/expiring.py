"""When a signed address ends, as the services that sign addresses write it into them. Nothing here asks anybody."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

_MOST_FIELDS = 200
_EPOCHS = ("expires", "expire", "expiry", "exp", "x-expires", "expires_at")
_SINCE = re.compile(r"x-(?P<vendor>[a-z0-9]+)-date")
_HEX_FIELDS: Mapping[str, tuple[str, ...]] = {
    "ex": ("discordapp.com", "discordapp.net"),
    "oe": ("fbcdn.net", "cdninstagram.com"),
}
"""Fields that hold seconds since 1970 in hexadecimal, and whose they are: elsewhere they may mean anything."""


def expires_at(url: str) -> datetime | None:
    """The moment (UTC) at which this address stops working by its own words; None when it says nothing of that kind.

    Knows Discord and Meta, S3 and all that sign like it (Google, Alibaba, …), CloudFront, Azure, Akamai, signed JSON
    tokens, and fields such as `Expires=` with seconds since 1970.
    """
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, max_num_fields=_MOST_FIELDS)
        host = parts.hostname or ""
    except ValueError:
        return None
    fields = {name.lower(): value.strip() for name, value in given}
    return min(_ends(host, fields), default=None)


def _ends(host: str, fields: Mapping[str, str]) -> Iterator[datetime]:
    for name, owners in _HEX_FIELDS.items():
        if any(host == owner or host.endswith(f".{owner}") for owner in owners):
            yield from _epoch(fields.get(name, ""), base=16)
    for name, value in fields.items():
        if name in _EPOCHS:
            yield from _epoch(value)
        if vendor := _SINCE.fullmatch(name):
            yield from _lasting(value, fields.get(f"x-{vendor['vendor']}-expires", ""))
        if akamai := re.search(r"(?:^|~)exp=([0-9]{9,11})(?:~|$)", value):
            yield from _epoch(akamai[1])
    if "sig" in fields:
        yield from _iso(fields.get("se", ""))
    if lasts := re.fullmatch(r"[0-9]+;([0-9]+)", fields.get("q-sign-time", "")):
        yield from _epoch(lasts[1])
    policy = _json(fields.get("policy", "").translate(str.maketrans("-_~", "+=/")))
    if found := re.search(r'"AWS:EpochTime":\s*([0-9]+)', json.dumps(policy)):
        yield from _epoch(found[1])
    for value in fields.values():
        if token := re.fullmatch(r"eyJ[\w-]+\.([\w-]+)\.[\w-]*", value):
            said = _json(token[1].translate(str.maketrans("-_", "+/")))
            yield from _epoch(str(said.get("exp", "")) if isinstance(said, dict) else "")


def _epoch(text: str, *, base: int = 10) -> Iterator[datetime]:
    """Seconds (or milliseconds) since 1970, if that is a moment of this age."""
    try:
        number = int(text, base) if re.fullmatch(r"[0-9a-fA-F]{8,13}", text) else 0
    except ValueError:
        return
    seconds = number / 1000 if number > 10**11 else number
    if 10**8 < seconds < 10**10:
        yield datetime.fromtimestamp(int(seconds), UTC)


def _lasting(since: str, seconds: str) -> Iterator[datetime]:
    if re.fullmatch(r"[0-9]{1,8}", seconds):
        for begun in _iso(since):
            with suppress(OverflowError):
                yield begun + timedelta(seconds=int(seconds))


def _iso(text: str) -> Iterator[datetime]:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign in a query means a space
        yield moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return


def _json(coded: str) -> object:
    try:
        found: object = json.loads(base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True))
    except (ValueError, RecursionError):
        return None
    return found
