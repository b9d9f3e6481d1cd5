"""Whatever happens, in whatever order: each call is paid for once, its task is known, and all comes to an end."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from starlette.applications import Starlette

from journey.engine import tasks as engine_tasks
from journey.history import LIVE, OVER, Entry, State, tables
from journey.history.deletions import Deletions
from journey.history.tables import COLUMNS, entry_of, timeline
from journey.history.tables import entries as table
from journey.provider import JOURNEYAPI, PROVIDERS, THIS_MACHINE
from journey.storage import failpoints
from journey.storage.database import Database
from journey.storage.looked import Looked
from journey.storage.uses import Uses
from journey.studio.removal import Removal
from journey.studio.stopping import stop
from journey.testing import Change, Close, Fault, Hang, Reply, StandIn, StandInTask, rate_limited, web_page
from journey.web import webhooks
from tests.harness.in_process import DoorHere, Wire
from tests.harness.standing import Clock, outcome
from tests.harness.tracking import OWN_ORIGIN, TrackedStudio
from tests.studio.tracker.conftest import ORDER

SECRET_KEY = b"0123456789abcdef0123456789abcdef"
HOOKS = "https://studio.test/webhooks/"
SUBMITTING = (
    "before submitting is stored",
    "after submitting is stored",
    "after the call",
    "after the task id is stored",
)
"""Points that only an entry that is queued comes by."""

UNKNOWN: dict[str, Fault] = {
    "time-out": Hang(),
    "closed unread": Close.BEFORE_READING,
    "closed": Close.AFTER_READING,
    "half an answer": Close.HALF_ANSWER,
    "500": Reply(500, {}, accepted=True),
    "no id": Reply(200, {}, accepted=True),
}
REFUSED: dict[str, Fault] = {
    "400": Reply(400, {"message": "image_url is not reachable"}),
    "401": Reply(401, {}),
    "402": Reply(402, {"error": "Not enough credits"}),
    "404": web_page(404),
    "429": rate_limited("60"),
}


class Died(BaseException):
    """The process has ended here. No `except Exception` of the program may see it."""


def _fall() -> None:
    failpoints.arm("")
    raise Died


class Ticking(Clock):
    """No two things happen at once, so that what is sorted by time is always in the same order."""

    def __call__(self) -> float:
        self.now += 0.0001
        return self.now


class Anything(RuleBasedStateMachine):
    """One studio after another on the same data, beside one API that counts what it charges."""

    def __init__(self, upgraded: Path) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="journey-anything-"))
        shutil.copy(upgraded, self.folder / "journey.db")
        self.clock = Ticking()
        self.api = StandIn(port=8080)
        self.keys = [self.api.key]
        self.wire = Wire(self.api)
        self.studios: list[TrackedStudio] = []
        self.databases: list[Database] = []
        self.told: dict[str, set[str]] = {}
        """The tasks that a webhook has named, for each entry."""
        self.ended: dict[str, tuple[Any, ...]] = {}
        self.secrets: dict[str, str] = {}
        self.hooks: dict[str, str] = {}
        """The entry that a person's webhook belongs to."""
        self.deleted: set[str] = set()
        self.tokens: dict[str, str] = {}
        self.entries: list[Entry] = []

    # The studio that runs now

    @initialize()
    def begin(self) -> None:
        self.studio = self._another()

    def _another(self) -> TrackedStudio:
        """A new process on the same data, which takes up what an earlier one left."""
        database = Database(f"sqlite:///{self.folder / 'journey.db'}")
        sa.event.listen(database.engine, "connect", _in_a_hurry)
        studio = TrackedStudio(
            database,
            self.folder,
            self.api.url,
            self.keys[-1],
            transport=self.wire,
            door=DoorHere(self.api),
            clock=self.clock,
            webhook_for=self._webhook_for,
        )
        studio.history.recover()
        for provider in studio.history.pauses.reasons():
            studio.history.pauses.end(provider)
        self.studios.append(studio)
        self.databases.append(database)
        return studio

    def _webhook_for(self, entry: Entry) -> tuple[str, str] | None:
        if not entry.provider.has_webhooks:
            return None
        return f"{HOOKS}{entry.webhook_token}", webhooks.secret_for(SECRET_KEY, entry.id)

    def _step(self) -> None:
        try:
            self.studio.tracker.step()
        except Died:
            self.studio = self._another()
        finally:
            failpoints.arm("")

    def _read(self) -> None:
        """Look at everything once, for the rules and for what must hold."""
        self.timelines: dict[str, list[tuple[State, str]]] = {}
        with self.databases[-1].read() as connection:
            rows = connection.execute(sa.select(*COLUMNS, table.c.webhook_secret, table.c.hinted_task_id)).all()
            for moment in connection.execute(sa.select(timeline).order_by(timeline.c.id)):
                self.timelines.setdefault(moment.entry_id, []).append((State(moment.state), moment.words or ""))
        self.entries = [entry_of(row) for row in rows]
        self.hidden = {entry.id: (row[-2], row[-1]) for entry, row in zip(self.entries, rows, strict=True)}
        self.tokens |= {str(entry.webhook_token): entry.id for entry in self.entries}

    def _are(self, *states: State) -> list[Entry]:
        return [entry for entry in self.entries if entry.state in states]

    def _queue_one(self, here: bool = False) -> None:
        """Let there be something to send."""
        if not self._are(State.QUEUED):
            self.studio.add(provider=THIS_MACHINE if here else JOURNEYAPI)
            self._read()

    def _paid_tasks(self, entry: Entry) -> list[StandInTask]:
        return [task for task in self.api.tasks.values() if task.order and self._whose(task.order) == entry.id]

    def _whose(self, order: Mapping[str, Any]) -> str:
        """The entry that an order was made for."""
        if reference := order.get("reference"):
            return str(reference)
        hook = str(order["webhook_url"])
        if hook in self.hooks:
            return self.hooks[hook]
        return self.tokens[hook.removeprefix(HOOKS)]

    # What people do

    @rule(here=st.booleans(), own_hook=st.booleans(), again=st.booleans(), steps=st.booleans())
    def order(self, here: bool, own_hook: bool, again: bool, steps: bool) -> None:
        """A person orders, perhaps with a webhook of their own, perhaps the same once more, perhaps in two steps."""
        fields: dict[str, Any] = {"provider": THIS_MACHINE if here else JOURNEYAPI}
        if again:
            fields |= {"fingerprint": "f" * 64, "provider": JOURNEYAPI}
        elif own_hook and not here:
            number = len(self.hooks)
            fields |= {"webhook_url": f"https://example.com/{number}", "webhook_secret": f"s3cr3t-{number}-of-a-person"}
        if steps:
            fields |= {"then_type": "2x", "then_network": "fast"}
        entry = self.studio.add(**fields)
        if hook := fields.get("webhook_url"):
            self.hooks[hook] = entry.id
            self.secrets[entry.id] = fields["webhook_secret"]

    @rule(number=st.integers(0, 9), how=st.sampled_from(["again", "bind", "drop"]))
    def decide(self, number: int, how: str) -> None:
        """A person decides about a call in doubt: to send it again, to name its task, or to drop it."""
        if found := self._are(State.AMBIGUOUS):
            entry = found[number % len(found)]
            tasks = self._paid_tasks(entry)
            if how == "again":
                self.studio.history.send_again(entry.id)
            elif how == "bind" and tasks:
                self.studio.history.bind(entry.id, tasks[number % len(tasks)].task_id, words="by a person")
            elif how == "drop":
                self.studio.history.move(entry.id, State.ABANDONED, words="Dropped by a person.")

    @rule(number=st.integers(0, 9))
    def stop_one(self, number: int) -> None:
        """A person stops an entry."""
        if found := self._are(State.QUEUED, State.OPEN, State.ARCHIVING):
            entry = found[number % len(found)]
            self.api.script("cancel", Reply(200))
            stop(entry, self.studio.history, dict.fromkeys(PROVIDERS.values(), self.studio.client))

    @rule(number=st.integers(0, 9))
    def fetch_again(self, number: int) -> None:
        """A person has a result fetched once more."""
        found = self._are(State.FAILED, State.ABANDONED)
        if found and self.studio.history.fetch_again(found[number % len(found)].id):
            self.ended.pop(found[number % len(found)].id, None)

    @rule(number=st.integers(0, 9), point=st.sampled_from(["", "before files are removed", "after files are removed"]))
    def delete(self, number: int, point: str) -> None:
        """A person deletes an entry, and the program may die in the middle of it."""
        if found := self._are(*OVER):
            entry = found[number % len(found)]
            database, files = self.databases[-1], self.studio.files
            looked = Looked(files._root, clock=self.clock)
            uses = Uses(database, looked, [*tables.CLAIMS, *engine_tasks.CLAIMS])
            removal = Removal(Deletions(database), files, looked, uses)
            failpoints.arm(point)
            try:
                removal.delete([entry.id])
            except Died:
                self.studio = self._another()
                removal.bury()
            finally:
                failpoints.arm("")
            self.deleted.add(entry.id)
            used = {other.source.key for other in self.entries if other.source and other.id != entry.id}
            if entry.result_key and entry.result_key not in used:
                assert not list(self.studio.folder.glob(f"??/{entry.result_key}"))

    @rule(rotated=st.booleans())
    def rotate_key(self, rotated: bool) -> None:
        """The key is changed at the API, and then here; or what had paused a queue is only mended."""
        if rotated:
            self.keys.append(f"rotated-key-{len(self.keys)}-0123456789")
            self.api.key = self.keys[-1]
            self._step()
        self.studio.client.api_key = self.keys[-1]
        for provider in self.studio.history.pauses.reasons():
            self.studio.history.pauses.end(provider)

    # What happens around it

    @rule(seconds=st.sampled_from([0.0, 0.6, 2.0, 15.0, 60.0, 3600.0]), times=st.integers(1, 3))
    def work(self, seconds: float, times: int) -> None:
        """Time goes by, and the tracker does what is due."""
        for _ in range(times):
            self.clock.now += seconds
            self._step()

    @rule(fault=st.sampled_from([*UNKNOWN, *UNKNOWN, *REFUSED]), here=st.booleans())
    def faulty_call(self, fault: str, here: bool) -> None:
        """A call gets lost or is refused."""
        self._queue_one(here)
        if fault in REFUSED and any(entry.provider.is_here for entry in self._are(State.QUEUED)):
            return  # the engine does not refuse what it has accepted before
        self.api.script(ORDER, (UNKNOWN | REFUSED)[fault])
        self._step()
        self.api.unscript()

    @rule()
    def cut(self) -> None:
        """For a moment nothing can be sent."""
        self.wire.cut = True
        self._step()
        self.wire.cut = False

    @rule(what=st.sampled_from(["omitted", "reordered", "unknown", "500", "early end", "gone"]))
    def odd_poll(self, what: str) -> None:
        """The API says something odd about tasks: nothing about one, another order, a word that nobody knows."""
        change: Fault = {
            "omitted": Change(_each(lambda tasks: tasks[1:])),
            "reordered": Change(_each(lambda tasks: tasks[::-1])),
            "unknown": Change(_each(lambda tasks: [{**task, "status": "napping"} for task in tasks])),
            "early end": Change(_each(lambda tasks: [{**task, "status": "finished"} for task in tasks])),
            "500": Reply(500, {}),
            "gone": None,
        }[what]
        if what == "gone":
            self.api.script("cdn", Reply(404), Reply(404))
        self.api.script("fetch", change)
        self.api.script("fetch-many", change)
        self.clock.now += 15
        self._step()
        self.api.unscript()

    @rule(number=st.integers(0, 9), fails=st.booleans())
    def end_there(self, number: int, fails: bool) -> None:
        """A task ends at the API."""
        tasks = [task for task in self.api.tasks.values() if task.order]
        if tasks:
            task_id = tasks[number % len(tasks)].task_id
            if fails:
                self.api.fail(task_id)
            else:
                self.api.finish(task_id)

    @rule(number=st.integers(0, 9), how=st.sampled_from(["true", "true", "forged", "twice", "of another"]))
    def webhook(self, number: int, how: str) -> None:
        """The API calls back about any task it has ever had; or somebody else does, without the secret."""
        tasks = [task for task in self.api.tasks.values() if str(task.order.get("webhook_url")).startswith(HOOKS)]
        if not tasks:
            return
        task = tasks[number % len(tasks)]
        entry_id = self._whose(task.order)
        secret = str(task.order["webhook_secret"])
        if how == "forged":
            secret = "forged"
        elif how == "of another":
            secret = webhooks.secret_for(SECRET_KEY, "of another")
        path = str(task.order["webhook_url"]).removeprefix("https://studio.test")
        for _ in range(2 if how == "twice" else 1):
            status = self._posted(path, task.task_id, secret)
            is_known = entry_id not in self.deleted
            is_forged = how in ("forged", "of another")
            assert (401 if is_known and is_forged else 204) == status
        if is_forged:
            before = self.entries
            self._read()
            assert before == self.entries
        else:
            self.told.setdefault(entry_id, set()).add(task.task_id)

    def _posted(self, path: str, task_id: str, secret: str) -> int:
        receiver = Starlette(routes=webhooks.routes(self.studio.history, SECRET_KEY))

        async def post() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(receiver), base_url=OWN_ORIGIN) as client:
                return await client.post(path, json={"task_id": task_id}, headers={"x-webhook-secret": secret})

        return outcome(post()).status_code

    @rule(seconds=st.sampled_from([-40 * 86_400.0, -86_400.0, -3600.0, 3600.0, 86_400.0, 40 * 86_400.0]))
    def clock_jumps(self, seconds: float) -> None:
        """The clock is set forward or back."""
        self.clock.now += seconds
        self._step()

    @rule(point=st.sampled_from(failpoints.POINTS[:12]), passes=st.integers(1, 3), seconds=st.sampled_from([0.0, 20.0]))
    def crash(self, point: str, passes: int, seconds: float) -> None:
        """The program dies at this point, if it comes by, and another begins."""
        if point in SUBMITTING:
            self._queue_one()
            passes = 1
        self.clock.now += seconds
        failpoints.arm(f"{point}:{passes}")
        self._step()

    @rule()
    def restart(self) -> None:
        """The program is stopped and started."""
        self.studio.close()
        self.studio = self._another()

    @rule(
        during=st.sampled_from([ORDER, "fetch", "fetch-many"]),
        then=st.sampled_from(["waits", "works", "sends again", "sends again and works", "drops"]),
        fault=st.sampled_from([None, *UNKNOWN]),
    )
    def takeover(self, during: str, then: str, fault: str | None) -> None:
        """In the middle of a call another process takes over; what comes of the call is written down after that."""
        earlier = self.studio
        if during == ORDER:
            self._queue_one()

        def take_over(answer: Any) -> Any:
            if self.studio is earlier:
                self.studio = self._another()
                self._read()
                for entry in self._are(State.AMBIGUOUS):
                    if "sends again" in then:
                        self.studio.history.send_again(entry.id)
                    if then == "drops":
                        self.studio.history.move(entry.id, State.ABANDONED)
                if "works" in then:
                    self.studio.tracker.step()
            return {} if fault else answer

        self.clock.now += 15
        self.api.script(during, Change(take_over))
        earlier.tracker.step()
        self.api.unscript()

    # What must hold

    @invariant()
    def everything_is_in_order(self) -> None:
        if not self.studios:
            return
        self._read()
        calls = Counter(self._whose(call.body) for call in self.api.calls_to(ORDER))
        for entry in self.entries:
            secret, hinted = self.hidden[entry.id]
            assert calls[entry.id] <= entry.attempts, "an attempt was sent twice"
            self._judge_charges(entry, hinted)
            self._judge_end(entry)
            if entry.state in OVER or entry.state is State.OPEN:
                assert secret is None, "a secret is left after its last use"
        stored = b"".join(path.read_bytes() for path in self.folder.glob("journey.db*"))
        assert not any(key.encode() in stored for key in self.keys), "a key is in the database"
        assert [] == self.studio.left_behind()

    def _judge_charges(self, entry: Entry, hinted: str | None) -> None:
        moments = self.timelines[entry.id]
        words = " ".join(words for _, words in moments)
        paid = {task.task_id for task in self._paid_tasks(entry)}
        unknown = {task_id for task_id in paid if task_id not in (entry.task_id, hinted) and f"{task_id}." not in words}
        if entry.provider.is_here:
            assert len(paid) <= 1, "the engine has it twice"
            assert not unknown or entry.state in (State.QUEUED, State.SUBMITTING, State.CANCELLED)
            assert State.AMBIGUOUS not in [state for state, _ in moments]
            return
        assert len(paid) <= entry.attempts, "an attempt was charged twice"
        assert entry.provider.credits * len(paid) <= entry.credits, "a charge was not counted"
        in_doubt = sum(state is State.AMBIGUOUS for state, _ in moments)
        assert len(unknown) <= in_doubt + (entry.state is State.SUBMITTING), "a task was lost"
        assert not unknown & self.told.get(entry.id, set()), "a task that a webhook named was lost"

    def _judge_end(self, entry: Entry) -> None:
        end = entry.state, entry.result, entry.finished_at, entry.credits, entry.attempts, entry.error
        if entry.state in OVER:
            assert end == self.ended.setdefault(entry.id, end), "an end has changed"
        else:
            assert entry.id not in self.ended, "an end was no end"

    def teardown(self) -> None:
        """In good weather everything comes to an end, or waits for a person."""
        try:
            if self.studios:
                self._come_to_an_end()
        finally:
            for studio in self.studios:
                studio.close()
            for database in self.databases:
                database.close()
            shutil.rmtree(self.folder)

    def _come_to_an_end(self) -> None:
        self.api.unscript()
        self.studio.client.api_key = self.keys[-1]
        for provider in self.studio.history.pauses.reasons():
            self.studio.history.pauses.end(provider)
        for task in self.api.tasks.values():
            task.step = max(task.step, len(self.api.steps) - 1)
        self.studio.settle()
        self.everything_is_in_order()
        stuck = [(entry.state, entry.note, entry.due_at, self.timelines[entry.id]) for entry in self._are(*LIVE)]
        assert not stuck, f"stuck at {self.clock.now}: {stuck}"
        kept = {path.name for path in self.studio.folder.glob("??/*")}
        known = {entry.result_key for entry in self.entries} | {each.source.key for each in self.entries if each.source}
        assert kept <= known, "a folder belongs to nobody"
        assert kept >= {entry.result_key for entry in self.entries if entry.result}, "a result is gone"


