"""The queue: one task at a time, to its end, once; and the webhooks, four times at most."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from journey.api.errors import RateLimited, TaskNotFound
from journey.api.models import TaskStatus, UpscaleRequest
from journey.engine.jobs import DELIVERIES_PER_HOST, QUEUE_LIMIT, WEBHOOK_DELAYS, Jobs, StoredPicture, engine_tasks
from journey.errors import DatabaseAway, InvalidRequest, Stopped
from journey.outside.door import Door
from journey.pictures.checking import Decoder, Limits
from journey.pictures.previews import write_previews
from journey.storage.database import Database
from journey.storage.files import Files
from tests.engine.running import WebServer, encoded, gradient, until

ME = "me"
ORIGIN = "http://127.0.0.1:8501"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Enlarge:
    """Stands in for the network: repeats pixels, in four steps; `at_step` is called before each."""

    def __init__(self) -> None:
        self.at_step: Callable[[int], object] = lambda step: None
        self.runs = 0

    def __call__(
        self,
        picture: np.ndarray,
        network: str,
        scale: int,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> np.ndarray:
        self.runs += 1
        for step in range(5):
            self.at_step(step)
            if should_stop():
                raise Stopped("asked to")
            on_progress(step, 4)
        return np.asarray(picture).repeat(scale, 0).repeat(scale, 1)


class Inline(Executor):
    """Runs what is submitted at once."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN003, ANN201
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Bench:
    """Jobs with real database, files, decoder and door, and what the tests turn and look at."""

    def __init__(self, folder: Path, decoder: Decoder) -> None:
        self.database = Database(f"sqlite:///{folder / 'journey.db'}")
        self.database.upgrade()
        self.files = Files(str(folder / "files"), work_dir=folder)
        self.files.start()
        self.folder = folder
        self.clock = Clock()
        self.enlarge = Enlarge()
        self.decoder = decoder
        self.jobs = self.another()

    def another(self) -> Jobs:
        """Jobs on the same data, as after a restart."""
        return Jobs(
            self.database,
            self.files,
            self.decoder,
            Door(["127.0.0.1/32"]),
            self.enlarge,
            models={"fast": "realesr-animevideov3", "detail": "realesrgan-x4plus"},
            default_network="fast",
            own_origins=[ORIGIN],
            max_bytes=2**20,
            clock=self.clock,
        )

    def store(self, image: Image.Image) -> str:
        """Put a picture into the files and give its address."""
        with self.files.folder() as folder:
            image.save(folder / "a.png")
            write_previews(image, folder)
            return f"{ORIGIN}/files/{self.files.keep(folder)}/a.png"

    def order(self, owner: str = ME, **order: Any) -> str:
        if "parent_task_id" not in order:
            order.setdefault("image_url", self.source)
        self.clock.now += 1
        return self.jobs.submit(UpscaleRequest.checked({"type": "2x", **order}), owner=owner, origin=ORIGIN)

    @property
    def source(self) -> str:
        if not hasattr(self, "_source"):
            self._source = self.store(gradient(16, 12))
        return self._source

    def state(self, task_id: str) -> dict[str, Any]:
        (job,) = self.jobs.get([task_id], owner=ME)
        return job.wire(ORIGIN)

    def row(self, task_id: str) -> Any:
        with self.database.read() as connection:
            return connection.execute(sa.select(engine_tasks).where(engine_tasks.c.task_id == task_id)).one()

    def change(self, task_id: str, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(engine_tasks.update().where(engine_tasks.c.task_id == task_id).values(**values))

    def stored_keys(self) -> set[str]:
        return {path.name for path in (self.folder / "files").glob("??/*")}


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(Limits(100_000, 400_000))
    decoder.start()
    yield decoder
    decoder.stop()


@pytest.fixture
def bench(tmp_path: Path, decoder: Decoder) -> Iterator[Bench]:
    bench = Bench(tmp_path, decoder)
    yield bench
    assert [] == list((tmp_path / "files" / "incoming").iterdir())
    bench.database.close()


# The queue


def test_the_oldest_task_is_worked_first(bench: Bench) -> None:
    """Tasks finish in the order in which they came."""
    first, second = bench.order(), bench.order()
    assert bench.jobs.work_next()
    assert ("finished", "pending") == (bench.state(first)["status"], bench.state(second)["status"])
    assert bench.jobs.work_next()
    assert not bench.jobs.work_next()


def test_a_result_is_a_picture_with_previews_under_its_own_key(bench: Bench) -> None:
    """A finished task has a PNG of exactly n × the source, a preview and a thumbnail."""
    task_id = bench.order(type="4x")
    bench.jobs.work_next()
    key, name = bench.state(task_id)["image_url"].split("/")[-2:]
    with Image.open(bench.files.path(key, name)) as image:
        assert ("PNG", (64, 48)) == (image.format, image.size)
    assert all(bench.files.has(key, each) for each in ("preview.webp", "thumbnail.webp"))


def test_a_full_queue_is_said_with_a_time(bench: Bench) -> None:
    """Beyond the limit a task is not accepted, and the caller hears when to come again."""
    first = bench.order()
    with bench.database.write() as connection:
        row = dict(bench.row(first)._mapping)
        rows = [row | {"task_id": f"t{number}"} for number in range(QUEUE_LIMIT - 1)]
        connection.execute(engine_tasks.insert(), rows)
    with pytest.raises(RateLimited) as caught:
        bench.order()
    assert 30 == caught.value.retry_after
    bench.jobs.work_next()
    assert bench.order()


def test_a_task_that_was_interrupted_is_worked_again_first_and_once(bench: Bench) -> None:
    """After a crash the task at hand goes on before newer ones, under the same key, and shows no lower percentage."""
    task_id, newer = bench.order(), bench.order()
    bench.change(task_id, status=TaskStatus.PROCESSING, percentage=60)
    key = bench.row(task_id).result_key
    bench.jobs = bench.another()
    shown: list[tuple[str, str]] = []
    bench.enlarge.at_step = lambda _: shown.append((bench.state(task_id)["status"], bench.state(task_id)["percentage"]))
    assert bench.jobs.work_next()
    assert "pending" == bench.state(newer)["status"]
    assert {"processing"} == {status for status, _ in shown}
    assert sorted(shown) == shown
    assert "60" == shown[0][1]
    assert f"/files/{key}/" in bench.state(task_id)["image_url"]
    assert 1 == bench.enlarge.runs


def test_a_crash_after_the_result_was_stored_leaves_one_result(bench: Bench) -> None:
    """A result that was stored but not recorded is stored again in the same place."""
    task_id = bench.order()
    bench.jobs.work_next()
    before = bench.stored_keys()
    bench.change(task_id, status=TaskStatus.PROCESSING, percentage=99)
    bench.jobs.work_next()
    assert "finished" == bench.state(task_id)["status"]
    assert before == bench.stored_keys()


def test_a_stop_gives_the_task_to_the_next_start(bench: Bench) -> None:
    """What is under way at a shutdown is not failed; it is worked on after the next start."""
    task_id = bench.order()
    at_work, go_on = threading.Event(), threading.Event()

    def wait(step: int) -> None:
        at_work.set()
        go_on.wait(10)

    bench.enlarge.at_step = wait
    bench.jobs.start()
    assert at_work.wait(10)
    assert bench.jobs.is_working
    stopper = threading.Thread(target=bench.jobs.stop)
    stopper.start()
    assert bench.jobs._stopping.wait(10)
    go_on.set()
    stopper.join(10)
    assert "processing" == bench.state(task_id)["status"]
    assert not bench.jobs.is_working
    bench.jobs.start()
    for _ in until(10):
        if bench.state(task_id)["status"] == "finished":
            break
    bench.jobs.stop()
    bench.jobs.stop()
    assert ("finished", 2) == (bench.state(task_id)["status"], bench.enlarge.runs)


def test_a_decoder_stopped_by_a_shutdown_does_not_fail_the_task(bench: Bench) -> None:
    """Errors that come from shutting down are not the picture's."""
    task_id = bench.order()

    def fail(step: int) -> None:
        bench.jobs._stopping.set()
        raise OSError("gone")

    bench.enlarge.at_step = fail
    assert not bench.jobs.work_next()
    assert "processing" == bench.state(task_id)["status"]


def test_a_database_that_is_away_does_not_fail_the_task(bench: Bench) -> None:
    """A locked database is raised to the loop, which tries again later."""
    task_id = bench.order()

    def locked(step: int) -> None:
        raise DatabaseAway

    bench.enlarge.at_step = locked
    with pytest.raises(DatabaseAway):
        bench.jobs.work_next()
    bench.enlarge.at_step = lambda step: None
    bench.jobs.work_next()
    assert "finished" == bench.state(task_id)["status"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (ZeroDivisionError("secret detail"), "unexpected problem"),
    ],
)
def test_an_unexpected_error_fails_the_task_and_not_the_queue(bench: Bench, error: Exception, said: str) -> None:
    """Whatever goes wrong in one task, it ends with a sentence and the next one is worked."""
    task_id, following = bench.order(), bench.order()

    def fail(step: int) -> None:
        raise error

    bench.enlarge.at_step = fail
    assert bench.jobs.work_next()
    bench.enlarge.at_step = lambda step: None
    assert bench.jobs.work_next()
    assert said in bench.state(task_id)["error"]
    assert "secret" not in bench.state(task_id)["error"]
    assert "finished" == bench.state(following)["status"]


