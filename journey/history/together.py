"""Several changes in one transaction: what many want to write at once costs little more than what one wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from journey.errors import DatabaseAway
from journey.history.store import History
from journey.storage.database import Transactions, Within

T = TypeVar("T")


@contextmanager
def together(history: History) -> Iterator[History]:
    """The history within one transaction that is being written: all its changes are stored at the end, or none.

    Ends are told once they are stored. Raises DatabaseAway.
    """
    ended: list[str] = []
    with history._database.write() as connection:
        yield History(Within(connection), on_end=ended.append, clock=history._clock)
    for entry_id in ended:
        history._on_end(entry_id)


def transactions(history: History) -> Transactions:
    """Where this history reads and writes: the database, or the one transaction that it is within."""
    return history._database


@dataclass(frozen=True)
class _Wish:
    change: Callable[[History], Any]
    came: Future[Any] = field(default_factory=Future)


class Group:
    """Stores changes of several threads: those that come while another is being stored share the next transaction."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._waiting: list[_Wish] = []
        self._is_storing = False
        self._turn = threading.Condition()

    def store(self, change: Callable[[History], T]) -> T:
        """Run this change, one at a time, and return what it returns once it is stored.

        When one of several fails, each is run again, alone: a change must do nothing but write to the history that it
        is given. Raises what the change raises, and DatabaseAway.
        """
        wish = _Wish(change)
        with self._turn:
            self._waiting.append(wish)
            while self._is_storing and not wish.came.done():
                self._turn.wait()
            if mine := not wish.came.done():
                self._is_storing = True
                wishes, self._waiting = self._waiting, []
        if mine:
            try:
                self._store(wishes)
            finally:
                with self._turn:
                    self._is_storing = False
                    self._turn.notify_all()
        result: T = wish.came.result()
        return result

    def _store(self, wishes: Sequence[_Wish]) -> None:
        try:
            with together(self._history) as history:
                results = [wish.change(history) for wish in wishes]
        except Exception as error:  # noqa: BLE001  it is raised where the change was wanted
            if len(wishes) == 1 or isinstance(error, DatabaseAway):
                for wish in wishes:
                    wish.came.set_exception(error)
            else:
                # Whoever is to blame is told, and nobody else.
                for wish in wishes:
                    self._store([wish])
        else:
            for wish, result in zip(wishes, results, strict=True):
                wish.came.set_result(result)
