"""The server: Streamlit pages, HTTP routes and background work as one ASGI application. `streamlit run app.py`."""

from __future__ import annotations

import ipaddress
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from journey.errors import CannotStart
from journey.web.way_back import WayBack
from journey.workspace import Workspace, workspace
from pages import _sign_in


def build() -> Workspace:
    """The workspace, or an end with one sentence: a wrong setting is not a crash."""
    try:
        refuse_open_doors()
        return workspace()
    except CannotStart as error:
        sys.exit(f"Cannot start: {error}")


def refuse_open_doors() -> None:
    """Listening beyond this machine without sign-in has to be asked for. Raises CannotStart, also when sign-in is
    configured only in part."""
    if _sign_in.providers():
        return
    settings = workspace().settings
    if settings.sign_in_domains:
        raise CannotStart(
            "JOURNEY_SIGN_IN_DOMAINS is set, but there is no [auth] in .streamlit/secrets.toml, so nobody would be "
            "asked to sign in. docs/team.md says what to fill in."
        )
    address = st.get_option("server.address") or "0.0.0.0"  # noqa: S104  Streamlit's default, refused below
    if not _is_loopback(address) and not settings.open:
        raise CannotStart(
            f"server.address is {address}, so anyone who reaches this machine could use the studio and its key. "
            "Configure sign-in, listen at 127.0.0.1, or set JOURNEY_OPEN=1 if that is meant."
        )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


# The access log would hold the keys of pictures and the tokens of webhooks.
logging.getLogger("uvicorn.access").disabled = True

space = build()


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[dict[str, Any]]:
    await run_in_threadpool(
        space.start, port=st.get_option("server.port"), host=st.get_option("server.address") or "127.0.0.1"
    )
    try:
        yield {}
    finally:
        await run_in_threadpool(space.stop)


async def healthz(_: Request) -> JSONResponse:
    """The process is up."""
    return JSONResponse({"status": "ok"})


async def readyz(_: Request) -> JSONResponse:
    """Database, disk and worker are fine; else 503 and what is not."""
    problems = await run_in_threadpool(space.problems)
    return JSONResponse(
        {"status": "ok" if not problems else "not ready", "problems": problems}, 503 if problems else 200
    )


app = st.App(
    "pages/_app.py",
    routes=[Route("/healthz", healthz), Route("/readyz", readyz), *space.routes],
    lifespan=lifespan,
    middleware=[Middleware(WayBack)],
)
