"""Worker processes: fresh, limited, replaceable, and gone when their parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from journey.processes import LOWEST, Turns, WorkerDied, Workers, usable_cores
from tests.harness.standing import wait_for
from tests.harness.worker_jobs import (
    allocate,
    burn,
    chatter,
    cores_when_held_to_one,
    kill_self,
    load_nowhere,
    read_input,
    refuse,
    remember,
    remembered,
    spend,
    spend_after_promising,
    unpicklable,
)


class NotHere:
    """Can be sent to a worker, but cannot be loaded there."""

    def __call__(self) -> None: ...

    def __reduce__(self) -> tuple[object, ...]:
        return load_nowhere, ()


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the system has no such limits")


@contextmanager
def started(count: int, **options: Any) -> Iterator[Workers]:
    """A pool that is stopped at the end, whatever it is doing."""
    pool = Workers(count, **options)
    pool.start()
    try:
        yield pool
    finally:
        pool.stop()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with started(2) as pool:
        yield pool


def test_a_job_runs_in_another_process(workers: Workers) -> None:
    """A result comes back, and it comes from another process."""
    assert os.getpid() != workers.submit(os.getpid).result(30)
    assert 3 == workers.submit(divmod, 7, 2).result(30)[0]


@POSIX
def test_a_worker_that_hangs_is_ended() -> None:
    """A stopped process counts as stuck, is ended by the clock, and the next job goes on in a new one."""
    with started(1, seconds=2.0) as pool:
        os.kill(pool.submit(os.getpid).result(30), signal.SIGSTOP)
        hanging = pool.submit(os.getpid)
        wait_for(lambda: pool.is_stuck)
        with pytest.raises(WorkerDied, match="longer than is allowed"):
            hanging.result(30)
        assert pool.submit(os.getpid).result(30)
        assert not pool.is_stuck


@POSIX
def test_a_job_may_limit_itself() -> None:
    """A job that knows that it must be short is ended when it is not; the next one has the whole time again."""
    with started(1, cpu_seconds=30) as pool:
        with pytest.raises(WorkerDied, match="more processor time"):
            pool.submit(spend_after_promising, 1, 10).result(30)
        assert pool.submit(spend, 1.5).result(30)


def waiting(turns: Turns) -> int:
    """How many wait for their turn."""
    return sum(map(len, turns._waiting.values()))


def test_askers_take_turns() -> None:
    """Many questions of one asker keep nobody else waiting, and nobody has two places at a time."""
    turns, order = Turns(2), list[str]()
    inside, may_leave = threading.Event(), threading.Event()

    def ask(asker: str, *, stay: bool = False) -> None:
        with turns.turn(asker):
            order.append(asker)
            if stay:
                inside.set()
                may_leave.wait(10)

    with ThreadPoolExecutor(8) as people:
        first = people.submit(ask, "many", stay=True)
        assert inside.wait(10)
        more = [people.submit(ask, "many") for _ in range(3)]
        wait_for(lambda: waiting(turns) == 3)
        for name in ("anna", "ben"):
            people.submit(ask, name).result(10)
        assert ["many", "anna", "ben"] == order
        may_leave.set()
        for each in (first, *more):
            each.result(10)
    assert 0 == waiting(turns)


def test_who_comes_later_is_served_before_the_rest_of_a_crowd() -> None:
    """With one place, a newcomer has it after the crowd's question under way, not after all of them."""
    turns, order = Turns(1), list[str]()
    inside, may_leave = threading.Event(), threading.Event()

    def ask(asker: str) -> None:
        with turns.turn(asker):
            order.append(asker)
            inside.set()
            may_leave.wait(10)

    with ThreadPoolExecutor(8) as people:
        people.submit(ask, "many")
        assert inside.wait(10)
        for number, asker in enumerate(("many", "many", "anna"), start=1):
            people.submit(ask, asker)
            wait_for(lambda: waiting(turns) == number)  # noqa: B023
        may_leave.set()
    assert ["many", "anna", "many", "many"] == order


