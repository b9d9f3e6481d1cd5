"""The queue: what it accepts, and how it works one task at a time, to the end, exactly once."""

from __future__ import annotations

import errno
import threading

import pytest
from PIL import Image

from journey.api.errors import TaskNotFound
from journey.api.models import TaskStatus
from journey.errors import DatabaseAway, InvalidRequest, WorkersAway
from tests.engine.conftest import ME, ORIGIN, Bench
from tests.harness.engines import WebServer, encoded, until
from tests.harness.standing import wait_for

# Working


def test_the_oldest_task_is_worked_first(bench: Bench) -> None:
    """Tasks finish in the order in which they came."""
    first, second = bench.order(), bench.order()
    assert bench.queue.work_next()
    assert ("finished", "pending") == (bench.state(first)["status"], bench.state(second)["status"])
    assert bench.queue.work_next()
    assert not bench.queue.work_next()


def test_a_result_is_a_picture_with_previews_under_its_own_key(bench: Bench) -> None:
    """A finished task has a PNG of exactly n times the source's width and height, a preview and a thumbnail."""
    task_id = bench.order(type="4x")
    bench.queue.work_next()
    key, name = bench.state(task_id)["image_url"].split("/")[-2:]
    with Image.open(bench.files.path(key, name)) as image:
        assert ("PNG", (64, 48)) == (image.format, image.size)
    assert all(bench.files.has(key, each) for each in ("preview.webp", "thumbnail.webp"))


def test_a_task_that_was_interrupted_is_worked_again_first_and_once(bench: Bench) -> None:
    """After a crash the interrupted task goes on before newer ones, under the same key, at no lower percentage."""
    task_id, newer = bench.order(), bench.order()
    bench.change(task_id, status=TaskStatus.PROCESSING, percentage=60)
    key = bench.row(task_id).result_key
    bench.queue = bench.another_queue()
    shown: list[tuple[str, str]] = []
    bench.enlarge.at_step = lambda _: shown.append((bench.state(task_id)["status"], bench.state(task_id)["percentage"]))
    assert bench.queue.work_next()
    assert "pending" == bench.state(newer)["status"]
    assert {"processing"} == {status for status, _ in shown}
    assert sorted(shown) == shown
    assert "60" == shown[0][1]
    assert f"/files/{key}/" in bench.state(task_id)["image_url"]
    assert 1 == bench.enlarge.runs


def test_an_order_with_a_reference_is_one_task(bench: Bench) -> None:
    """Made again in whatever state its task is, even without its picture, the order leads to it; another's does not."""
    first = bench.order(reference="an-entry")
    assert first == bench.order(reference="an-entry")
    assert first not in (bench.order(reference="another-entry"), bench.order(reference="an-entry", owner="somebody"))
    bench.queue.work_next()
    assert first == bench.order(reference="an-entry", image_url=f"{ORIGIN}/files/{'0' * 32}/gone.png")
    assert "finished" == bench.state(first)["status"]
    assert bench.order() != bench.order()


def test_a_crash_after_the_result_was_stored_leaves_one_result(bench: Bench) -> None:
    """A result that was stored but not recorded is stored again in the same place."""
    task_id = bench.order()
    bench.queue.work_next()
    before = bench.stored_keys()
    bench.change(task_id, status=TaskStatus.PROCESSING, percentage=99)
    bench.queue.work_next()
    assert "finished" == bench.state(task_id)["status"]
    assert before == bench.stored_keys()


def test_a_stop_gives_the_task_to_the_next_start(bench: Bench) -> None:
    """A task under way at a shutdown does not fail; the next start works on it."""
    task_id = bench.order()
    at_work, go_on = threading.Event(), threading.Event()

    def wait(step: int) -> None:
        at_work.set()
        go_on.wait(10)

    bench.enlarge.at_step = wait
    bench.queue.start()
    assert at_work.wait(10)
    assert not bench.queue.is_failing
    stopper = threading.Thread(target=bench.queue.stop)
    stopper.start()
    assert bench.queue._loop._stopping.wait(10)
    go_on.set()
    stopper.join(10)
    assert "processing" == bench.state(task_id)["status"]
    assert bench.queue.is_failing
    bench.queue.start()
    for _ in until(10):
        if bench.state(task_id)["status"] == "finished":
            break
    bench.queue.stop()
    bench.queue.stop()
    assert ("finished", 2) == (bench.state(task_id)["status"], bench.enlarge.runs)


