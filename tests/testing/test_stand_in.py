"""What other tests rely on in the stand-in for the hosted API."""

from __future__ import annotations

import io
import urllib.request

import pytest
from PIL import Image

from journey import InsufficientCredits, JourneyClient, NotSent, Task, TaskStatus
from journey.testing import STEPS, Reply, StandIn, picture


def size_of(url: str | None) -> tuple[int, int]:
    assert url is not None
    with urllib.request.urlopen(url, timeout=5) as answer, Image.open(io.BytesIO(answer.read())) as image:
        return image.size


def order(api: StandIn, **fields: str) -> tuple[str, JourneyClient]:
    client = JourneyClient(api.key, api.url, attempts=1)
    return client.upscale(**({"image_url": api.picture_url(30, 20), "type": "4x"} | fields)), client  # type: ignore[typeddict-item]


def test_credits_run_out() -> None:
    """Each order costs 2 credits, and an order that the balance does not cover is refused."""
    with StandIn(credits=5) as api:
        order(api)
        _, client = order(api)
        with pytest.raises(InsufficientCredits):
            client.upscale(image_url="https://pictures.example/a.png", type="2x")
        assert (2, 1) == (api.charges, client.account().credits)


def test_task_can_be_held_finished_and_failed() -> None:
    """A test decides what becomes of a task, and how large its result is."""
    with StandIn() as api:
        task_id, client = order(api)
        api.hold(task_id, step=4)
        assert [50, 50] == [client.fetch(task_id).percentage for _ in range(2)]
        api.finish(task_id)
        assert (120, 80) == size_of(client.fetch(task_id).image_url)
        api.finish(task_id, size=(7, 5))
        assert (7, 5) == size_of(client.fetch(task_id).image_url)
        api.script("cdn", Reply(200, picture(3, 3)))
        assert (3, 3) == size_of(client.fetch(task_id).image_url)
        api.fail(task_id, "Out of paint")
        assert "Out of paint" == client.fetch(task_id).error


def test_life_of_a_task_can_be_shortened() -> None:
    """With the last step only, the first question is answered with finished."""
    with StandIn(steps=STEPS[-1:]) as api:
        task_id, client = order(api)
        assert TaskStatus.FINISHED is client.fetch(task_id).status


def test_webhook_is_the_task_with_the_secret_in_clear() -> None:
    """A delivery posts the finished task to the order's webhook address, with the right or a forged secret."""
    with StandIn() as receiver, StandIn() as api:
        receiver.script("cdn", Reply(204, b""), Reply(500, b""))
        task_id, _ = order(api, webhook_url=f"{receiver.origin}/webhooks/abc?x=1", webhook_secret="hush")
        api.finish(task_id)
        assert [204, 500] == [api.deliver(task_id), api.deliver(task_id, secret="forged")]
        assert ["hush", "forged"] == [call.headers["x-webhook-secret"] for call in receiver.calls]
        assert (task_id, TaskStatus.FINISHED) == (
            receiver.calls[0].body["task_id"],
            Task.from_wire(receiver.calls[0].body).status,
        )


def test_stopped_stand_in_refuses_and_comes_back_where_it_was() -> None:
    """Between stop and start connections are refused; address, tasks and counts stay."""
    with StandIn() as api:
        task_id, client = order(api)
        api.stop()
        with pytest.raises(NotSent):
            client.fetch(task_id)
        api.start()
        assert task_id == client.fetch(task_id).task_id
        assert 1 == api.charges
