"""Builds everything from the settings and holds it together; what `app.py` and the pages share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from journey.api.client import JourneyClient
from journey.api.models import Account
from journey.engine.embedded import EmbeddedEngine, key_file
from journey.engine.network import unavailable_reason
from journey.errors import CannotStart, DatabaseAway, JourneyError
from journey.history import EngineName, Entry, History, NewEntry, State
from journey.history.spending import Budget, Spending, has_new_month, month_start
from journey.history.timing import UsualTimes
from journey.outside.door import Door
from journey.pictures import gallery, samples
from journey.pictures.checking import Decoder, Limits
from journey.pictures.tiles import SECONDS as TILES_SECONDS
from journey.pictures.tiles import Tiles
from journey.printing.shop.runs import PrintRuns
from journey.settings import Settings, read_settings
from journey.storage.database import Database, WorkerLock
from journey.storage.disk_use import DiskUse
from journey.storage.files import Files
from journey.studio import removal
from journey.studio.batches.store import Batches
from journey.studio.intake import Source, Sources
from journey.studio.tracker import EMBEDDED_POLL, HOSTED_POLL, Remote, Tracker
from journey.views.listing import Listing
from journey.web import exports, results_zip, webhooks
from journey.web.files import routes as file_routes
from journey.web.tiles import routes as tile_routes

log = logging.getLogger(__name__)

LABELS: dict[EngineName, str] = {"journeyapi": "JourneyAPI", "embedded": "This machine"}
LOCK_SECONDS = 2.0
"""How often a process without the worker lock tries to take over."""

LOOKS_AT_ONCE = 64
"""Pictures of batches, of all people, that may be fetched and checked at once. Most of that is waiting."""

BALANCE_SECONDS = 60.0
HEARTBEAT_SECONDS = 60.0
KEEP_CHECK_SECONDS = 3600.0
TILED_AHEAD = 50
"""How many of the newest results may get their tiles before anybody looks at them."""


@dataclass(frozen=True)
class EngineStatus:
    """One engine as the pages show it. `problem` is a sentence when it cannot be used now."""

    name: EngineName
    label: str
    problem: str | None = None

    @property
    def is_ready(self) -> bool:
        return self.problem is None


class Workspace:
    """All parts of one running program. `start` needs the port at which this server listens."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        _make_data_dir(settings.data_dir)
        self.database = Database(settings.resolved_database_url)
        self.database.upgrade()
        self.files = Files(settings.resolved_files_url, work_dir=settings.data_dir)
        self.disk_use = DiskUse(settings.resolved_files_url, clock=clock)
        self.print_runs = PrintRuns(self.files, settings.data_dir / "print-files", clock=clock)
        self.decoder = Decoder(Limits(settings.max_input_pixels, settings.max_output_pixels))
        self.tiles = Tiles(
            self.files,
            Decoder(
                Limits(settings.max_input_pixels, settings.max_output_pixels),
                nice=10,
                seconds=TILES_SECONDS,
            ),
        )
        self.door = Door(settings.fetch_allow)
        self.history = History(self.database, clock=clock)
        self.spending = Spending(self.database, clock=clock)
        self.batches = Batches(self.database, clock=clock)
        self.looking = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="looking")
        self.own_origins: list[str] = [settings.public_url] if settings.public_url else []
        self._origin = ""
        self._key = key_file(settings.data_dir / "secret-key").encode()
        self.engine_problem = (
            "The engine on this machine is switched off (JOURNEY_ENGINE=off)."
            if settings.engine == "off"
            else unavailable_reason()
        )
        self.engine = None if self.engine_problem else self._make_engine()
        self.clients: dict[EngineName, JourneyClient] = {}
        self.sources = Sources(
            self.files,
            self.decoder,
            self.door,
            self.clients,
            own_origins=self.own_origins,
            public_url=settings.public_url,
            max_bytes=settings.max_bytes,
        )
        self.tracker: Tracker | None = None
        self._lock: WorkerLock = self.database.worker_lock()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._balance = _Balance(clock)
        self._usual = UsualTimes(self.database)
        self._samples: dict[str, Source] = {}
        self.routes = [
            *file_routes(self.files),
            *tile_routes(self.tiles),
            *webhooks.routes(self.history, self._key, on_hint=self.wake),
            *results_zip.routes(self.batches, self.files),
            *exports.routes(self.history, self._key),
            *(self.engine.routes if self.engine else []),
        ]

    # Life

    def start(self, *, port: int, host: str = "127.0.0.1") -> None:
        """Begin the background work. `host` and `port` are where this server listens."""
        reach = "127.0.0.1" if host in ("", "0.0.0.0", "::", "localhost") else host  # noqa: S104  compared, not bound
        self._origin = f"http://{f'[{reach}]' if ':' in reach else reach}:{port}"
        self.own_origins += [self._origin, f"http://localhost:{port}", f"http://127.0.0.1:{port}"]
        if self.engine:
            self.clients["embedded"] = JourneyClient(self.engine.keys[0], f"{self._origin}/api/v1", attempts=1)
        if self.settings.api_key:
            self.clients["journeyapi"] = JourneyClient(self.settings.api_key, self.settings.api_url, attempts=1)
        self.decoder.start()
        self._stopping.clear()
        self._work_if_alone()
        # The first start draws the samples; pages and routes need not wait for that.
        threading.Thread(target=self._hang_samples, name="samples", daemon=True).start()
        self._keeper = threading.Thread(target=self._keep, name="worker-lock", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Claim nothing more, let calls under way end, and give the lock away. Idempotent."""
        self._stopping.set()
        if self._keeper:
            self._keeper.join(LOCK_SECONDS + 1)
            self._keeper = None
        self._stop_working()
        self._lock.release()
        self.print_runs.stop()
        self.tiles.stop()
        self.looking.shutdown(wait=False, cancel_futures=True)
        self.decoder.stop()
        for client in self.clients.values():
            client.close()
        self.database.close()

    @property
    def is_worker(self) -> bool:
        """True when this process works the queues."""
        return self.tracker is not None

    def problems(self) -> list[str]:
        """What keeps this process from being ready, in words; empty when all is well."""
        found = []
        try:
            self.database.check()
        except DatabaseAway:
            found.append("The database does not answer.")
        try:
            self.files.check()
        except OSError:
            found.append("Pictures cannot be stored.")
        if self.tracker is not None:
            silent = self._clock() - (self.tracker.last_step_at or self._clock())
            if not self.tracker.is_alive or self.tracker.failures_in_a_row >= 3 or silent > HEARTBEAT_SECONDS:
                found.append("The tracker does not work.")
            if self.engine and (not self.engine.jobs.is_working or self.engine.jobs.failures_in_a_row >= 3):
                found.append("The engine's queue does not work.")
        return found

    def wake(self) -> None:
        if self.tracker:
            self.tracker.wake()

    # What pages ask for

    def engines(self) -> list[EngineStatus]:
        """The engines that are offered, the hosted one first."""
        paused = self.history.paused()
        offered: list[EngineStatus] = []
        if self.settings.api_key:
            offered.append(EngineStatus("journeyapi", LABELS["journeyapi"], paused.get("journeyapi")))
        if self.engine:
            offered.append(EngineStatus("embedded", LABELS["embedded"], paused.get("embedded")))
        return offered

    def networks(self) -> dict[str, str]:
        """Names of the embedded engine's networks and how they are shown; the default one first."""
        if self.engine is None:
            return {}
        default = self.engine.default_network
        names = sorted(self.engine.networks, key=lambda name: (name != default, name))
        return {name: name.replace("-", " ") for name in names}

    def estimate_seconds(self, source: Source, network: str, scale: int) -> float:
        """How long the embedded engine will take for this picture, once it is its turn."""
        if self.engine is None:
            raise JourneyError(self.engine_problem or "The engine on this machine is off.")
        return self.engine.estimate_seconds(source.width, source.height, network, scale)

    def sample_sources(self) -> dict[str, Source] | None:
        """The sample pictures by their name; None while they are being drawn (a few seconds, on the first start)."""
        names = [sample.name for sample in samples.SAMPLES]
        if not self._samples and gallery.is_hung(self.files, names):
            self._samples = {
                name: self.sources.from_stored(
                    gallery.key_of(name), gallery.file_of(name), name=gallery.PICTURES[name].title, kind="sample"
                )
                for name in names
            }
        return self._samples or None

    @property
    def sample_grid_key(self) -> str:
        """The stored picture of the sample grid as a whole."""
        return gallery.key_of(samples.GRID.name)

    def submit(self, new: NewEntry) -> Entry:
        """Queue an entry and make the tracker look at once."""
        entry = self.history.add(new)
        self.wake()
        return entry

    def delete(self, ids: Sequence[str]) -> list[Entry]:
        """Delete those of these entries that are over, and files that nothing else uses. Gives what was deleted."""
        return removal.delete(self.history, self.files, ids, embedded=self.clients.get("embedded"))

    def submit_pair(self, pair: Sequence[NewEntry]) -> list[Entry]:
        """Queue the halves of an A/B pair (see `lineage.pair_id`); one that is under way already joins it."""
        halves = [self.history.add(new) for new in pair]
        for new, half in zip(pair, halves, strict=True):
            if half.batch is None and new.batch is not None:
                self.history.join(half.id, new.batch)
        self.wake()
        return halves

    def usual_seconds(
        self, engine: EngineName, scale: int, *, size: tuple[int, int] | None = None, network: str | None = None
    ) -> float | None:
        """How long such a task takes: estimated for this machine, learnt from the last ones at JourneyAPI.

        `size` is that of the source in pixels. None when it cannot be told.
        """
        if engine == "journeyapi":
            return self._usual.seconds(engine, scale)
        if self.engine is None or size is None:
            return None
        known = network if network in self.engine.networks else self.engine.default_network
        return self.engine.estimate_seconds(*size, known, scale)

    def resume(self, engine: EngineName) -> None:
        self.history.resume(engine)
        self.wake()

    def stop_entry(self, entry: Entry) -> None:
        """What a person's Stop means: not sent yet is cancelled, here it stops, elsewhere we only stop watching."""
        if self.history.move(entry.id, State.CANCELLED, words="Cancelled by a person."):
            return
        if entry.state is State.OPEN and entry.engine == "embedded" and entry.task_id:
            self.clients["embedded"].cancel(entry.task_id)
            self.history.move(entry.id, State.STOPPED, words="Stopped by a person.")
        else:
            self.history.move(entry.id, State.ABANDONED, words="No longer watched, by a person.")

    def balance(self) -> Account | None:
        """The last known account at JourneyAPI; asked anew in the background when it is over a minute old."""
        client = self.clients.get("journeyapi")
        return self._balance.look(client) if client else None

    @property
    def balance_at(self) -> float | None:
        """When JourneyAPI last told the balance, in seconds since 1970."""
        return self._balance.told_at

    def budget(self) -> Budget | None:
        """This month's budget for JourneyAPI, what is being sent included; None when no budget is set."""
        limit = self.settings.monthly_credits
        return None if limit is None else Budget(limit, self.history.credits_since(month_start(self._clock())))

    # Inside

    def _work_if_alone(self) -> None:
        if self.tracker is not None or not self._lock.acquire():
            return
        self.files.start()
        if self.engine:
            self.engine.start()
        self.tracker = self._make_tracker()
        self.tracker.start()

    def _stop_working(self) -> None:
        if self.tracker:
            self.tracker.stop()
            self.tracker = None
        if self.engine:
            self.engine.stop()

    def _keep(self) -> None:
        """Hold on to the worker lock, or take over when the process that holds it ends. Removes what is too old."""
        swept_at = 0.0
        tiled_at = self._clock()
        while not self._stopping.wait(LOCK_SECONDS):
            try:
                if self.tracker is not None and not self._lock.still_held():
                    log.warning("the worker lock was lost; another process may work the queues now")
                    self._stop_working()
                self._work_if_alone()
                if self.settings.monthly_credits and has_new_month(self.database, "journeyapi", self._clock()):
                    self.resume("journeyapi")
                if self.is_worker:
                    self.batches.feed()
                if self.is_worker:
                    tiled_at = self._prepare_tiles(tiled_at)
                if self.is_worker and time.monotonic() - swept_at > KEEP_CHECK_SECONDS:
                    swept_at = time.monotonic()
                    self._remove_old_results()
                    removal.bury(self.history, self.files)
            except Exception:
                log.exception("the worker lock")

    def _prepare_tiles(self, since: float) -> float:
        """For results that were finished since then, before anybody looks at them. Returns the new `since`."""
        newest = since
        for entry in self.history.latest(limit=TILED_AHEAD, states=[State.FINISHED]):
            finished_at = entry.finished_at or 0.0
            if finished_at > since and entry.result_key and entry.result_file:
                self.tiles.prepare(entry.result_key, entry.result_file)
                newest = max(newest, finished_at)
        return newest

    def _remove_old_results(self) -> None:
        if self.settings.keep_days is None:
            return
        for entry in self.history.results_before(self._clock() - self.settings.keep_days * 86_400):
            self.files.delete(str(entry.result_key))
            self.history.forget_result(entry.id, f"The result was removed after {self.settings.keep_days} days.")

    def _make_engine(self) -> EmbeddedEngine:
        return EmbeddedEngine(
            self.settings,
            self.database,
            self.files,
            self.decoder,
            self.door,
            own_origins=self.own_origins,
            on_end=self._task_ended,
        )

    def _make_tracker(self) -> Tracker:
        polls = {"journeyapi": HOSTED_POLL, "embedded": EMBEDDED_POLL}
        return Tracker(
            self.history,
            {engine: Remote(client, polls[engine]) for engine, client in self.clients.items()},
            self.files,
            self.decoder,
            self.door,
            own_origins=self.own_origins,
            origin_for=lambda engine: self._origin if engine == "embedded" else self.settings.public_url,
            webhook_for=self._webhook_for,
            may_spend=self._may_spend,
            max_bytes=self.settings.max_bytes,
            clock=self._clock,
        )

    def _task_ended(self, task_id: str) -> None:
        """The embedded engine's own hint, for what a webhook is elsewhere: the tracker need not wait for its turn."""
        self.history.hasten_task(task_id)
        self.wake()

    def export_url(self, form: exports.Form, listing: Listing, *, timezone: str | None, ids: Sequence[str] = ()) -> str:
        """The address below this server of an export: of these entries, else of all that the listing means."""
        return exports.download_url(self._key, form, listing, timezone=timezone, ids=ids, now=self._clock())

    def _webhook_for(self, entry: Entry) -> tuple[str, str] | None:
        if entry.engine != "journeyapi" or not self.settings.public_is_https:
            return None
        address = webhooks.address_for(str(self.settings.public_url), entry)
        return address, webhooks.secret_for(self._key, entry.id)

    def _may_spend(self, entry: Entry) -> str | None:
        budget = self.budget() if entry.engine == "journeyapi" else None
        return budget.sentence if budget and budget.is_used_up else None

    def _hang_samples(self) -> None:
        try:
            gallery.hang(self.files)
            if self.engine:
                self.engine.add_sample_grid()
        except Exception:
            log.exception("the sample pictures")


class _Balance:
    """The account, asked in the background so that no page ever waits for it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.told_at: float | None = None
        self._account: Account | None = None
        self._asked_at: float | None = None
        self._lock = threading.Lock()

    def look(self, client: JourneyClient) -> Account | None:
        with self._lock:
            now = time.monotonic()
            if self._asked_at is None or now - self._asked_at > BALANCE_SECONDS:
                self._asked_at = now
                threading.Thread(target=self._ask, args=(client,), daemon=True).start()
            return self._account

    def _ask(self, client: JourneyClient) -> None:
        try:
            self._account = client.account()
            self.told_at = self._clock()
        except (JourneyError, RuntimeError) as error:  # RuntimeError: the client was closed at the end of the program
            log.info("the balance is not known: %s", type(error).__name__)


def _make_data_dir(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The data folder {path} cannot be made: {error.strerror or error}. Set JOURNEY_DATA_DIR to a folder "
            "that can be written."
        ) from error


_shared: list[Workspace] = []


def workspace() -> Workspace:
    """The one workspace of this process, made when it is first asked for. Raises CannotStart."""
    if not _shared:
        _shared.append(Workspace(read_settings()))
    return _shared[0]


def share(instead: Workspace | None) -> None:
    """Make this the workspace that `workspace()` gives; None: the next caller makes a new one."""
    _shared[:] = [instead] if instead else []
