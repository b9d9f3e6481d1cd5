"""`journey doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journey.commands.showing import say
from journey.errors import CannotStart, DatabaseAway, JourneyError, counted

if TYPE_CHECKING:
    from journey.settings import Settings

LITTLE_ROOM = 2 * 1024**3
"""Bytes on the disk below which large results may not fit: a result of 410 megapixels takes 1.5 GB."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is well, and what to know or do about it."""

    about: str
    is_well: bool
    words: str


@click.command(short_help="Check settings, key, database, disk, networks and ports.")
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> int:
    """Check everything that the studio, the engine and this command need, and say what to do."""
    findings = list(_findings())
    lines = [f"{'✓' if each.is_well else '✗'} {each.about}: {each.words}" for each in findings]
    is_well = all(each.is_well for each in findings)
    say({"well": is_well, "findings": [asdict(each) for each in findings]}, lines, as_json=as_json)
    return 0 if is_well else 1


def _findings() -> Iterator[Finding]:
    from journey.settings import read_settings

    try:
        settings = read_settings()
    except CannotStart as error:
        yield Finding("Settings", False, str(error))
        return
    yield Finding("Settings", True, "all understood.")
    checks: tuple[tuple[str, Callable[[Settings], str]], ...] = (
        ("Key", _key),
        ("Data folder", _data_folder),
        ("Database", _database),
        ("Pictures", _pictures),
        ("Papers", _papers),
        ("Networks", _networks),
        ("Runs on", _backend),
        ("Port 8501", lambda _: _port(8501, "journey serve --port 8600")),
        ("Port 8502", lambda _: _port(8502, "journey engine --port 8600")),
    )
    for about, check in checks:
        try:
            yield Finding(about, True, check(settings))
        except (JourneyError, DatabaseAway) as error:
            yield Finding(about, False, str(error))
        except OSError as error:
            yield Finding(about, False, f"{error.strerror or type(error).__name__}.")


def _papers(settings: Settings) -> str:
    from journey.printing import PAPERS
    from journey.printing.own_papers import all_papers

    own = len(all_papers(settings.papers_place, asked_for=settings.papers is not None)) - len(PAPERS)
    return f"{counted(own, 'paper')} of your own in {settings.papers_place}." if own else "the usual ones."


def _key(settings: Settings) -> str:
    if not settings.api_key:
        return "none, so everything runs on this machine and is free. JOURNEY_API_KEY adds JourneyAPI."
    from journey.api.client import JourneyClient

    with JourneyClient(settings.api_key, settings.api_url, attempts=1, timeout=15) as client:
        account = client.account()
    return f"accepted by {settings.api_url}, {account.credits} credits left."


def _data_folder(settings: Settings) -> str:
    from journey.storage import data_folder
    from journey.views.words import file_size

    place = settings.data_dir.resolve()
    there = next(each for each in (place, *place.parents) if each.exists())
    if there == place:
        data_folder.prepare(place)
    elif not os.access(there, os.W_OK):
        raise CannotStart(f"{place} cannot be made. Set JOURNEY_DATA_DIR to a folder that can be written to.")
    free = shutil.disk_usage(there).free
    if free < LITTLE_ROOM:
        raise CannotStart(f"only {file_size(free)} are free at {place}. Make room.")
    return f"{place}, {file_size(free)} free{'' if there == place else '; the first start makes it'}."


def _database(settings: Settings) -> str:
    from journey.storage.database import Database

    place = settings.database_place
    if isinstance(place, Path) and not place.exists():
        return "the first start makes it."
    database = Database(place)
    try:
        database.check()
        lock = database.worker_lock()
        is_free = lock.acquire()
        if is_free:
            lock.release()
    finally:
        database.close()
    return f"{database.place}" + ("." if is_free else ", in use by a studio.")


def _pictures(settings: Settings) -> str:
    from journey.storage.files import Files

    place = settings.files_place
    if isinstance(place, Path) and not place.exists():
        return "the first start makes their folder."
    Files(place, work_dir=settings.data_dir).check()
    # An address may hold a key, so only its kind is said.
    return f"{place if isinstance(place, Path) else place.partition('://')[0]}, can be written to."


def _networks(settings: Settings) -> str:
    from journey.engine.networks.backends import unavailable_reason
    from journey.engine.networks.finding import find_networks
    from journey.engine.networks.network import Hardware

    if reason := unavailable_reason():
        raise CannotStart(reason)
    hardware = Hardware(settings.engine_device, settings.engine_precision, settings.engine_workers)
    found = find_networks(settings.engine_models_dir, hardware)
    if found.problems:
        raise CannotStart(" ".join(found.problems.values()))
    return f"{', '.join(found.networks)}; {found.chosen(settings.engine_model).name} is the default."


def _backend(settings: Settings) -> str:
    from journey.engine.networks.backends import backend_for, describe
    from journey.engine.networks.network import Hardware
    from journey.processes import usable_cores

    hardware = Hardware(settings.engine_device, settings.engine_precision, settings.engine_workers)
    return f"{describe(backend_for(hardware))}, {usable_cores()} cores."


def _port(port: int, instead: str) -> str:
    with socket.socket() as trial:
        if trial.connect_ex(("127.0.0.1", port)) == 0:
            return f"in use, perhaps by a studio. For another one: {instead}."
    return "free."
