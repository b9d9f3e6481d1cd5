"""Many pictures enlarged on this machine, two at a time, so that the network never waits for a file."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from journey.commands import given
from journey.commands.showing import Showing, write_out
from journey.commands.upscale import Job, Wish
from journey.engine.enlarging import Enlarger
from journey.errors import InvalidRequest, JourneyError, Stopped
from journey.outside.door import Door
from journey.printing import STEPS
from journey.settings import Settings, read_settings

AT_ONCE = 2
"""One picture is read or written while the tiles of the other are computed."""


def upscale_here(jobs: list[Job], wish: Wish, show: Showing, *, network: str | None, overwrite: bool) -> int:
    """Enlarge all pictures, and return the exit status. After Ctrl-C, what is whole stays and nothing else does."""
    settings = read_settings()
    stopped = threading.Event()
    with Enlarger(settings) as enlarger:
        try:
            enlarger.named(network)
        except InvalidRequest as error:
            raise InvalidRequest(f"--network: {str(error).removeprefix('model: ')}.") from None
        work = _Work(settings, enlarger, wish, network, show, overwrite=overwrite, stopped=stopped)
        with show.working(len(jobs)), ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                done = list(pool.map(work.do, jobs))
            except KeyboardInterrupt:
                stopped.set()
                pool.shutdown(cancel_futures=True)
                raise
    return 0 if all(done) else 1


class _Work:
    """What all pictures of one command have in common."""

    def __init__(
        self,
        settings: Settings,
        enlarger: Enlarger,
        wish: Wish,
        network: str | None,
        show: Showing,
        *,
        overwrite: bool,
        stopped: threading.Event,
    ) -> None:
        self._settings = settings
        self._door = Door(settings.fetch_allow, contact=settings.contact)
        self._enlarger = enlarger
        self._wish = wish
        self._network = network
        self._show = show
        self._overwrite = overwrite
        self._stopped = stopped

    def do(self, job: Job) -> bool:
        """Enlarge one picture. False when that failed, which is said."""
        name = job.given.name
        try:
            facts, line = self._done(job)
        except Stopped:
            return False
        except (JourneyError, OSError) as error:
            reason = str(error) if isinstance(error, JourneyError) else error.strerror or type(error).__name__
            self._show.ended(name, f"{name}: {reason}", {"source": job.given.source, "error": reason}, failed=True)
            return False
        if not job.to_standard_output:
            self._show.ended(name, line, facts)
        return True

    def _done(self, job: Job) -> tuple[dict[str, Any], str]:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="journey-") as scratch:
            source = self._fetched(job, Path(scratch))
            size = self._enlarger.look(source)
            multiplier = self._wish.for_size(size.width, size.height)
            target = Path(scratch) / "result.png" if job.to_standard_output else job.target(multiplier)
            facts: dict[str, Any] = {"source": job.given.source, "result": str(target), "multiplier": multiplier}
            if multiplier == 1:
                if job.to_standard_output:
                    write_out(source)
                return {**facts, "result": None}, f"{job.given.name}: large enough as it is, nothing was made."
            if target.exists() and not self._overwrite:
                return facts, f"{job.given.name}: {target} is there already. --overwrite makes it anew."
            made = self._enlarger.enlarge(
                source,
                target,
                STEPS[multiplier],
                network=self._network,
                on_progress=lambda part: self._show.progress(job.given.name, part),
                should_stop=self._stopped.is_set,
            )
            if job.to_standard_output:
                write_out(target)
        seconds = time.monotonic() - began
        facts |= {"width": made.width, "height": made.height, "network": made.model, "seconds": round(seconds, 2)}
        return facts, f"{job.given.name} → {target} · {made.width} × {made.height} px · {seconds:.1f} s"

    def _fetched(self, job: Job, scratch: Path) -> Path:
        """The picture as a file: where it is, or a copy of what was fetched or read."""
        if job.given.path:
            return job.given.path
        path = scratch / "source"
        if job.given.url:
            with path.open("wb") as file:
                self._door.get(job.given.url, max_bytes=self._settings.max_bytes, into=file)
        else:
            given.read_standard_input(path)
        return path