def test_a_source_that_was_removed_meanwhile_fails_clearly(bench: Bench) -> None:
    """When the stored picture is gone at its turn, the task says so."""
    task_id = bench.order()
    bench.files.delete(bench.source.split("/")[-2])
    bench.jobs.work_next()
    assert "no longer stored" in bench.state(task_id)["error"]


def test_percentages_rise_and_stop_at_99_until_the_result_is_stored(bench: Bench) -> None:
    """100 means that the picture is there."""
    task_id = bench.order()
    bench.jobs._progress(bench.jobs.get([task_id], owner=ME)[0])(4, 4)
    assert "99" == bench.state(task_id)["percentage"]


# Cancelling


def test_a_pending_task_is_cancelled_at_once(bench: Bench) -> None:
    """It is failed with the word Cancelled, and never worked on."""
    task_id = bench.order()
    bench.jobs.cancel(task_id, owner=ME)
    assert ("failed", "Cancelled") == (bench.state(task_id)["status"], bench.state(task_id)["error"])
    assert not bench.jobs.work_next()
    assert 0 == bench.enlarge.runs


@pytest.mark.parametrize("step", [0, 3, 4])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "through another process"])
def test_a_running_task_is_cancelled_at_once(bench: Bench, step: int, elsewhere: bool) -> None:
    """Wherever it is in its work, and through whichever process, it ends as Cancelled and leaves no picture behind."""
    task_id = bench.order()
    before = bench.stored_keys()
    other = bench.another() if elsewhere else bench.jobs
    bench.enlarge.at_step = lambda at: other.cancel(task_id, owner=ME) if at == step else None
    assert bench.jobs.work_next()
    assert ("failed", "Cancelled") == (bench.state(task_id)["status"], bench.state(task_id)["error"])
    assert before == bench.stored_keys()
    assert not bench.jobs._stop_asked


