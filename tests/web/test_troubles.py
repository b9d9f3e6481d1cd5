"""What passes by itself is told to whoever asks, and a fault of ours stays one."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from journey.errors import DatabaseAway, DiskFull
from journey.web.troubles import PassingTroubles
from tests.harness.standing import outcome

FULL = "The disk is full, so nothing can be stored."
AWAY = "The database does not answer."
TROUBLES = {
    "away": (DatabaseAway("it is locked"), AWAY),
    "full": (OSError(errno.ENOSPC, "No space left on device"), FULL),
    "quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), FULL),
    "full-database": (DiskFull("database or disk is full"), FULL),
    "read-only": (OSError(errno.EROFS, "Read-only file system"), "The disk takes no writes"),
}
FAULTS = {"denied": OSError(errno.EACCES, "Permission denied"), "fault": RuntimeError("a secret")}


def break_down(request: Request) -> Response:
    name = request.path_params["name"]
    raise TROUBLES[name][0] if name in TROUBLES else FAULTS[name]


def break_off(_: Request) -> Response:
    def pieces() -> Iterator[str]:
        yield "id,name\n"
        raise DatabaseAway("it is gone")

    return StreamingResponse(pieces())


ROUTES = [Route("/files/{name}", break_down), Route("/api/v1/{name}", break_down), Route("/exports", break_off)]


def asked(path: str, *, raises: bool = False) -> httpx.Response:
    """The answer, or, with `raises`, what the server would write into its log."""
    transport = httpx.ASGITransport(
        Starlette(routes=ROUTES, middleware=[Middleware(PassingTroubles)]), raise_app_exceptions=raises
    )

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://studio.test") as client:
            return await client.get(path)

    return outcome(ask())


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_that_passes_is_told(name: str) -> None:
    """Callers are told what it is and when to ask again, programs in the form of the API."""
    for path in ("/files", "/api/v1"):
        answer = asked(f"{path}/{name}")
        said = answer.json()["errors"][0]["msg"] if path == "/api/v1" else answer.text
        assert (503, "10") == (answer.status_code, answer.headers["Retry-After"])
        assert said.startswith(TROUBLES[name][1])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_ours_stays_one(name: str) -> None:
    """Nothing of it is told."""
    answer = asked(f"/files/{name}")
    assert (500, "Internal Server Error") == (answer.status_code, answer.text)


def test_an_answer_that_has_begun_is_cut_off() -> None:
    """Nobody takes the first half of a list for the whole, with a sentence at its end."""
    with pytest.raises(DatabaseAway):
        asked("/exports", raises=True)
