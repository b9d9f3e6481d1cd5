"""The server: Streamlit pages, HTTP routes and background work as one ASGI application. `streamlit run app.py`."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import file_util
from streamlit.runtime import get_instance
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from journey.errors import CannotStart
from journey.outside.addresses import is_loopback
from journey.settings import Settings, read_settings
from journey.signing_in import services
from journey.storage.stored import Origins
from journey.web import connections, documents, logs, own_paths
from journey.web.hosts import Hosts, OwnNames
from journey.web.safe_headers import SafeHeaders
from journey.web.sockets import Sockets
from journey.web.static_files import StaticFiles
from journey.web.troubles import PassingTroubles
from journey.web.uploads import Uploads
from journey.web.way_back import WayBack
from journey.web.xsrf import XsrfToken
from journey.workspace import Workspace, share
from pages.frame import clicks, sign_in

HOST: str = st.get_option("server.address") or "0.0.0.0"  # noqa: S104  Streamlit's default, judged below
PORT: int = st.get_option("server.port")


def build() -> Workspace:
    """Build the workspace, or exit with one sentence: a wrong setting is not a crash."""
    try:
        settings = read_settings()
        refuse_open_doors(settings)
        refuse_path_prefix()
        return Workspace(settings, origins=Origins.at(HOST, PORT, public=settings.public_url))
    except CannotStart as error:
        sys.exit(f"Cannot start: {error}")


def refuse_open_doors(settings: Settings) -> None:
    """Listening beyond this machine without sign-in must be asked for. Raises CannotStart if it was not, and if
    sign-in is only partly configured."""
    if services(sign_in.configured()):
        return
    if settings.sign_in_domains:
        raise CannotStart(
            "JOURNEY_SIGN_IN_DOMAINS is set, but there is no [auth] in .streamlit/secrets.toml, so nobody would be "
            "asked to sign in. docs/how-to/team.md says what to fill in."
        )
    if not is_loopback(HOST) and not settings.open:
        raise CannotStart(
            f"server.address is {HOST}, so anyone who reaches this machine could use the studio and its key. "
            "Configure sign-in, listen at 127.0.0.1, or set JOURNEY_OPEN=1 if that is intended."
        )


def refuse_path_prefix() -> None:
    """Links to pictures, webhooks and the API begin at the root of a name. Raises CannotStart."""
    if prefix := st.get_option("server.baseUrlPath"):
        raise CannotStart(
            f"server.baseUrlPath is {prefix!r}, but the studio works only at the root of a name. Give it a name of its "
            "own, such as studio.example.com, and leave that option out."
        )


# The access log would contain the keys of pictures and the tokens of webhooks.
logging.getLogger("uvicorn.access").disabled = True

space = build()


def set_up_logs() -> None:
    logs.set_up(space.settings.api_key or "", *(space.engine.keys if space.engine else ()))


set_up_logs()
share(space)
clicks.keep_all()


@asynccontextmanager
async def lifespan(_: object) -> AsyncIterator[dict[str, Any]]:
    set_up_logs()  # again: the server has set up its own since
    await run_in_threadpool(space.start)
    try:
        yield {}
    finally:
        await run_in_threadpool(space.stop)


async def healthz(_: Request) -> JSONResponse:
    """The process is up."""
    return JSONResponse({"status": "ok"})


async def readyz(_: Request) -> JSONResponse:
    """Database, disk and worker are fine; otherwise 503 and the problems."""
    problems = await run_in_threadpool(space.problems)
    return JSONResponse(
        {"status": "ok" if not problems else "not ready", "problems": problems}, 503 if problems else 200
    )


def uploaded_bytes(tab: str | None) -> int:
    """How many bytes of uploads Streamlit holds in memory for a tab, or for all of them."""
    uploads: dict[str, dict[str, UploadedFileRec]] = getattr(get_instance().uploaded_file_mgr, "file_storage", {})
    tabs = list(uploads) if tab is None else [tab]
    return sum(len(file.data) for each in tabs for file in list(uploads.get(each, {}).values()))


def middleware(settings: Settings) -> list[Middleware]:
    """What stands before Streamlit, from the outside in."""
    return [
        Middleware(SafeHeaders, public_url=settings.public_url),
        Middleware(Hosts, names=OwnNames.of(HOST, public_url=settings.public_url, more=settings.allowed_hosts)),
        Middleware(Sockets, most=connections.prepare(settings.max_tabs)),
        Middleware(
            Uploads,
            may_upload=space.gate.is_inside,
            held=uploaded_bytes,
            largest=settings.max_bytes,
            each=settings.max_tab_uploads,
            in_all=settings.max_uploads,
        ),
        Middleware(WayBack),
        Middleware(XsrfToken),
        Middleware(StaticFiles, folder=Path(file_util.get_static_dir())),
        Middleware(PassingTroubles),
    ]


app = st.App(
    "pages/_app.py",
    routes=own_paths.closed([Route("/healthz", healthz), Route("/readyz", readyz), *space.routes, *documents.routes()]),
    lifespan=lifespan,
    middleware=middleware(space.settings),
)
