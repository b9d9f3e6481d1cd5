"""`python -m journey.engine`: the embedded engine alone, for programs that speak JourneyAPI."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from journey.background import Loop
from journey.engine import tasks as engine_tasks
from journey.engine.embedded import EmbeddedEngine
from journey.engine.networks.backends import unavailable_reason
from journey.engine.pruning import give_up, prune
from journey.errors import CannotStart
from journey.history import tables as history_tables
from journey.history.deletions import Deletions, doom, watched
from journey.outside.door import Door
from journey.pictures import gallery
from journey.pictures.checking import Decoder, Limits
from journey.settings import Settings, read_settings
from journey.storage import data_folder
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.looked import Looked
from journey.storage.stored import Origins
from journey.storage.uses import Uses
from journey.studio.removal import Removal
from journey.studio.sweeping import Sweeping
from journey.web import connections, logs, own_paths
from journey.web.files import routes as file_routes
from journey.web.hosts import Hosts, OwnNames
from journey.web.troubles import PassingTroubles


def app(settings: Settings, *, host: str, port: int) -> Starlette:
    """The engine as an ASGI application of its own, for a server that listens at this host and port.

    Raises CannotStart. It takes the worker lock of the data folder, and releases it when the application ends.
    """
    if reason := unavailable_reason():
        raise CannotStart(reason)
    data_folder.prepare(settings.data_dir)
    database = Database(settings.database_place)
    database.upgrade()
    files = Files(settings.files_place, work_dir=settings.data_dir)
    decoder = Decoder(Limits(settings.max_input_pixels, settings.max_output_pixels))
    origins = Origins.at(host, port, public=settings.public_url)
    door = Door(settings.fetch_allow, contact=settings.contact)
    engine = EmbeddedEngine(settings, database, files, decoder, door, origins=origins)
    looked = Looked(settings.files_place)
    removal = Removal(
        Deletions(database, give_up=give_up),
        files,
        looked,
        Uses(database, looked, [*history_tables.CLAIMS, *engine_tasks.CLAIMS]),
        prune=partial(prune, database, keep=settings.engine_keep, watched=watched, doom=doom),
    )
    sweeping = Sweeping(removal, keep_days=settings.keep_days)
    tidying = Loop("tidying", sweeping.step)
    lock = database.worker_lock()
    if not lock.acquire():
        raise CannotStart("Another process already works with this data folder. Set JOURNEY_DATA_DIR to another one.")
    files.start()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # Drawn on the first start only, before any call is answered, so that every caller finds the grid.
        await run_in_threadpool(gallery.hang, files, grid_only=True)
        await run_in_threadpool(engine.add_sample_grid)
        decoder.start()
        engine.start()
        tidying.start()
        try:
            yield
        finally:
            await run_in_threadpool(tidying.stop)
            await run_in_threadpool(engine.stop)
            await run_in_threadpool(decoder.stop)
            lock.release()
            database.close()

    names = OwnNames.of(host, public_url=settings.public_url, more=settings.allowed_hosts)
    routes = own_paths.closed([*engine.routes, *file_routes(files)])
    return Starlette(
        routes=routes, lifespan=lifespan, middleware=[Middleware(Hosts, names=names), Middleware(PassingTroubles)]
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m journey.engine", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", default=8502, type=int, help="port to listen at, 0 for any (default: 8502)")
    arguments = parser.parse_args()
    try:
        run(arguments.host, arguments.port)
    except CannotStart as error:
        sys.exit(f"Cannot start: {error}")


def run(host: str, port: int) -> None:
    """Serve until it is stopped. Port 0 means any that is free. Raises CannotStart."""
    listener = listener_at(host, port)
    port = listener.getsockname()[1]
    settings = read_settings()
    application = app(settings, host=host, port=port)
    _say(f"The engine listens at http://{_in_url(host)}:{port}/api/v1")
    if not settings.engine_key:
        _say(f"Its key is in {settings.data_dir / 'engine-key'}")
    logs.set_up(*settings.engine_key)
    connections.prepare()
    with suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(application, log_level="warning")).run(sockets=[listener])


def listener_at(host: str, port: int) -> socket.socket:
    """A listening socket: whoever connects from now on waits until the application is up. Raises CannotStart."""
    try:
        if not 0 <= port < 65536:
            raise OSError(0, "there is no such port")
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, UnicodeError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        raise CannotStart(f"It cannot listen at {host}, port {port}: {reason}. Choose another with --port.") from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  the program's output


if __name__ == "__main__":
    main()