def _each(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Applies a change of many tasks to an answer about one or about many."""

    def changed(answer: dict[str, Any]) -> dict[str, Any]:
        if "tasks" in answer:
            return {"tasks": change(answer["tasks"])}
        return next(iter(change([answer])), {})

    return changed


def _in_a_hurry(connection: Any, _record: object) -> None:
    """Do not wait for the disk: no power is cut here."""
    connection.execute("PRAGMA synchronous=OFF")


@contextmanager
def falling() -> Iterator[None]:
    """Where the program would kill itself, only the call ends."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(failpoints, "die", _fall)
        yield
        failpoints.arm("")


def run(upgraded: Path, examples: int, steps: int, **options: Any) -> None:
    with falling():
        run_state_machine_as_test(
            lambda: Anything(upgraded),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                **options,
            ),
        )


def test_whatever_happens_each_call_is_paid_for_once(upgraded_sqlite: Path) -> None:
    """After any 30 things that can happen, no call was made or charged twice, and nothing is lost, left or stuck."""
    run(upgraded_sqlite, 100, 30, derandomize=True)


@pytest.mark.torture
def test_whatever_happens_for_long(upgraded_sqlite: Path) -> None:
    """The same holds for 2,000 times 50 things."""
    run(upgraded_sqlite, 2_000, 50)
