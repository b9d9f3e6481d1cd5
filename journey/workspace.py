"""Builds everything once, from the settings, and holds it together: what `app.py` and the pages share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from journey.api.client import JourneyClient
from journey.api.models import Account
from journey.background import Fresh
from journey.engine import tasks as engine_tasks
from journey.engine.embedded import EmbeddedEngine
from journey.engine.networks.backends import HardwareMissing, unavailable_reason
from journey.engine.pruning import give_up, prune
from journey.errors import DatabaseAway
from journey.history import Entry, History
from journey.history import tables as history_tables
from journey.history.deletions import Deletions, doom, watched
from journey.history.kinship import Variant
from journey.history.spending import Budget, Spending
from journey.history.timing import UsualTimes, usual_times
from journey.outside.door import FOR_RESULTS, Door
from journey.pictures import gallery, samples
from journey.pictures.checking import Decoder, Decoders, Limits
from journey.pictures.tiles import Tiles, seconds_for
from journey.printing import STEPS, own_papers
from journey.printing.shop.runs import PrintRuns
from journey.provider import HERE, JOURNEYAPI, THIS_MACHINE, Provider
from journey.settings import Settings, read_settings
from journey.signing_in import Gate
from journey.storage import data_folder
from journey.storage.database import Database, Transactions
from journey.storage.disk_use import counted
from journey.storage.files import Files
from journey.storage.keys import key_file
from journey.storage.looked import Looked
from journey.storage.sign_outs import SignOuts
from journey.storage.stored import Origins
from journey.storage.uses import Uses
from journey.studio.batches.store import Batch, Batches
from journey.studio.intake import Intake, Source
from journey.studio.orders import Offer, Orders
from journey.studio.packing import Packing
from journey.studio.removal import Removal
from journey.studio.results import HandIn
from journey.studio.stopping import stop
from journey.studio.tracker import Tracker
from journey.studio.upkeep import Upkeep
from journey.views.listing import Listing
from journey.web import ends, exports, results_zip, webhooks
from journey.web.files import routes as file_routes
from journey.web.tiles import routes as tile_routes

log = logging.getLogger(__name__)

EXPORT_FORMS = exports.FORMS
LOOKS_AT_ONCE = 64
"""How many pictures of everybody's batches may be fetched and checked at once. Most of that is waiting."""

BALANCE_SECONDS = USUAL_SECONDS = 60.0
DISK_USE_SECONDS = 15 * 60.0
"""How long a value that was found out in the background is good for."""
HEARTBEAT_SECONDS = 60.0