def test_why_tasks_wait_is_told(bench: Bench) -> None:
    """While the cluster is away the queue says so, in words for people, and no longer once it works again."""
    sentence = "No scheduler answers."

    def away(step: int) -> None:
        raise WorkersAway(sentence)

    bench.enlarge.at_step = away
    task_id = bench.order()
    assert bench.queue.trouble is None
    bench.queue.start()
    wait_for(lambda: bench.queue.trouble == sentence)
    bench.enlarge.at_step = lambda step: None
    wait_for(lambda: bench.state(task_id)["status"] == "finished")
    wait_for(lambda: bench.queue.trouble is None)
    bench.queue.stop()


def test_a_decoder_stopped_by_a_shutdown_does_not_fail_the_task(bench: Bench) -> None:
    """An error caused by shutting down does not fail the task."""
    task_id = bench.order()

    def fail(step: int) -> None:
        bench.queue._loop._stopping.set()
        raise OSError("gone")

    bench.enlarge.at_step = fail
    assert not bench.queue.work_next()
    assert "processing" == bench.state(task_id)["status"]


@pytest.mark.parametrize(
    "away", [DatabaseAway(), WorkersAway("No scheduler answers."), OSError(errno.ENOSPC, "No space left on device")]
)
def test_what_is_away_does_not_fail_the_task(bench: Bench, away: Exception) -> None:
    """When the database or the cluster is away, or the disk is full, the error reaches the loop, which tries again
    later, and the task does not fail."""
    task_id = bench.order()

    def locked(step: int) -> None:
        raise away

    bench.enlarge.at_step = locked
    with pytest.raises(type(away)):
        bench.queue.work_next()
    bench.enlarge.at_step = lambda step: None
    bench.queue.work_next()
    assert "finished" == bench.state(task_id)["status"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (ZeroDivisionError("secret detail"), "unexpected problem"),
    ],
)
def test_an_unexpected_error_fails_the_task_and_not_the_queue(bench: Bench, error: Exception, said: str) -> None:
    """Whatever goes wrong in a task, it fails with a sentence, and the next one is worked on."""
    task_id, following = bench.order(), bench.order()

    def fail(step: int) -> None:
        raise error

    bench.enlarge.at_step = fail
    assert bench.queue.work_next()
    bench.enlarge.at_step = lambda step: None
    assert bench.queue.work_next()
    assert said in bench.state(task_id)["error"]
    assert "secret" not in bench.state(task_id)["error"]
    assert "finished" == bench.state(following)["status"]


def test_a_source_that_was_removed_meanwhile_fails_clearly(bench: Bench) -> None:
    """A task whose source is gone when its turn comes fails and says so."""
    task_id = bench.order()
    bench.files.delete(bench.source.split("/")[-2])
    bench.queue.work_next()
    assert "no longer stored" in bench.state(task_id)["error"]


def test_percentages_rise_and_stop_at_99_until_the_result_is_stored(bench: Bench) -> None:
    """Progress stops at 99 % until the result is stored: 100 means that the picture is there."""
    task_id = bench.order()
    bench.queue._progress(bench.tasks.get([task_id], owner=ME)[0])(4, 4)
    assert "99" == bench.state(task_id)["percentage"]


# Cancelling


def test_a_pending_task_is_cancelled_at_once(bench: Bench) -> None:
    """A pending task that is cancelled fails with the word Cancelled and is never worked on."""
    task_id = bench.order()
    bench.queue.cancel(task_id, owner=ME)
    assert ("failed", "Cancelled") == (bench.state(task_id)["status"], bench.state(task_id)["error"])
    assert not bench.queue.work_next()
    assert 0 == bench.enlarge.runs


