"""The stand-in as programs meet it: tasks take their time, and webhooks come by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from journey.errors import Unreachable
from journey.outside.door import Door
from journey.testing import GRID_ID, Call, Reply, StandIn
from journey.testing.webhooks import Webhook, send
from tests.harness.engines import WebServer
from tests.harness.standing import Clock, Inline, wait_for
from tests.testing.conftest import ORDER, Program


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Iterator[StandIn]:
    with StandIn(speed=1, seed=7, clock=clock) as api:
        yield api


@pytest.fixture
def receiver() -> Iterator[StandIn]:
    """Another stand-in, which remembers what it is sent and can answer anything."""
    with StandIn() as receiver:
        receiver.always("cdn", Reply(204, b""))
        yield receiver


def arrived(receiver: StandIn) -> int:
    return len(receiver.calls_to("cdn"))


def test_a_task_takes_its_time(api: StandIn, clock: Clock) -> None:
    """It is not finished however often it is asked about, is finished after its seconds, and a 4x takes longer."""
    program = Program(api)
    quick, slow = program.order(), program.order(type="4x")
    assert {"staged"} == {program.fetch(quick)["status"] for _ in range(10)}
    clock.now += 0.6 * api.tasks[quick].seconds
    assert "processing" == program.fetch(quick)["status"]
    clock.now += 0.5 * api.tasks[quick].seconds
    assert "finished" == program.fetch(quick)["status"]
    assert 4 <= api.tasks[quick].seconds <= 12
    assert 8 <= api.tasks[slow].seconds <= 24


def test_a_seed_fixes_ids_and_times() -> None:
    """Two stand-ins of one seed give the same ids and times, and one of another seed does not."""
    seen = []
    for seed in (1, 1, 2):
        with StandIn(seed=seed, speed=2) as api:
            ids = [Program(api).order() for _ in range(3)]
            seen.append([(task_id, api.tasks[task_id].seconds) for task_id in ids])
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


def test_a_webhook_comes_by_itself(api: StandIn, clock: Clock, receiver: StandIn) -> None:
    """When the task ends, and not before, the receiver gets it once, with the secret in clear and without a model."""
    task_id = Program(api).order(webhook_url=f"{receiver.origin}/hook?x=1", webhook_secret="hush")
    clock.now += 12
    wait_for(lambda: api.deliveries)
    assert [(task_id, 204)] == [(each.task_id, each.status) for each in api.deliveries]
    (call,) = receiver.calls_to("cdn")
    assert ("hush", task_id, "finished") == (
        call.headers["x-webhook-secret"], call.body["task_id"], call.body["status"],
    )  # fmt: skip
    assert "model" not in call.body
    assert 200 == httpx.get(call.body["image_url"], trust_env=False).status_code


def test_a_failure_is_a_webhook_too(api: StandIn, clock: Clock, receiver: StandIn) -> None:
    """A task that fails tells the receiver why."""
    Program(api, header="fail: content policy").order(webhook_url=receiver.origin)
    clock.now += 12
    wait_for(lambda: arrived(receiver))
    assert ("failed", "content policy") == tuple(receiver.calls_to("cdn")[0].body[name] for name in ("status", "error"))


def test_a_webhook_is_tried_four_times(clock: Clock) -> None:
    """What is not answered with 2xx is sent again after 10, 30 and 90 seconds, and then given up."""
    api = StandIn(speed=1, clock=clock)  # without its threads
    with WebServer() as receiver:
        receiver.answers = [500, 404, 302, 503]
        order = {"image_url": "https://pictures.example/a.png", "type": "2x", "webhook_url": f"{receiver.url}/hook"}
        api.answer(Call("POST", ORDER, {"authorization": api.key}, order))
        sent = []
        for seconds in (12, 9.5, 0.5, 29.5, 0.5, 89.5, 0.5, 1000):
            clock.now += seconds
            api.webhooks.send_due(Inline())
            sent.append(len(api.deliveries))
        assert [1, 1, 2, 2, 3, 3, 4, 4] == sent
        assert [500, 404, 302, 503] == [each.status for each in api.deliveries]


def test_webhooks_misbehave_on_demand(api: StandIn, clock: Clock, receiver: StandIn) -> None:
    """One comes twice, one a minute late, and one never."""
    for words in ("duplicate webhook", "slow webhook", "no webhook"):
        Program(api, header=words).order(webhook_url=f"{receiver.origin}/{words.split()[0]}")
    clock.now += 12
    wait_for(lambda: len(api.deliveries) == 2)
    clock.now += 60
    wait_for(lambda: len(api.deliveries) == 3)
    paths = sorted(api.tasks[each.task_id].order["webhook_url"].rpartition("/")[2] for each in api.deliveries)
    assert ["duplicate", "duplicate", "slow"] == paths


def test_it_never_leaves_this_machine(api: StandIn, clock: Clock) -> None:
    """A picture elsewhere stands for 64 × 48 pixels, and a receiver elsewhere does not answer."""
    task_id = Program(api).order(image_url="https://pictures.example/a.png", webhook_url="https://hooks.example/a")
    clock.now += 12
    wait_for(lambda: api.deliveries)
    assert [(task_id, None)] == [(each.task_id, each.status) for each in api.deliveries]
    assert "finished" == Program(api).fetch(task_id)["status"]


def test_no_connection_is_tried_to_a_receiver_elsewhere() -> None:
    """Nothing is even looked up: a test must not call anybody."""

    class Shut(Door):
        def post_json(self, *_: object, **__: object) -> int:
            raise AssertionError("it was called")

    with pytest.raises(Unreachable):
        send(Shut(), Webhook("t-1", "https://hooks.example/a", None, {}))


def test_a_webhook_beyond_this_machine_must_be_https(api: StandIn) -> None:
    """As documented; only receivers on this machine may be without."""
    order = {"image_url": api.picture_url(), "type": "2x", "webhook_url": "http://hooks.example/a"}
    answer = Program(api).call(ORDER, order)
    assert 400 == answer.status_code
    assert "webhook_url" in answer.json()["errors"][0]["msg"]


def test_a_result_that_would_fill_the_memory_fails(api: StandIn) -> None:
    """A picture whose result would have more than 64 million pixels ends as failed, with a sentence."""
    said = Program(api).fetch(Program(api).order(image_url=api.picture_url(3000, 2000), type="4x"))
    assert "failed" == said["status"]
    assert "64 million" in said["error"]


@pytest.mark.parametrize(
    "path", ["/cdn/x.png", f"/cdn/{GRID_ID}_9.png", f"/cdn/{GRID_ID}_x.png", "/source/0x0.png", "/"]
)
def test_a_picture_that_is_not_there_is_404(api: StandIn, path: str) -> None:
    """An address of no picture is not found, whatever it looks like."""
    assert 404 == httpx.get(f"{api.origin}{path}", trust_env=False).status_code