class Workspace:
    """All parts of one running program. `origins` are the addresses at which this server is reached."""

    def __init__(
        self, settings: Settings, *, origins: Origins | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self._clock = clock
        self.papers = own_papers.all_papers(settings.papers_place, asked_for=settings.papers is not None)
        self.origins = origins or Origins.at("127.0.0.1", 8501, public=settings.public_url)
        data_folder.prepare(settings.data_dir)
        self._key = key_file(settings.data_dir / "secret-key").encode()
        self._build_storage()
        self.gate = Gate(settings.sign_in_domains, SignOuts(self.database, clock=self._clock))
        self._build_engine()
        self._build_studio()
        self.routes = [
            *file_routes(self.files),
            *tile_routes(self.tiles),
            *webhooks.routes(self.history, self._key, on_hint=self.wake),
            *results_zip.routes(self.batches, self.files),
            *exports.routes(self.history.lists, self._key),
            *ends.routes(self.history, self._ends),
            *(self.engine.routes if self.engine else []),
        ]

    def _build_storage(self) -> None:
        settings = self.settings
        self.database = Database(settings.database_place)
        self.database.upgrade()
        self.files = Files(settings.files_place, work_dir=settings.data_dir)
        self._looked = Looked(settings.files_place, clock=self._clock)
        self._uses = Uses(self.database, self._looked, [*history_tables.CLAIMS, *engine_tasks.CLAIMS])
        room = partial(counted, settings.files_place, self._uses)
        self.disk_use = Fresh("disk-use", room, seconds=DISK_USE_SECONDS, clock=self._clock)
        self.limits = Limits(settings.max_input_pixels, settings.max_output_pixels)
        self._decoders = Decoders.within(self.limits)
        self.tiles = Tiles(self.files, Decoder(self.limits, nice=10, seconds=seconds_for(self.limits.output)))
        self.print_runs = PrintRuns(self.files, self._looked)
        self.door = Door(settings.fetch_allow, contact=settings.contact)

    def _build_engine(self) -> None:
        settings = self.settings
        off = "The engine on this machine is switched off (JOURNEY_ENGINE=off)."
        self.engine_problem = off if settings.engine == "off" else unavailable_reason()
        self.engine: EmbeddedEngine | None = None
        self.clients: dict[Provider, JourneyClient] = {}
        if key := settings.api_key:
            self.clients[JOURNEYAPI] = JourneyClient(key, settings.api_url, contact=settings.contact, attempts=1)
        if self.engine_problem is None:
            try:
                self.engine = EmbeddedEngine(
                    settings,
                    self.database,
                    self.files,
                    self._decoders.ordered,
                    self.door,
                    origins=self.origins,
                    on_move=self._task_moved,
                )
            except HardwareMissing as error:
                # The pages still work, and they say it.
                self.engine_problem = f"The engine on this machine cannot run. {error}"
        if self.engine:
            own_api = f"{self.origins.for_provider(THIS_MACHINE)}/api/v1"
            self.clients[THIS_MACHINE] = JourneyClient(self.engine.keys[0], own_api, proxies=False, attempts=1)

    def _build_studio(self) -> None:
        settings = self.settings
        self._ends = ends.Ends()
        self.history = History(self.database, on_end=self._ends.tell, clock=self._clock)
        self.spending = Spending(self.database, clock=self._clock)
        self.batches = Batches(self.database, clock=self._clock)
        self.intake = Intake(
            self.files,
            self._looked,
            self._decoders.looking,
            self.door,
            self.clients,
            origins=self.origins,
            max_bytes=settings.max_bytes,
        )
        self.orders = Orders(
            self.history,
            self.batches,
            self.intake,
            self.files,
            self.door,
            limits=self.limits,
            origins=self.origins,
            offered=self.clients.keys(),
            wake=self.wake,
        )
        deletions = Deletions(self.database, give_up=give_up)
        forget = partial(prune, self.database, keep=settings.engine_keep, watched=watched, doom=doom)
        self.removal = Removal(deletions, self.files, self._looked, self._uses, prune=forget)
        self.hand_in = HandIn(self.history, self.files, self._looked, self._decoders.looking)
        others = [each for each in (self.engine, self.tiles, self.print_runs) if each]
        self._packing = Packing(self.database, self.files, self.tiles.decoder, others, clock=self._clock)
        self.looking = ThreadPoolExecutor(LOOKS_AT_ONCE, "looking")
        self.tracker: Tracker | None = None
        self._upkeep = Upkeep(
            self.database.worker_lock(),
            self.history,
            self.batches,
            self.tiles,
            self.removal,
            work=self._begin_work,
            rest=self._end_work,
            keep_days=settings.keep_days,
            has_budget=bool(settings.monthly_credits),
            clock=self._clock,
        )
        self._balances = {
            provider: Fresh(f"balance at {provider}", client.account, seconds=BALANCE_SECONDS, clock=self._clock)
            for provider, client in self.clients.items()
            if provider.is_paid
        }
        self._usual: Fresh[UsualTimes] = Fresh(
            "usual-times",
            lambda: usual_times(self.database, [each for each in self.clients if not each.is_here]),
            seconds=USUAL_SECONDS,
            clock=self._clock,
        )
        self._samples: dict[str, Source] = {}

    # Life

    def start(self, *, draws_samples: bool = True) -> None:
        """Begin the background work."""
        self._decoders.start()
        self._upkeep.start()
        self._usual.look()
        # The first start draws the samples; pages and routes need not wait for that.
        if draws_samples:
            threading.Thread(target=self._hang_samples, name="samples", daemon=True).start()

    def stop(self) -> None:
        """Take up nothing more, let calls under way end, and release the lock. Idempotent."""
        self._upkeep.stop()
        self.print_runs.stop()
        self.tiles.stop()
        self.looking.shutdown(wait=False, cancel_futures=True)
        self._decoders.stop()
        for client in self.clients.values():
            client.close()
        self.database.close()

    @property
    def is_worker(self) -> bool:
        """True when this process works the queues."""
        return self._upkeep.is_worker

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
        if self.tracker and self.tracker.is_silent(HEARTBEAT_SECONDS):
            found.append("The tracker is not working.")
        if self.tracker and self.engine and self.engine.is_failing:
            found.append("The engine's queue is not working.")
        if self._decoders.is_stuck:
            found.append("A picture has been read for far too long.")
        return found

    def wake(self) -> None:
        """Make the tracker look at once."""
        if self.tracker:
            self.tracker.wake()

    # What pages ask for

    def offers(self) -> list[Offer]:
        """The providers that are set up here, the paid ones first."""
        paused = self.history.pauses.reasons()
        return [Offer(provider, paused.get(provider)) for provider in self.clients]

    def variants(self) -> list[Variant]:
        """Every way to enlarge a picture here."""
        return [
            Variant(provider, network)
            for provider in self.clients
            for network in (self.networks() if provider.has_networks else [None])
        ]

    def networks(self) -> list[str]:
        """Names of the networks of the engine on this machine, the default one first."""
        return self.engine.network_names if self.engine else []

    def runs_on(self) -> str | None:
        """What runs the default network on this machine, `OpenVINO, bfloat16`; None until that is known."""
        return self.engine.runs_on if self.engine else None

    def network_problems(self) -> tuple[str, ...]:
        """Why networks cannot be used, a sentence for each."""
        return self.engine.network_problems if self.engine else ()

    def sample_sources(self) -> dict[str, Source] | None:
        """The sample pictures by name; None while they are being drawn (a few seconds, on the first start)."""
        names = [sample.name for sample in samples.SAMPLES]
        if not self._samples and gallery.is_hung(self.files, names):
            self._samples = {
                name: self.intake.from_stored(gallery.stored(name), name=gallery.PICTURES[name].title, kind="sample")
                for name in names
            }
        return self._samples or None

    def usual_seconds(
        self, variant: Variant, scale: int, *, size: tuple[int, int] | None = None, then_network: str | None = None
    ) -> float | None:
        """How many seconds such a task takes: estimated for this machine, learnt from the last ones elsewhere.

        `size` is that of the source in pixels. None when the time is not known. With two steps it is the time of both;
        what the first takes elsewhere is left out until it is known.
        """
        first, *following = STEPS[scale]
        if following:
            between = size and (size[0] * first, size[1] * first)
            before = self.usual_seconds(variant, first, size=size)
            then = self.usual_seconds(Variant(HERE, then_network), following[0], size=between)
            return None if then is None else then + (before or 0)
        if not variant.provider.is_here:
            return (self._usual.look() or {}).get((variant.provider, scale))
        return self.engine.estimate_seconds(*size, variant.network, scale) if self.engine and size else None

    def resume(self, provider: Provider) -> None:
        """Go on sending to a provider whose queue was paused."""
        self.history.pauses.end(provider)
        self.wake()

    def stop_entry(self, entry: Entry) -> None:
        """Do what Stop means for this entry, and for the step of its order that is under way."""
        stop(entry, self.history, self.clients)

    def balance(self, provider: Provider) -> Account | None:
        """The last known account there; asked for again in the background when it is over a minute old."""
        return self._balances[provider].look() if provider in self._balances else None

    def balance_at(self, provider: Provider) -> float | None:
        """When the provider last reported its balance, in seconds since 1970."""
        return self._balances[provider].told_at if provider in self._balances else None

    def budget(self) -> Budget | None:
        """This month's budget, including what is being sent; None when none is set."""
        limit = self.settings.monthly_credits
        return None if limit is None else self.spending.budget(limit)

    def export_url(self, form: exports.Form, listing: Listing, *, timezone: str | None, ids: Sequence[str] = ()) -> str:
        """The path of an export on this server: of these entries, else of all that the listing means."""
        return exports.download_url(self._key, form, listing, timezone=timezone, ids=ids, now=self._clock())

    def results_url(self, batch: Batch) -> str:
        """The path on this server of all results of a batch as one ZIP."""
        return results_zip.download_url(batch.download_key)

    # Inside

    def _begin_work(self) -> None:
        self.files.start()
        self._looked.adopt(self.settings.data_dir / "print-files")
        if self.engine:
            self.engine.start()
        self.tracker = Tracker(
            self.history,
            self.clients,
            self.files,
            self._decoders.archiving,
            Door(self.settings.fetch_allow, limits=FOR_RESULTS, contact=self.settings.contact),
            origins=self.origins,
            webhook_for=self._webhook_for,
            may_spend=self._may_spend,
            max_bytes=self.settings.max_bytes,
            clock=self._clock,
        )
        self.tracker.start()
        if self.settings.results == "smaller":
            self._packing.start()

    def _end_work(self) -> None:
        self._packing.stop()
        if self.tracker:
            self.tracker.stop()
            self.tracker = None
        if self.engine:
            self.engine.stop()

    def _task_moved(self, task_id: str) -> None:
        """The embedded engine's own hint, as a webhook is for other providers: the tracker looks at once."""
        if self.tracker:
            self.tracker.task_moved(task_id)

    def _webhook_for(self, entry: Entry) -> tuple[str, str] | None:
        if not entry.provider.has_webhooks or not self.settings.public_is_https:
            return None
        address = webhooks.address_for(str(self.settings.public_url), entry)
        return address, webhooks.secret_for(self._key, entry.id)

    def _may_spend(self, entry: Entry, within: Transactions) -> str | None:
        limit = self.settings.monthly_credits if entry.provider.is_paid else None
        budget = None if limit is None else Spending(within, clock=self._clock).budget(limit)
        return budget.sentence if budget and budget.is_used_up else None

    def _hang_samples(self) -> None:
        try:
            gallery.hang(self.files)
            if self.engine:
                self.engine.add_sample_grid()
        except Exception:
            log.exception("the sample pictures")


_shared: list[Workspace] = []


def workspace() -> Workspace:
    """The one workspace of this process, made when it is first asked for. Raises CannotStart."""
    if not _shared:
        _shared.append(Workspace(read_settings()))
    return _shared[0]


def share(instead: Workspace | None) -> None:
    """Make this the workspace that `workspace()` returns; with None, the next caller makes a new one."""
    _shared[:] = [instead] if instead else []
