"""Requests that the stand-in has read, and the rules of the wire for what they may say."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journey.outside.addresses import is_loopback
from journey.testing.faults import Reply


@dataclass(frozen=True)
class Call:
    """One request that was read. `body` is the JSON, or None; the names of `headers` are in small letters."""

    method: str
    endpoint: str
    headers: Mapping[str, str]
    body: Any


def problems(body: Mapping[str, Any]) -> list[str]:
    """One sentence for each rule of the wire that an order breaks."""
    found = [
        f"{name}: must be a string"
        for name in ("parent_task_id", "image_url", "webhook_url", "webhook_secret")
        if body.get(name) is not None and (not isinstance(body[name], str) or not body[name])
    ]
    if (body.get("parent_task_id") is None) == (body.get("image_url") is None):
        found.append("parent_task_id, image_url: exactly one is required")
    if body.get("type") not in ("2x", "4x"):
        found.append('type: must be "2x" or "4x"')
    if body.get("index") not in (None, "1", "2", "3", "4"):
        found.append('index: must be "1" to "4"')
    webhook_url = body.get("webhook_url")
    if isinstance(webhook_url, str) and not webhook_url.startswith("https://") and not is_here(webhook_url):
        found.append("webhook_url: must begin with https://")
    return found


def refusal(*sentences: str) -> Reply:
    """A 400 with these sentences."""
    return Reply(400, {"errors": [{"msg": sentence} for sentence in sentences]})


def is_here(url: str) -> bool:
    """True for an address of this machine, beyond which the stand-in never goes."""
    try:
        return is_loopback(urllib.parse.urlsplit(url).hostname or "")
    except ValueError:
        return False
