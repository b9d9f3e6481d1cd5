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
from journey.api.models import UpscaleRequest, usable_id
from journey.engine.jobs import Jobs
from journey.engine.openapi import description
from journey.errors import InvalidRequest

API_PATH = "/api/v1"
BODY_LIMIT = 64 * 1024
BODY_SECONDS = 10.0
EMBEDDED_CREDITS = 1_000_000

Answer = JSONResponse
Call = Callable[[dict[str, Any], str, str], Answer]
"""(body, owner, origin) -> answer."""


def owner_of(key: str) -> str:
    """What the table stores instead of a key: a task belongs to the key that made it."""
    return hashlib.sha256(key.encode()).hexdigest()


def routes(jobs: Jobs, *, keys: Sequence[str], public_url: str | None = None) -> list[Route]:
    """All routes below `/api/v1`. `keys` are the raw keys that callers may send."""

    def upscale(body: dict[str, Any], owner: str, origin: str) -> Answer:
        request = UpscaleRequest.checked(body)
        return JSONResponse({"task_id": jobs.submit(request, owner=owner, origin=origin)})

    def fetch(body: dict[str, Any], owner: str, origin: str) -> Answer:
        return JSONResponse(_one(body, owner).wire(origin))

    def fetch_many(body: dict[str, Any], owner: str, origin: str) -> Answer:
        task_ids = body.get("task_ids")
        if not isinstance(task_ids, list) or not 2 <= len(task_ids) <= 20 or not all(map(usable_id, task_ids)):
            raise InvalidRequest("task_ids: must be a list of 2 to 20 task ids")
        return JSONResponse({"tasks": [job.wire(origin) for job in jobs.get(task_ids, owner=owner)]})

    def cancel(body: dict[str, Any], owner: str, origin: str) -> Answer:
        jobs.cancel(_task_id(body), owner=owner)
        return JSONResponse(_one(body, owner).wire(origin))

    def account(_body: dict[str, Any], owner: str, _origin: str) -> Answer:
        finished = jobs.finished_count(owner=owner)
        return JSONResponse(
            {"email": "local", "credits": EMBEDDED_CREDITS, "total_images": finished, "plan": "embedded"}
        )

    def _one(body: dict[str, Any], owner: str) -> Any:
        found = jobs.get([_task_id(body)], owner=owner)
        if not found:
            raise TaskNotFound("Task not found")
        return found[0]

    def endpoint(call: Call, *, has_body: bool = True) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Answer:
            owner = _owner(request, keys)
            if owner is None:
                return JSONResponse({}, 401)
            body: dict[str, Any] | Answer = await _body(request) if has_body else {}
            if isinstance(body, JSONResponse):
                return body
            try:
                return await run_in_threadpool(call, body, owner, public_url or _origin(request))
            except InvalidRequest as error:
                return _refusal(400, *error.problems)
            except TaskNotFound as error:
                return _refusal(404, str(error))
            except RateLimited as error:
                return _refusal(429, str(error), headers={"Retry-After": f"{error.retry_after or 30:.0f}"})

        return answer

    async def openapi(request: Request) -> Answer:
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


async def _body(request: Request) -> dict[str, Any] | Answer:
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


def _refusal(status: int, *problems: str, headers: dict[str, str] | None = None) -> Answer:
    return JSONResponse({"errors": [{"msg": problem} for problem in problems]}, status, headers=headers)
