"""The receiver of JourneyAPI's webhooks.

A webhook is a hint: it makes an open entry due now, or tells an ambiguous one its task id. What became of the task, the
tracker then asks itself. The address carries a token of the entry, and a header a secret made from a key file and the
entry's id, so the secret is stored nowhere. A webhook for an entry is refused without it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from journey.api.models import usable_id
from journey.errors import DatabaseAway
from journey.history import Entry, History
from journey.history.together import Group
from journey.storage.failpoints import reach

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
BODY_SECONDS = 3.0
ANSWER_SECONDS = 9.0
"""JourneyAPI stops waiting for an answer after 10 s."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
# Otherwise the server would wait for the rest of a body that nobody reads.
_CLOSE = {"Connection": "close"}


def secret_for(key: bytes, entry_id: str) -> str:
    """The secret that JourneyAPI is given for this entry: an HMAC-SHA-256, 64 hexadecimal digits."""
    return hmac.new(key, b"webhook " + entry_id.encode(), hashlib.sha256).hexdigest()


def address_for(public_url: str, entry: Entry) -> str:
    """Where JourneyAPI is to call back for this entry."""
    return f"{public_url.rstrip('/')}/webhooks/{entry.webhook_token}"


def routes(history: History, key: bytes, *, on_hint: Callable[[], None] = lambda: None) -> list[Route]:
    """`POST /webhooks/{token}`: 204 when taken or of no interest, 4xx when refused, 503 when to be sent again.

    `key` is what `secret_for` makes the secrets from. Raises ValueError when it is too short to be safe.
    """
    if len(key) < 16:
        raise ValueError("the key of the webhook secrets has fewer than 16 bytes")
    # The tasks of a batch end together, and so do their webhooks come.
    group = Group(history)

    async def receive(request: Request) -> Response:
        given = request.headers.get("x-webhook-secret", "")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer(request, given)
        except (DatabaseAway, TimeoutError) as error:
            log.warning("a webhook could not be noted: %s", type(error).__name__)
            return Response(status_code=503, headers={"Retry-After": "10"})

    async def answer(request: Request, given: str) -> Response:
        token = request.path_params["token"]
        entry = await run_in_threadpool(history.by_webhook_token, token) if _TOKEN.fullmatch(token) else None
        if entry is None:
            return Response(status_code=204, headers=_CLOSE)
        if not hmac.compare_digest(given.encode("utf-8", "replace"), secret_for(key, entry.id).encode()):
            return Response(status_code=401, headers=_CLOSE)
        body = await _body(request)
        if isinstance(body, Response):
            return body
        task_id = _task_id(body)
        if task_id is None:
            return Response(status_code=400)
        if entry.state.over and task_id == entry.task_id:
            # Most are late or repeated, and need not wait for other writers.
            return Response(status_code=204)
        reach("before the hint is stored")
        await run_in_threadpool(group.store, lambda within: within.hint(entry, task_id))
        reach("after the hint is stored")
        on_hint()
        return Response(status_code=204)

    return [Route("/webhooks/{token}", receive, methods=["POST"])]


async def _body(request: Request) -> bytes | Response:
    received = bytearray()
    declared = request.headers.get("content-length", "0").lstrip("0")
    if len(declared) > len(str(BODY_LIMIT)) or (declared.isdecimal() and int(declared) > BODY_LIMIT):
        return Response(status_code=413, headers=_CLOSE)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > BODY_LIMIT:
                    return Response(status_code=413, headers=_CLOSE)
    except TimeoutError:
        return Response(status_code=408, headers=_CLOSE)
    except ClientDisconnect:
        return Response(status_code=400)
    return bytes(received)


def _task_id(body: bytes) -> str | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    task_id = said.get("task_id") if isinstance(said, dict) else None
    return task_id if usable_id(task_id) else None
