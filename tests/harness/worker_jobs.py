"""Jobs for worker processes. Importing this module is cheap, because each worker has to do it."""

from __future__ import annotations

import os
import signal
import sys
import time

from journey.processes import allow_processor_time, usable_cores


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def allocate(size: int) -> int:
    return len(bytearray(size))


def burn() -> None:
    while True:
        pass


def spend(seconds: float) -> float:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return time.process_time()


def spend_after_promising(promised: float, seconds: float) -> float:
    allow_processor_time(promised)
    return spend(seconds)


def refuse(reason: str) -> None:
    raise ValueError(reason)


def chatter() -> str:
    print("noise")  # noqa: T201 - the point of the test
    os.write(1, b"more noise\n")
    return "done"


def read_input() -> bytes:
    return os.read(0, 100)


def load_nowhere() -> None:
    raise ModuleNotFoundError("nowhere")


def cores_when_held_to_one() -> int:
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    return usable_cores()


def unpicklable() -> object:
    return lambda: None


def main_name() -> str | None:
    return getattr(sys.modules["__main__"], "__file__", None)


_greeting: list[str] = []


def remember(word: str) -> None:
    _greeting.append(word)


def remembered() -> list[str]:
    return list(_greeting)


def own_pid(*_: object) -> int:
    return os.getpid()