def test_work_that_was_cancelled_elsewhere_is_not_carried_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next progress that is to be noted finds the task over, and the work ends there."""
    monkeypatch.setattr("journey.engine.jobs._PROGRESS_SECONDS", 0)
    task_id = bench.order()
    steps: list[int] = []

    def work(step: int) -> None:
        steps.append(step)
        if step == 2:
            bench.another().cancel(task_id, owner=ME)

    bench.enlarge.at_step = work
    bench.jobs.work_next()
    assert [0, 1, 2] == steps


def test_what_is_over_stays_as_it_is(bench: Bench) -> None:
    """Cancelling a finished or an unknown task, or somebody else's, changes nothing."""
    task_id = bench.order()
    bench.jobs.work_next()
    bench.jobs.cancel(task_id, owner=ME)
    assert "finished" == bench.state(task_id)["status"]
    for owner, each in ((ME, "unknown"), ("somebody", task_id)):
        with pytest.raises(TaskNotFound):
            bench.jobs.cancel(each, owner=owner)
    assert not bench.jobs._stop_asked


# Parents


def test_only_a_finished_task_is_a_parent(bench: Bench) -> None:
    """Pending, failed and foreign tasks and those whose picture is gone are refused with their reason."""
    pending, failed, gone = bench.order(), bench.order(), bench.order()
    bench.jobs.cancel(failed, owner=ME)
    with pytest.raises(InvalidRequest, match="not finished yet"):
        bench.order(parent_task_id=pending)
    with pytest.raises(InvalidRequest, match="failed"):
        bench.order(parent_task_id=failed)
    with pytest.raises(InvalidRequest, match="no such task"):
        bench.order(owner="somebody", parent_task_id=pending)
    bench.jobs.work_next()
    bench.jobs.work_next()
    bench.files.delete(bench.row(gone).result_key)
    with pytest.raises(InvalidRequest, match="no longer stored"):
        bench.order(parent_task_id=gone)


