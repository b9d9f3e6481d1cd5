"""What a command shows: bars on a terminal, plain lines in a pipe, one JSON object a line for programs."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from journey.errors import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Showing:
    """Told by any thread how far each piece of work is, and what came of it."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    @contextmanager
    def working(self, total: int) -> Iterator[None]:
        """Bars are drawn from here to the end of the `with`, if standard error is a terminal."""
        if self._as_json or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bars:
            self._bars = bars
            if total > 1:
                self._tasks[""] = bars.add_task(f"All {total}", total=total)
            yield
            self._bars = None

    def progress(self, name: str, part: float) -> None:
        """This much of it is done, from 0 to 1."""
        with self._lock:
            if self._bars is None:
                return
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(one_line(name, 40), total=1.0)
            self._bars.update(self._tasks[name], completed=part)

    def ended(self, name: str, line: str, facts: Mapping[str, Any], *, failed: bool = False) -> None:
        """It is over: `line` is for people, `facts` for programs."""
        with self._lock:
            if self._bars is not None:
                if name in self._tasks:
                    self._bars.remove_task(self._tasks.pop(name))
                if "" in self._tasks:
                    self._bars.advance(self._tasks[""])
            if self._as_json:
                click.echo(json.dumps(facts, ensure_ascii=False))
            else:
                self._say(line, failed=failed)

    def _say(self, line: str, *, failed: bool) -> None:
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            click.echo(line, err=failed)


def say(facts: Mapping[str, Any], lines: Sequence[str], *, as_json: bool) -> None:
    """The whole answer of a command: `lines` for people, or `facts` as JSON."""
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else "\n".join(lines))


def write_out(picture: Path) -> None:
    """Give a picture to standard output, to the last bit."""
    with picture.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with columns below each other. Empty cells at the end leave no blanks."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
