"""Orders at JourneyAPI, through the database of the studio: asked for, counted, never paid for twice."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from journey.commands.showing import Showing, write_out
from journey.commands.upscale import Job, Wish
from journey.errors import InvalidRequest, JourneyError
from journey.history import UNDECIDED, Entry, State
from journey.provider import Provider
from journey.settings import Settings, read_settings
from journey.studio import Order, Source, Variant
from journey.views.words import counted
from journey.workspace import Workspace

LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class _Placed:
    """One picture that is to be ordered, or was before: `entry` is None until then."""

    job: Job
    source: Source
    multiplier: int
    provider: Provider
    entry: Entry | None = None

    @property
    def order(self) -> Order:
        return Order(source=self.source, variant=Variant(self.provider), scale=self.multiplier)


@contextmanager
def studio() -> Iterator[Workspace]:
    """The studio's own parts, without its pages and its engine.

    If a studio works with this data folder already, it does the work; else this process does, until the end of the
    `with`. Raises CannotStart.
    """
    settings = read_settings()
    refuse_without_key(settings)
    space = Workspace(settings.model_copy(update={"engine": "off"}))
    space.start(draws_samples=False)
    try:
        yield space
    finally:
        space.stop()


def refuse_without_key(settings: Settings) -> None:
    """Raises InvalidRequest when there is no key for JourneyAPI."""
    if not settings.api_key:
        raise InvalidRequest("There is no key for JourneyAPI. Set JOURNEY_API_KEY, or leave out --engine journeyapi.")


def upscale_there(
    jobs: list[Job], wish: Wish, provider: Provider, show: Showing, *, is_agreed: bool, overwrite: bool
) -> int:
    """Order all pictures at a paid provider and fetch their results. Returns the exit status.

    Nothing is spent before it was agreed to, and what was ordered before is gone on with instead of paid for again.
    """
    with studio() as space:
        placed, all_well = _looked_at(space, jobs, wish, provider, show, overwrite=overwrite)
        new = [each for each in placed if each.entry is None]
        if new:
            _agree(space, provider, len(new), is_agreed=is_agreed)
            space.resume(provider)  # whoever agrees to spend wants a queue that was paused to go on
        waited_for = [each if each.entry else _place(space, each) for each in placed]
        with show.working(len(waited_for)):
            outcomes = list(_ends(space, waited_for, show))
    return 0 if all_well and all(outcomes) else 1


def _looked_at(
    space: Workspace, jobs: Sequence[Job], wish: Wish, provider: Provider, show: Showing, *, overwrite: bool
) -> tuple[list[_Placed], bool]:
    """What has to be ordered or waited for, and whether every picture could be used."""
    placed = []
    all_well = True
    for job in jobs:
        name = job.given.name
        try:
            source = _source(space, job)
            multiplier = wish.for_size(*source.size)
            target = job.target(multiplier)
            if multiplier == 1 and job.to_standard_output:
                write_out(space.files.path(source.stored.key, source.stored.file))
                continue
            if multiplier == 1:
                show.ended(
                    name,
                    f"{name}: large enough as it is, nothing was ordered.",
                    {"source": job.given.source, "result": None},
                )
                continue
            if not job.to_standard_output and target.exists() and not overwrite:
                facts = {"source": job.given.source, "result": str(target), "multiplier": multiplier}
                show.ended(name, f"{name}: {target} is there already. --overwrite fetches it anew.", facts)
                continue
            wanted = _Placed(job, source, multiplier, provider)
            space.orders.check(wanted.order)
            placed.append(replace(wanted, entry=space.history.lists.ordered(wanted.order.fingerprint)))
        except JourneyError as error:
            show.ended(name, f"{name}: {error}", {"source": job.given.source, "error": str(error)}, failed=True)
            all_well = False
    return placed, all_well


def _source(space: Workspace, job: Job) -> Source:
    if job.given.url:
        return space.intake.from_url(job.given.url)
    if job.given.path is None:
        return space.intake.from_upload(job.given.name, sys.stdin.buffer.read())
    return space.intake.from_upload(job.given.name, job.given.path.read_bytes())


def _agree(space: Workspace, provider: Provider, count: int, *, is_agreed: bool) -> None:
    """Ask before credits are spent. Raises InvalidRequest when nobody can be asked, or when the budget forbids it."""
    cost = count * provider.credits
    budget = space.budget()
    if budget and cost > budget.left:
        raise InvalidRequest(
            f"{counted(count, 'picture')} cost {cost} credits, but only {max(0, budget.left)} of this month's budget "
            "(JOURNEY_MONTHLY_CREDITS) are left. Nothing was sent."
        )
    if is_agreed:
        return
    sum_of_it = f"{counted(count, 'picture')} × {provider.credits} credits = {cost} credits at {provider.label}"
    if not sys.stdin.isatty():
        raise InvalidRequest(f"{sum_of_it}: add --yes to spend them. Nothing was sent.")
    click.confirm(f"{sum_of_it}. Send?", abort=True, err=True)


def _place(space: Workspace, wanted: _Placed) -> _Placed:
    return replace(wanted, entry=space.orders.place(wanted.order))


def _ends(space: Workspace, waited_for: Sequence[_Placed], show: Showing) -> Iterator[bool]:
    """Tell and fetch each result as its task ends; yields whether that went well."""
    missing = {each.entry.id: each for each in waited_for if each.entry}
    while missing:
        for entry_id, each in list(missing.items()):
            entry = space.history.get(entry_id)
            if entry is None or ended(entry) or waits_for_a_person(space, entry):
                yield _tell(space, each, entry, show)
                del missing[entry_id]
            else:
                show.progress(each.job.given.name, (entry.percentage or 0) / 100)
        if missing:
            time.sleep(LOOK_SECONDS)


def ended(entry: Entry) -> bool:
    """True when nothing more will happen to it by itself."""
    return entry.state.over or entry.state in UNDECIDED


def waits_for_a_person(space: Workspace, entry: Entry) -> bool:
    return entry.state is State.QUEUED and entry.provider in space.history.pauses.reasons()


def _tell(space: Workspace, each: _Placed, entry: Entry | None, show: Showing) -> bool:
    name = each.job.given.name
    facts: dict[str, Any] = {"source": each.job.given.source, "multiplier": each.multiplier}
    if entry is None:
        show.ended(name, f"{name}: it was deleted.", {**facts, "error": "It was deleted."}, failed=True)
        return False
    facts |= {"entry": entry.id, "task_id": entry.task_id, "credits": entry.credits}
    if entry.result is None:
        reason = why_not(space, entry)
        show.ended(name, f"{name}: {reason}", {**facts, "error": reason}, failed=True)
        return False
    target = keep(space, entry, None if each.job.to_standard_output else each.job.target(each.multiplier))
    if target is not None:
        width, height = entry.result.size
        facts |= {"result": str(target), "width": width, "height": height}
        show.ended(name, f"{name} → {target} · {width} × {height} px · {entry.credits} credits", facts)
    return True


def why_not(space: Workspace, entry: Entry) -> str:
    """Why an entry has no result, and what to do, as a sentence."""
    if entry.state is State.AMBIGUOUS:
        return (
            f"{entry.error or 'It is not known whether the call was accepted.'} It may have been charged, so it is not "
            "sent again: decide in the studio, under History."
        )
    if entry.state is State.ASKING:
        return f"{entry.error or entry.note} Nothing was sent: decide in the studio, under History."
    if entry.state is State.QUEUED:
        reason = space.history.pauses.reasons().get(entry.provider, "The queue is paused.")
        return f"{reason} It waits in the queue, and nothing was charged. The same command goes on with it."
    if entry.state is State.FINISHED:
        return "Its result is no longer stored."
    return entry.error or f"It is {entry.state}."


def keep(space: Workspace, entry: Entry, target: Path | None) -> Path | None:
    """Copy the stored result of an entry to a file, or to standard output if there is none. Raises FileMissing."""
    assert entry.result is not None  # noqa: S101  callers have looked
    path = space.files.path(entry.result.key, entry.result.file)
    if target is None:
        write_out(path)
        return None
    target = target.with_suffix(path.suffix)
    shutil.copyfile(path, target)
    return target