def test_too_large_a_result_is_refused_before_anything_is_queued(bench: Bench) -> None:
    """The limits on pixels are kept at submission when the picture is here, and at its turn when it is not."""
    too_large = bench.store(Image.new("RGB", (300, 200)))
    with pytest.raises(InvalidRequest, match=r"1200 × 800 px; up to 0\.4 megapixels"):
        bench.order(image_url=too_large, type="4x")
    with pytest.raises(InvalidRequest, match="image_url: The picture has"):
        bench.order(image_url=bench.store(Image.new("RGB", (400, 300))))
    with WebServer({"/a.png": encoded(Image.new("RGB", (300, 200)))}) as web:
        task_id = bench.order(image_url=f"{web.url}/a.png", type="4x")
        bench.jobs.work_next()
    assert "4x of 300 × 200 px would have 1 megapixels; up to 0.4" in bench.state(task_id)["error"]


def test_our_own_pictures_do_not_go_through_the_door(bench: Bench) -> None:
    """An address of our own files is opened by its key: nothing listens at that origin, and it works."""
    task_id = bench.order()
    bench.jobs.work_next()
    assert "finished" == bench.state(task_id)["status"]


def test_measured_speed_is_the_median_of_real_pictures(bench: Bench) -> None:
    """Small pictures do not count; without a record there is no speed."""
    assert bench.jobs.measured_speed("fast", 2) is None
    for seconds in (1.0, 2.0, 10.0):
        task_id = bench.order()
        bench.jobs.work_next()
        bench.change(task_id, source_pixels=1_000_000, seconds=seconds)
    bench.order()
    bench.jobs.work_next()
    assert 500_000 == bench.jobs.measured_speed("fast", 2)
    assert bench.jobs.measured_speed("fast", 4) is None


def test_samples_are_added_once(bench: Bench) -> None:
    """A task that everybody can see is added on the first start only."""
    for model in ("first", "second"):
        bench.jobs.add_finished("sample", model=model, pictures=[StoredPicture("0" * 32, "a.png")])
    assert "first" == bench.state("sample")["model"]


# Webhooks


@pytest.fixture
def receiver() -> Iterator[WebServer]:
    with WebServer() as receiver:
        yield receiver


def finished_with_webhook(bench: Bench, url: str, **order: Any) -> str:
    task_id = bench.order(webhook_url=url, **order)
    bench.jobs.work_next()
    return task_id


def test_a_finished_task_is_delivered_with_its_secret(bench: Bench, receiver: WebServer) -> None:
    """The receiver gets what /fetch says, with the secret in its header; then the secret is forgotten."""
    task_id = finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    assert "s3cret" == bench.row(task_id).webhook_secret
    bench.jobs.deliver_due(Inline())
    ((headers, body),) = receiver.posts
    assert ("s3cret", "application/json") == (headers["x-webhook-secret"], headers["Content-Type"])
    assert bench.state(task_id) == json.loads(body)
    assert (None, None) == (bench.row(task_id).webhook_secret, bench.row(task_id).webhook_due_at)
    bench.jobs.deliver_due(Inline())
    assert 1 == len(receiver.posts)


def test_a_failed_task_is_delivered_as_well(bench: Bench, receiver: WebServer) -> None:
    """Cancelled is told like any failure; without a secret there is no header for one."""
    task_id = bench.order(webhook_url=receiver.url)
    bench.jobs.cancel(task_id, owner=ME)
    bench.jobs.deliver_due(Inline())
    ((headers, body),) = receiver.posts
    assert ("failed", "Cancelled") == (json.loads(body)["status"], json.loads(body)["error"])
    assert "x-webhook-secret" not in headers


