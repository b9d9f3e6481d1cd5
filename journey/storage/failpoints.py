"""Points at which a test lets this process die, where an act and its record lie side by side.

For tests only: nothing here does anything unless the environment variable FAILPOINT was set when the program started.
`FAILPOINT="before the call:2"` ends the process, as a power cut would, when it reaches that point for the second time.
"""

from __future__ import annotations

import os
import signal
import threading

POINTS = (
    "before submitting is stored",
    "after submitting is stored",
    "after the call",
    "after the task id is stored",
    "during polling",
    "after archiving is stored",
    "before the download",
    "after the download",
    "before the rename",
    "after the rename",
    "before the end is stored",
    "after the end is stored",
    "before the hint is stored",
    "after the hint is stored",
    "before the engine stores a task",
    "after the engine stores a task",
    "after a tile",
    "before the engine stores an end",
    "after the engine stores an end",
    "before an attempt is stored",
    "before the delivery",
    "after the delivery",
    "after the delivery is stored",
    "before files are removed",
    "after files are removed",
    "during the upgrade",
    "after the upgrade",
)
"""The names, in the order in which an entry comes by."""

_left: dict[str, int] = {}
"""The point that was asked for, and how often it is still to be reached."""
_counting = threading.Lock()


def arm(wanted: str) -> None:
    """Ask for the end of this process at a point: `name` or `name:passes`; "" asks for nothing. For tests."""
    name, _, passes = wanted.partition(":")
    if name and name not in POINTS:
        raise ValueError(f"there is no failpoint {name!r}")
    _left.clear()
    if name:
        _left[name] = int(passes or 1)


def reach(name: str) -> None:
    """The program is at this point."""
    if not _left:
        return
    with _counting:
        left = _left.get(name, 0)
        if left > 1:
            _left[name] = left - 1
    if left == 1:
        die()


def die() -> None:
    """End this process at once: nothing is flushed, closed or cleaned up."""
    # Windows has no such signal.
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


arm(os.environ.get("FAILPOINT", ""))
