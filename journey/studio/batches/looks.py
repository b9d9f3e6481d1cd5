"""A look at each wanted picture: fetched, checked and stored in the background, a few at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

from journey.errors import InvalidRequest, JourneyError
from journey.history import History
from journey.outside.masking import masked_text
from journey.provider import Provider
from journey.studio.batches.lines import Wanted
from journey.studio.intake import Intake, ParentTask, Source

log = logging.getLogger(__name__)

AT_ONCE = 16
SLOW_SECONDS = 4.0
"""A look that takes longer gives its place to the next, so that a slow address does not hold up the others."""


@dataclass(frozen=True)
class Look:
    """What came of a look: the checked picture (four for a grid), or a sentence for the person."""

    sources: tuple[Source, ...] = ()
    problem: str | None = None


class Looks:
    """The looks of one person, kept so that each picture is looked at once however often the list is edited.

    Work starts only when `ahead` is called, so nothing goes on for somebody who has left. `executor` is
    shared between people and should have more threads than AT_ONCE.
    """

    def __init__(self, executor: Executor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._executor = executor
        self._clock = clock
        self._open: dict[object, tuple[float, Future[Any]]] = {}
        self._done: dict[object, object] = {}

    def ahead(self, works: Iterable[tuple[Wanted, Callable[[], Sequence[Source]]]]) -> None:
        """Go on with these, in this order, and with no others; each work returns sources or raises JourneyError."""
        self._collect()
        left = {wanted: work for wanted, work in works if wanted not in self._done}
        for wanted, (_, future) in list(self._open.items()):
            if isinstance(wanted, Wanted) and wanted not in left and future.cancel():
                del self._open[wanted]
        now = self._clock()
        busy = sum(now - begun < SLOW_SECONDS for begun, _ in self._open.values())
        for wanted, work in left.items():
            if busy >= AT_ONCE:
                break
            if wanted not in self._open:
                self._open[wanted] = now, self._executor.submit(_look, work)
                busy += 1

    def of(self, wanted: Wanted) -> Look | None:
        """What came of the look at this; None while it is under way or has not begun."""
        self._collect()
        found = self._done.get(wanted)
        return found if isinstance(found, Look) else None

    def problem(self, key: object, ask: Callable[[], str | None]) -> str | None:
        """The answer of `ask`, which may take seconds and runs once for each key. Raises LookupError until then."""
        self._collect()
        if key not in self._done:
            if key not in self._open:
                self._open[key] = self._clock(), self._executor.submit(ask)
            raise LookupError
        return str(self._done[key]) if self._done[key] is not None else None

    def forget(self, wanted: Iterable[Wanted]) -> None:
        """Forget the looks at these, so that they are looked at again."""
        for each in wanted:
            self._done.pop(each, None)

    def _collect(self) -> None:
        for key, (_, future) in list(self._open.items()):
            if future.done():
                del self._open[key]
                if not future.cancelled() and future.exception() is None:
                    self._done[key] = future.result()


def _look(work: Callable[[], Sequence[Source]]) -> Look:
    try:
        return Look(tuple(work()))
    except JourneyError as error:
        return Look(problem=masked_text(str(error)))
    except Exception:
        log.exception("a picture of a batch")
        return Look(problem="This picture could not be stored here. Try again in a moment.")


def _noted(parent: ParentTask) -> tuple[Source, ...]:
    """The pictures of a task; the first one's notes name those that are missing."""
    first, *others = parent.sources
    missing = (f"Without picture {index} of the grid: there is none." for index in parent.missing)
    return (replace(first, notes=(*first.notes, *missing)), *others)


def take(wanted: Wanted, intake: Intake, history: History, providers: Sequence[Provider]) -> tuple[Source, ...]:
    """The picture of an address, a task (asked for at these providers in turn) or an entry. Raises JourneyError.

    Of an entry, its result is meant, or our copy of what it was to enlarge.
    """
    if wanted.kind == "url":
        return (intake.from_url(wanted.value),)
    if wanted.kind == "task":
        parent = intake.from_task(wanted.value, providers)
        if wanted.index is None:
            return _noted(parent)
        return (parent.picture(wanted.index),)
    entry = history.get(wanted.value)
    if entry is None:
        raise InvalidRequest("There is no such task in the history. It may have been deleted.")
    return (intake.from_entry(entry) if wanted.kind == "copy" else intake.from_result(entry),)