def test_a_delivery_is_repeated_after_10_30_and_90_seconds_and_then_given_up(bench: Bench, receiver: WebServer) -> None:
    """Three retries at the documented times, not a second earlier; after the last the secret is forgotten."""
    receiver.answers = [500, 302, 404, 503, 200]
    task_id = finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    bench.jobs.deliver_due(Inline())
    for attempts, delay in enumerate(WEBHOOK_DELAYS, start=1):
        bench.clock.now += delay - 1
        bench.jobs.deliver_due(Inline())
        assert attempts == len(receiver.posts)
        assert "s3cret" == bench.row(task_id).webhook_secret
        bench.clock.now += 1
        bench.jobs.deliver_due(Inline())
    bench.clock.now += 10_000
    bench.jobs.deliver_due(Inline())
    assert 4 == len(receiver.posts)
    assert (None, None) == (bench.row(task_id).webhook_secret, bench.row(task_id).webhook_due_at)
    assert "finished" == bench.state(task_id)["status"]


def test_a_delivery_goes_through_after_500(bench: Bench, receiver: WebServer) -> None:
    """A receiver that was down for a moment gets the same task again, with the same secret."""
    receiver.answers = [500]
    finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    bench.jobs.deliver_due(Inline())
    bench.clock.now += WEBHOOK_DELAYS[0]
    bench.jobs.deliver_due(Inline())
    bench.clock.now += 10_000
    bench.jobs.deliver_due(Inline())
    assert 2 == len(receiver.posts)
    assert receiver.posts[0] == receiver.posts[1]


def test_a_crash_in_a_delivery_repeats_it(bench: Bench, receiver: WebServer) -> None:
    """What was not recorded as delivered is delivered by the next process."""
    finished_with_webhook(bench, receiver.url)

    class Lost(Executor):
        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN003, ANN202
            return Future[Any]()

    bench.jobs.deliver_due(Lost())
    bench.another().deliver_due(Inline())
    assert 1 == len(receiver.posts)


def test_a_receiver_that_hangs_keeps_nobody_else_waiting(bench: Bench, receiver: WebServer) -> None:
    """However many deliveries go to a hanging receiver, another one gets its own at once."""
    release = threading.Event()
    with WebServer() as hanging, ThreadPoolExecutor(8) as pool:
        hanging.answers = [lambda: release.wait(20)] * 10
        for _ in range(6):
            finished_with_webhook(bench, hanging.url)
        finished_with_webhook(bench, receiver.url)
        try:
            bench.jobs.deliver_due(pool)
            for _ in until(10):
                if receiver.posts and len(hanging.posts) == DELIVERIES_PER_HOST:
                    break
            bench.jobs.deliver_due(pool)
            assert (1, DELIVERIES_PER_HOST) == (len(receiver.posts), len(hanging.posts))
        finally:
            release.set()


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.2/", "https://10.0.0.1/x", "http://8.8.8.8/", "ftp://example.com/", "https://u:p@a.example/"],
)
def test_an_internal_or_plain_target_is_refused(bench: Bench, url: str) -> None:
    """A webhook to an internal, unencrypted or odd address is refused when the task is submitted."""
    with pytest.raises(InvalidRequest, match="webhook_url"):
        bench.order(webhook_url=url)


def test_an_internal_target_behind_a_name_is_blocked(bench: Bench) -> None:
    """What only turns out to be internal at delivery is not contacted, and given up like any other."""
    with WebServer() as internal:
        port = internal.url.rpartition(":")[2]
        task_id = finished_with_webhook(bench, f"http://127.0.0.1:{port}/", webhook_secret="s3cret")
        bench.change(task_id, webhook_url=f"http://127.0.0.2:{port}/")
        for delay in (0, *WEBHOOK_DELAYS):
            bench.clock.now += delay
            bench.jobs.deliver_due(Inline())
        assert [] == internal.posts
    assert (4, None, None) == (
        bench.row(task_id).webhook_attempts, bench.row(task_id).webhook_secret, bench.row(task_id).webhook_due_at
    )  # fmt: skip


def test_a_secret_without_a_webhook_is_not_kept(bench: Bench) -> None:
    """Nothing would ever remove it."""
    assert bench.row(bench.order(webhook_secret="s3cret")).webhook_secret is None
