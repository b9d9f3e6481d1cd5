"""`python -m journey.engine`: the embedded engine alone, for programs that speak JourneyAPI."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette

from journey import gallery
from journey.database import Database
from journey.engine.embedded import EmbeddedEngine
from journey.engine.network import unavailable_reason
from journey.errors import CannotStart
from journey.fetching import Door
from journey.files import Files
from journey.files import routes as file_routes
from journey.images import Decoder
from journey.settings import Settings, read_settings


def app(settings: Settings, *, origins: list[str]) -> Starlette:
    """The engine as an ASGI application of its own. `origins` are the addresses at which it will be reached."""
    if reason := unavailable_reason():
        raise CannotStart(reason)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.resolved_database_url)
    database.upgrade()
    files = Files(settings.resolved_files_url, work_dir=settings.data_dir)
    decoder = Decoder(max_input_pixels=settings.max_input_pixels, max_output_pixels=settings.max_output_pixels)
    door = Door(settings.fetch_allow)
    engine = EmbeddedEngine(settings, database, files, decoder, door, own_origins=origins)
    lock = database.worker_lock()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if not lock.acquire():
            raise CannotStart("Another process works this data folder already. Set JOURNEY_DATA_DIR to another one.")
        files.start()
        decoder.start()
        gallery.hang(files)
        engine.add_sample_grid()
        engine.start()
        try:
            yield
        finally:
            engine.stop()
            decoder.stop()
            lock.release()
            database.close()

    return Starlette(routes=[*engine.routes, *file_routes(files)], lifespan=lifespan)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m journey.engine", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    parser.add_argument("--port", default=8502, type=int, help="port to listen at (default: 8502)")
    arguments = parser.parse_args()
    try:
        settings = read_settings()
        origins = [f"http://{host}:{arguments.port}" for host in ("127.0.0.1", "localhost", arguments.host)]
        application = app(settings, origins=origins)
    except CannotStart as error:
        sys.exit(f"Cannot start: {error}")
    print(f"The engine listens at http://{arguments.host}:{arguments.port}/api/v1")  # noqa: T201  the program's output
    if not settings.engine_key:
        print(f"Its key is in {settings.data_dir / 'engine-key'}")  # noqa: T201  the program's output
    uvicorn.run(application, host=arguments.host, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