def test_an_error_of_the_job_reaches_its_caller(workers: Workers) -> None:
    """What the function raises is raised by the future, and the worker goes on."""
    with pytest.raises(ValueError, match="no thanks"):
        workers.submit(refuse, "no thanks").result(30)
    assert 1 == workers.submit(abs, -1).result(30)


def test_prints_and_odd_results_do_not_break_the_pipe(workers: Workers) -> None:
    """Printed output is not taken for an answer, and a result that cannot be sent back fails only its own job."""
    assert "done" == workers.submit(chatter).result(30)
    with pytest.raises(RuntimeError, match="cannot be sent back"):
        workers.submit(unpicklable).result(30)
    assert "done" == workers.submit(chatter).result(30)


def test_a_job_cannot_read_the_pipe(workers: Workers) -> None:
    """What a job reads from its standard input is nothing, so that it cannot take the next job for input."""
    assert b"" == workers.submit(read_input).result(30)
    assert "done" == workers.submit(chatter).result(30)


def test_a_function_that_is_not_there_fails_its_own_job_only() -> None:
    """A job that a worker cannot load is told to its caller, and the worker goes on with the next."""
    with started(1) as pool:
        pid = pool.submit(os.getpid).result(30)
        with pytest.raises(ModuleNotFoundError, match="nowhere"):
            pool.submit(NotHere()).result(30)
        assert pid == pool.submit(os.getpid).result(30)


def test_the_initializer_runs_before_the_first_job() -> None:
    """`ready` means that every worker has run its initializer, once."""
    pool = Workers(2, initializer=remember, initargs=("warm",))
    assert not pool.ready(0)
    pool.start()
    try:
        assert pool.ready(30)
        assert ["warm"] == pool.submit(remembered).result(30)
    finally:
        pool.stop()


def test_a_failing_initializer_is_told_to_every_job() -> None:
    """A worker that cannot warm up says why instead of hanging."""
    with started(1, initializer=refuse, initargs=("cold",)) as pool:
        assert not pool.ready(30)
        with pytest.raises(ValueError, match="cold"):
            pool.submit(abs, -1).result(30)


@POSIX
def test_a_killed_worker_fails_its_own_job_only(workers: Workers) -> None:
    """The job of a killed worker raises BrokenExecutor; its neighbour and the next jobs succeed."""
    neighbour = workers.submit(spend, 0.2)
    with pytest.raises(BrokenExecutor, match="unexpectedly"):
        workers.submit(kill_self).result(30)
    assert 0.2 <= neighbour.result(30)
    assert [1, 2, 3, 4] == [workers.submit(abs, -n).result(30) for n in (1, 2, 3, 4)]


@POSIX
def test_a_worker_killed_between_jobs_is_replaced() -> None:
    """A worker that died while idle costs no job."""
    with started(1) as pool:
        pid = pool.submit(os.getpid).result(30)
        process = psutil.Process(pid)
        process.kill()
        process.wait(10)
        assert pid != pool.submit(os.getpid).result(30)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces this limit")
def test_memory_over_the_limit_fails_the_job() -> None:
    """A job that wants too much memory is refused; a modest one after it succeeds."""
    with started(1, memory_bytes=400 << 20) as pool:
        with pytest.raises(WorkerDied, match="memory"):
            pool.submit(allocate, 1 << 30).result(30)
        assert 1 << 20 == pool.submit(allocate, 1 << 20).result(30)


@POSIX
def test_processor_time_is_limited_for_each_job() -> None:
    """The limit starts anew with every job, and a job over it fails."""
    with started(1, cpu_seconds=1) as pool:
        assert all(pool.submit(spend, 0.6).result(30) for _ in range(3))
        with pytest.raises(WorkerDied, match="processor time"):
            pool.submit(burn).result(30)


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="only Linux has idle scheduling")
def test_the_lowest_priority_gives_way_at_once() -> None:
    """A worker of the lowest niceness is scheduled only when no other process wants the processor."""
    with started(1, nice=LOWEST) as pool:
        assert os.SCHED_IDLE == pool.submit(os.sched_getscheduler, 0).result(30)


