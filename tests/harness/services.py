"""A server program in a process of its own, which can be killed and started again at the same address."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.standing import wait_for, wait_for_server


@dataclass
class Service:
    """`command`, with what it says in `log`, from `start` to `stop`. It is up once its `port` answers, if it has one.

    It runs in `folder` as `user`, with `environment` besides what this process has; `end` is the signal that stops it.
    """

    command: Sequence[str]
    log: Path
    port: int | None = None
    folder: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    end: signal.Signals = signal.SIGTERM
    is_ready: Callable[[], bool] = lambda: True
    """What has to be true besides."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=os.environ | self.environment,
                user=self.user,
                group=self.user,
                extra_groups=[] if self.user else None,
                process_group=0,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if self.port:
            wait_for_server(self.process, self.port, self.log)
        wait_for(self.is_ready)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, how: signal.Signals | None = None) -> None:
        """End it; killed, it takes the processes with it that it has made in its group."""
        if self.process is not None:
            if how is signal.SIGKILL and self.is_running:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how or self.end)
            self.process.wait(30)
            self.process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
