"""What callers of the client hand over, judged before anything is sent: the key, ids, orders and times."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from journey.api.models import MOST_IDS, UpscaleRequest, usable_id
from journey.errors import InvalidRequest


class UpscaleFields(TypedDict, total=False):
    """The fields of `UpscaleRequest` as keyword arguments."""

    parent_task_id: str | None
    image_url: str | None
    type: str
    index: str | None
    webhook_url: str | None
    webhook_secret: str | None
    model: str | None
    reference: str | None


def check_seconds(name: str, value: object, *, least: float = 0.0, most: float = float("inf")) -> None:
    """Raises InvalidRequest for what no clock can count: None, NaN, a negative number, and text."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        limit = "" if most == float("inf") else f", at most {most:g}"
        raise InvalidRequest(
            f"{name}: must be a number of seconds, {'not negative' if not least else 'above 0'}{limit}"
        )


def checked_key(key: object) -> str:
    """The key, fit for a header. Raises InvalidRequest, which never repeats it."""
    if not isinstance(key, str) or not key:
        raise InvalidRequest("The API key is missing.")
    if not all("!" <= char <= "~" for char in key):
        raise InvalidRequest(
            "The API key contains spaces, line breaks or other characters that no key has. Copy the bare key again."
        )
    return key


def order(request: UpscaleRequest | None, fields: UpscaleFields) -> UpscaleRequest:
    if request is not None:
        if fields:
            raise InvalidRequest("Give either a ready request or its fields, not both.")
        return request
    # Otherwise a misspelt field would be dropped, and the wrong picture paid for.
    if unknown := sorted(fields.keys() - UpscaleRequest.model_fields.keys()):
        raise InvalidRequest(*(f"{name}: there is no such field" for name in unknown))
    return UpscaleRequest.checked(fields)


def check_ids(task_ids: Sequence[object]) -> None:
    if not all(usable_id(task_id) for task_id in task_ids):
        raise InvalidRequest("task_id: must be 1 to 200 visible characters")


def chunks(ids: list[str]) -> Iterable[list[str]]:
    """Lists of at most 20 ids. Only a lone id makes a list of one: /fetch-many refuses that."""
    start = 0
    while left := len(ids) - start:
        size = MOST_IDS - 1 if left == MOST_IDS + 1 else min(left, MOST_IDS)
        yield ids[start : start + size]
        start += size