@POSIX
def test_workers_are_nice_and_deaf_to_interrupts() -> None:
    """A worker runs at its niceness, ignores SIGINT and is out of the terminal's process group."""
    with started(1, nice=5) as pool:
        before = os.nice(0)
        assert before + 5 == pool.submit(os.nice, 0).result(30)
        assert signal.SIG_IGN == pool.submit(signal.getsignal, signal.SIGINT).result(30)
        assert os.getpgrp() != pool.submit(os.getpgrp).result(30)


def test_stop_ends_everything_at_once_and_twice() -> None:
    """Stopping kills running jobs, cancels waiting ones, leaves no child, and can be repeated; start works again."""
    pool = Workers(1)
    pool.start()
    pid = pool.submit(os.getpid).result(30)
    running, waiting = pool.submit(burn), pool.submit(abs, -1)
    pool.stop()
    pool.stop()
    with pytest.raises((WorkerDied, CancelledError)):
        running.result(0)
    with pytest.raises(CancelledError):
        waiting.result(0)
    assert not psutil.pid_exists(pid)
    with pytest.raises(RuntimeError, match="not started"):
        pool.submit(abs, -1)
    pool.start()
    assert 1 == pool.submit(abs, -1).result(30)
    pool.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to some processors")
def test_processors_that_a_process_may_not_use_do_not_count() -> None:
    """A process that is held to one processor has one core to use."""
    with started(1) as pool:
        assert 1 == pool.submit(cores_when_held_to_one).result(30)
        assert usable_cores() <= len(os.sched_getaffinity(0))


SHARES = {
    "half of one is one": ("0::/", {"cpu.max": "50000 100000"}, 1),
    "one and a half are two": ("0::/", {"cpu.max": "150000 100000"}, 2),
    "no limit": ("0::/", {"cpu.max": "max 100000"}, 4),
    "more than there are": ("0::/", {"cpu.max": "900000 100000"}, 4),
    "a service in its slice": ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2),
    "a path that only the host knows": ("0::/docker/1", {"cpu.max": "100000 100000"}, 1),
    "a path out of the container": ("0::/../x", {"cpu.max": "100000 100000"}, 1),
    "no file": ("0::/", {}, 4),
    "a file that is cut off": ("0::/", {"cpu.max": "100000"}, 4),
    "version 1": (
        "3:memory:/\n2:cpu,cpuacct:/d\n1:name=systemd:/\n0::/",
        {"cpu,cpuacct/d/cpu.cfs_quota_us": "300000\n", "cpu,cpuacct/d/cpu.cfs_period_us": "100000\n"},
        3,
    ),
    "version 1 without a limit": ("1:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4),
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such groups")
@pytest.mark.parametrize(("membership", "files", "cores"), SHARES.values(), ids=SHARES)
def test_a_container_gets_its_share(
    membership: str, files: dict[str, str], cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four processors, a group may use as many as its limit says, rounded up, and those around it as well."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    for name, content in files.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (tmp_path / "membership").write_text(membership + "\n")
    assert cores == usable_cores(tmp_path / "groups", tmp_path / "membership")


PARENT = """
    import os, sys, time
    print("main ran", flush=True)
    from journey.processes import LOWEST, Workers
    from tests.harness.worker_jobs import burn, main_name
    pool = Workers(2)
    pool.start()
    assert pool.ready(30)
    print(pool.submit(main_name).result(30), flush=True)
    pool.submit(burn)
    print(*(child.pid for child in __import__("psutil").Process().children()), flush=True)
    time.sleep(60)
"""


@POSIX
def test_workers_die_with_a_killed_parent_and_never_run_its_main(tmp_path: Path) -> None:
    """After SIGKILL of the parent, the busy and the idle worker are gone in seconds; the parent's script ran once."""
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    parent = subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    assert parent.stdout is not None
    try:
        assert "main ran" == parent.stdout.readline().strip()
        assert "None" == parent.stdout.readline().strip()
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert 2 == len(children)
    finally:
        parent.kill()
        rest, _ = parent.communicate(timeout=10)
    assert "" == rest
    _, alive = psutil.wait_procs(children, timeout=3)
    for child in alive:
        child.kill()
    assert [] == alive
