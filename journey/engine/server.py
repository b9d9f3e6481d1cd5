"""The routes of the embedded engine: the same JSON as the hosted API."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from journey.api.errors import RateLimited, TaskNotFound
from journey.api.models import LEAST_IDS, MOST_IDS, UpscaleRequest, usable_id
from journey.engine.guesses import Guesses
from journey.engine.openapi import description
from journey.engine.queue import Queue
from journey.engine.tasks import EngineTask, Tasks
from journey.engine.wire import AccountSaid, Problem, Queued, Refusal, Said, TasksSaid
from journey.errors import InvalidRequest

API_PATH = "/api/v1"
BODY_LIMIT = 64 * 1024
BODY_SECONDS = 10.0
CREDITS = 1_000_000
"""What /account says: nothing is ever charged."""

Call = Callable[[dict[str, Any], str, str], Said]
"""(body, owner, origin) -> answer."""


def owner_of(key: str) -> str:
    """What the table stores instead of the key. A task belongs to the key that made it."""
    return hashlib.sha256(key.encode()).hexdigest()


def routes(queue: Queue, tasks: Tasks, *, keys: Sequence[str], public_url: str | None = None) -> list[Route]:
    """All routes below `/api/v1`. `keys` are the raw keys that callers may send."""
    guesses = Guesses()

    def upscale(body: dict[str, Any], owner: str, origin: str) -> Said:
        return Queued(task_id=queue.submit(UpscaleRequest.checked(body), owner=owner, origin=origin))

    def fetch(body: dict[str, Any], owner: str, origin: str) -> Said:
        return one(_task_id(body), owner).said(origin)

    def fetch_many(body: dict[str, Any], owner: str, origin: str) -> Said:
        found = tasks.get(_task_ids(body), owner=owner)
        return TasksSaid(tasks=[task.said(origin) for task in found])

    def cancel(body: dict[str, Any], owner: str, origin: str) -> Said:
        task_id = _task_id(body)
        queue.cancel(task_id, owner=owner)
        return one(task_id, owner).said(origin)

    def account(_body: dict[str, Any], owner: str, _origin: str) -> Said:
        finished = tasks.finished_count(owner=owner)
        return AccountSaid(email="local", credits=CREDITS, total_images=finished, plan="embedded")

    def one(task_id: str, owner: str) -> EngineTask:
        found = tasks.get([task_id], owner=owner)
        if not found:
            raise TaskNotFound("Task not found")
        return found[0]

    def endpoint(call: Call, *, has_body: bool = True) -> Callable[[Request], Any]:
        async def answer(request: Request) -> JSONResponse:
            owner = _owner(request, keys)
            if owner is None:
                return JSONResponse({}, 401) if await guesses.note() else _refusal(429, "Too many wrong keys")
            body: dict[str, Any] | JSONResponse = await _body(request) if has_body else {}
            if isinstance(body, JSONResponse):
                return body
            try:
                said = await run_in_threadpool(call, body, owner, public_url or _origin(request))
            except InvalidRequest as error:
                return _refusal(400, *error.problems)
            except TaskNotFound as error:
                return _refusal(404, str(error))
            except RateLimited as error:
                return _refusal(429, str(error), headers={"Retry-After": f"{error.retry_after or 30:.0f}"})
            return JSONResponse(said.wire())

        return answer

    async def openapi(request: Request) -> JSONResponse:
        return JSONResponse(description((public_url or _origin(request)) + API_PATH))

    return [
        Route(f"{API_PATH}/upscale-2x-4x", endpoint(upscale), methods=["POST"]),
        Route(f"{API_PATH}/fetch", endpoint(fetch), methods=["POST"]),
        Route(f"{API_PATH}/fetch-many", endpoint(fetch_many), methods=["POST"]),
        Route(f"{API_PATH}/cancel", endpoint(cancel), methods=["POST"]),
        Route(f"{API_PATH}/account", endpoint(account, has_body=False), methods=["GET"]),
        Route(f"{API_PATH}/openapi.json", openapi, methods=["GET"]),
    ]


def _owner(request: Request, keys: Sequence[str]) -> str | None:
    given = request.headers.get("authorization", "").encode("utf-8", "replace")
    matches = [key for key in keys if key and hmac.compare_digest(given, key.encode())]
    return owner_of(matches[0]) if matches else None


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _task_id(body: dict[str, Any]) -> str:
    task_id = body.get("task_id")
    if not usable_id(task_id):
        raise InvalidRequest("task_id: must be a string of 1 to 200 characters")
    return str(task_id)


def _task_ids(body: dict[str, Any]) -> list[str]:
    task_ids = body.get("task_ids")
    if (
        not isinstance(task_ids, list)
        or not LEAST_IDS <= len(task_ids) <= MOST_IDS
        or not all(map(usable_id, task_ids))
    ):
        raise InvalidRequest(f"task_ids: must be a list of {LEAST_IDS} to {MOST_IDS} task ids")
    return task_ids


async def _body(request: Request) -> dict[str, Any] | JSONResponse:
    """The JSON object that was sent, or the answer that refuses it."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return _refusal(415, "Send the body as Content-Type: application/json")
    received = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > BODY_LIMIT:
                    return _refusal(413, f"The body is larger than {BODY_LIMIT // 1024} KiB")
    except TimeoutError:
        return _refusal(408, "The body came too slowly")
    except ClientDisconnect:
        return _refusal(400, "The body was cut short")
    try:
        body = json.loads(received.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return _refusal(400, "The body is not valid JSON")
    if not isinstance(body, dict):
        return _refusal(400, "The body must be a JSON object")
    return body


def _refusal(status: int, *problems: str, headers: dict[str, str] | None = None) -> JSONResponse:
    refusal = Refusal(errors=[Problem(msg=problem) for problem in problems])
    return JSONResponse(refusal.wire(), status, headers=headers)
