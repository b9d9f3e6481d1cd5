"""`journey fetch` and `journey account`: what was begun at JourneyAPI, and what is left there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from journey.commands.showing import Showing, say
from journey.errors import InvalidRequest

if TYPE_CHECKING:
    from journey.history import Entry
    from journey.workspace import Workspace


@click.command(short_help="Fetch the result of a task that was begun before.")
@click.argument("task_id", metavar="ID")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file or a folder.")
@click.option("--json", "as_json", is_flag=True)
def fetch(task_id: str, output: Path | None, as_json: bool) -> int:
    """Wait for the end of a task at JourneyAPI and fetch its result, for no further charge.

    ID is the one that JourneyAPI gave, or that of the studio's history.
    """
    from journey.commands.hosted import LOOK_SECONDS, ended, keep, studio, waits_for_a_person, why_not

    show = Showing(as_json=as_json)
    with studio() as space, show.working(1):
        entry = _taken_up(space, task_id)
        while not (ended(entry) or waits_for_a_person(space, entry)):
            show.progress(entry.name, (entry.percentage or 0) / 100)
            time.sleep(LOOK_SECONDS)
            entry = space.history.get(entry.id) or entry
        facts = {"entry": entry.id, "task_id": entry.task_id, "credits": entry.credits}
        if entry.result is None:
            reason = why_not(space, entry)
            show.ended(entry.name, f"{entry.name}: {reason}", {**facts, "error": reason}, failed=True)
            return 1
        name = Path(entry.result.file)
        target = output / name if output and output.is_dir() else output or name
        kept = keep(space, entry, target)
        width, height = entry.result.size
        facts |= {"result": str(kept), "width": width, "height": height}
        show.ended(entry.name, f"{kept} · {width} × {height} px", facts)
    return 0


def _taken_up(space: Workspace, given: str) -> Entry:
    """The entry of this id or task id, open again if it ended without its result. Raises InvalidRequest."""
    from journey.history import Filter

    found = space.history.get(given) or next(
        (each for each in space.history.lists.search(Filter(text=given), limit=20).entries if each.task_id == given),
        None,
    )
    if found is None:
        raise InvalidRequest(
            f"The history of this data folder has no task {given[:80]!r}. JOURNEY_DATA_DIR says which."
        )
    if found.can_be_fetched_again and found.result is None:
        return space.history.fetch_again(found.id) or found
    return found


@click.command(short_help="Show what is left at JourneyAPI.")
@click.option("--json", "as_json", is_flag=True)
def account(as_json: bool) -> None:
    """Show the credits and the plan of the account at JourneyAPI."""
    from journey.api.client import JourneyClient
    from journey.commands.hosted import refuse_without_key
    from journey.settings import read_settings

    settings = read_settings()
    refuse_without_key(settings)
    with JourneyClient(str(settings.api_key), settings.api_url) as client:
        found = client.account()
    facts = found.model_dump()
    shown = {"E-mail": found.email, "Credits": found.credits, "Plan": found.plan, "Pictures": found.total_images}
    say(facts, [f"{name}: {value}" for name, value in shown.items() if value is not None], as_json=as_json)
