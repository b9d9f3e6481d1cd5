"""How many processors there are to use, and how a thread gives way to others."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path


def lower_priority(nice: int) -> None:
    """Make the calling thread give way to others. Only on Linux: elsewhere a thread has no niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> int:
    """How many threads can work at the same time: as many as this process has processors, or its container's share
    of them where that is less, rounded up.

    `cgroups` is where Linux shows the limits of groups, and `membership` where it says which groups this process is in.
    """
    known = os.cpu_count() or 1
    if sys.platform == "linux":
        known = len(os.sched_getaffinity(0))
    return min([known, *(max(1, math.ceil(share)) for share in _shares(cgroups, membership))])


def _shares(cgroups: Path, membership: Path) -> Iterator[float]:
    """How many processors each group around this process may keep busy, where that is limited."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        # In version 2 there is one line, and it names no controllers.
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = cgroups / controllers
        own = top / path.lstrip("/")
        # A container sees its own group at the top, whatever its path says.
        for group in (own, *own.parents):
            if group.is_relative_to(top) and (share := _share(group)) is not None:
                yield share


def _share(group: Path) -> float | None:
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):  # version 2, version 1
        with contextlib.suppress(OSError, ValueError):  # no such file, or no limit: `max`
            quota, period = map(int, " ".join((group / name).read_text() for name in names).split())
            if quota > 0 and period > 0:
                return quota / period
    return None