def test_nothing_is_remembered_of_what_was_cancelled_while_it_waited(bench: Bench) -> None:
    """The wish to stop is forgotten when the next task begins."""
    waiting, next_one = bench.order(), bench.order()
    bench.queue.cancel(waiting, owner=ME)
    assert bench.queue.work_next()
    assert "finished" == bench.state(next_one)["status"]
    assert not bench.queue._stop_asked


@pytest.mark.parametrize("step", [0, 3, 4])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "through another process"])
def test_a_running_task_is_cancelled_at_once(bench: Bench, step: int, elsewhere: bool) -> None:
    """Cancelled at any step and from any process, a running task fails as Cancelled and leaves no picture behind."""
    task_id = bench.order()
    before = bench.stored_keys()
    other = bench.another_queue() if elsewhere else bench.queue
    bench.enlarge.at_step = lambda at: other.cancel(task_id, owner=ME) if at == step else None
    assert bench.queue.work_next()
    assert ("failed", "Cancelled") == (bench.state(task_id)["status"], bench.state(task_id)["error"])
    assert before == bench.stored_keys()
    assert not bench.queue._stop_asked


def test_work_that_was_cancelled_elsewhere_is_not_carried_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the next progress is recorded, the task is found to be over, and the work ends there."""
    monkeypatch.setattr("journey.engine.queue._PROGRESS_SECONDS", 0)
    task_id = bench.order()
    steps: list[int] = []

    def work(step: int) -> None:
        steps.append(step)
        if step == 2:
            bench.another_queue().cancel(task_id, owner=ME)

    bench.enlarge.at_step = work
    bench.queue.work_next()
    assert [0, 1, 2] == steps


def test_what_is_over_stays_as_it_is(bench: Bench) -> None:
    """Cancelling a finished or an unknown task, or somebody else's, changes nothing."""
    task_id = bench.order()
    bench.queue.work_next()
    bench.queue.cancel(task_id, owner=ME)
    assert "finished" == bench.state(task_id)["status"]
    for owner, each in ((ME, "unknown"), ("somebody", task_id)):
        with pytest.raises(TaskNotFound):
            bench.queue.cancel(each, owner=owner)
    assert not bench.queue._stop_asked


# What may be ordered


def test_only_a_finished_task_is_a_parent(bench: Bench) -> None:
    """Pending, failed and foreign parents, and those whose picture is gone, are refused with the reason."""
    pending, failed, gone = bench.order(), bench.order(), bench.order()
    bench.queue.cancel(failed, owner=ME)
    with pytest.raises(InvalidRequest, match="not finished yet"):
        bench.order(parent_task_id=pending)
    with pytest.raises(InvalidRequest, match="failed"):
        bench.order(parent_task_id=failed)
    with pytest.raises(InvalidRequest, match="no such task"):
        bench.order(owner="somebody", parent_task_id=pending)
    bench.queue.work_next()
    bench.queue.work_next()
    bench.files.delete(bench.row(gone).result_key)
    with pytest.raises(InvalidRequest, match="no longer stored"):
        bench.order(parent_task_id=gone)


def test_too_large_a_result_is_refused_before_anything_is_queued(bench: Bench) -> None:
    """The pixel limits are checked at submission if the picture is stored here, otherwise when its turn comes."""
    too_large = bench.store(Image.new("RGB", (300, 200)))
    with pytest.raises(
        InvalidRequest, match=r"image_url: 4x would be 1200 × 800 px = 1 megapixels; the limit is 0\.4. Choose 2x"
    ):
        bench.order(image_url=too_large, type="4x")
    with pytest.raises(InvalidRequest, match="image_url: The picture has"):
        bench.order(image_url=bench.store(Image.new("RGB", (400, 300))))
    with WebServer({"/a.png": encoded(Image.new("RGB", (300, 200)))}) as web:
        task_id = bench.order(image_url=f"{web.url}/a.png", type="4x")
        bench.queue.work_next()
    assert "4x would be 1200 × 800 px = 1 megapixels; the limit is 0.4" in bench.state(task_id)["error"]


def test_our_own_pictures_do_not_go_through_the_door(bench: Bench) -> None:
    """An address of our own files is opened by its key, so the task finishes although nothing listens there."""
    task_id = bench.order()
    bench.queue.work_next()
    assert "finished" == bench.state(task_id)["status"]
