"""What a program can ask of the stand-in, by the header or as its key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from journey import Ambiguous, JourneyClient, Task, TaskStatus
from journey.testing import STEPS, StandIn, named_faults
from tests.harness.engines import KEY, running_engine
from tests.harness.standing import Clock
from tests.testing.conftest import ORDER, Program, asking

ROOT = Path(__file__).parents[2]
BOTH_WAYS = pytest.mark.parametrize("way", ["header", "key"])


@pytest.fixture
def api() -> Iterator[StandIn]:
    with StandIn(steps=STEPS[-1:]) as api:
        yield api


@BOTH_WAYS
def test_a_task_fails_with_the_words(api: StandIn, way: str) -> None:
    """`fail: WORDS` ends the task as failed with these words, and it is charged."""
    program = asking(api, "fail: content policy", way)
    assert {"status": "failed", "error": "content policy"}.items() <= program.fetch(program.order()).items()
    assert (1, 2) == (api.charges, api.spent)


@BOTH_WAYS
def test_a_status_can_be_a_word_that_nobody_knows(api: StandIn, way: str) -> None:
    """`status: WORD` is told all the time, and the end can still be told from the rest."""
    api.steps = STEPS
    program = asking(api, "status: dreaming", way)
    task_id = program.order()
    said = [program.fetch(task_id) for _ in STEPS]
    assert {"dreaming"} == {each["status"] for each in said}
    read = [Task.from_wire(each).status for each in said]
    assert [TaskStatus.FINISHED] == [status for status in read if status is not TaskStatus.PROCESSING]


@BOTH_WAYS
def test_a_task_can_be_stuck(api: StandIn, way: str) -> None:
    """`stuck` stays at 50 percent however often it is asked about."""
    program = asking(api, "stuck", way)
    task_id = program.order()
    assert [("processing", "50")] * 3 == [
        (each["status"], each["percentage"]) for each in (program.fetch(task_id) for _ in range(3))
    ]


@BOTH_WAYS
def test_a_task_can_be_omitted(api: StandIn, way: str) -> None:
    """`omit from fetch-many` leaves the task out there, while /fetch still knows it."""
    program = asking(api, "omit from fetch-many", way)
    omitted, other = program.order(), Program(api).order()
    tasks = program.call("fetch-many", {"task_ids": [omitted, other]}).json()["tasks"]
    assert [other] == [task["task_id"] for task in tasks]
    assert "finished" == program.fetch(omitted)["status"]


@BOTH_WAYS
def test_a_result_can_be_gone(api: StandIn, way: str) -> None:
    """`expired result URLs` answers 403 where the result was, and other results are there."""
    program = asking(api, "expired result URLs", way)
    urls = [program.fetch(each.order())["image_url"] for each in (program, Program(api))]
    assert [403, 200] == [httpx.get(url, trust_env=False).status_code for url in urls]


@BOTH_WAYS
def test_calls_can_be_too_many(api: StandIn, way: str) -> None:
    """`429 for N calls` refuses N orders with Retry-After and free of charge, then takes one, and so on."""
    program = asking(api, "429 for 3 calls", way)
    body = {"image_url": api.picture_url(), "type": "2x"}
    answers = [program.call(ORDER, body) for _ in range(8)]
    assert [429, 429, 429, 200] * 2 == [answer.status_code for answer in answers]
    assert "1" == answers[0].headers["retry-after"]
    assert 2 == api.charges


@BOTH_WAYS
@pytest.mark.parametrize("words", ["drop after reading", "half an answer", "no task id", "hang"])
def test_an_order_can_be_charged_without_an_answer(api: StandIn, words: str, way: str) -> None:
    """The order is accepted and charged, and the client can only say that it does not know."""
    if way == "key":
        with JourneyClient(words.replace(" ", "-"), api.url, timeout=0.5) as client, pytest.raises(Ambiguous):
            client.upscale(image_url=api.picture_url(), type="2x")
    elif words == "no task id":
        assert {} == Program(api, header=words).call(ORDER, {"image_url": api.picture_url(), "type": "2x"}).json()
    else:
        with pytest.raises(httpx.HTTPError):
            Program(api, header=words).call(ORDER, {"image_url": api.picture_url(), "type": "2x"}, timeout=0.5)
    assert 1 == api.charges


@BOTH_WAYS
@pytest.mark.parametrize(("words", "status"), [("answer 500", 500), ("answer 403", 403), ("web page", 502)])
def test_an_order_can_be_refused(api: StandIn, words: str, status: int, way: str) -> None:
    """The order is answered with this status and costs nothing, and other calls are as usual."""
    program = asking(api, words, way)
    assert status == program.call(ORDER, {"image_url": api.picture_url(), "type": "2x"}).status_code
    assert (200, 0) == (program.call("account").status_code, api.charges)


@BOTH_WAYS
def test_another_call_can_be_meant(api: StandIn, way: str) -> None:
    """With its name before the words a call meets the fault instead of the order."""
    program = asking(api, "fetch-many: answer 500", way)
    task_ids = [program.order(), program.order()]
    assert 500 == program.call("fetch-many", {"task_ids": task_ids}).status_code
    assert "finished" == program.fetch(task_ids[0])["status"]


def test_a_late_answer_is_as_late_as_the_speed_says() -> None:
    """`slow answer` comes, after 20 seconds divided by the speed."""
    with StandIn(speed=1000) as api:
        assert Program(api, header="slow answer").order()


@pytest.mark.parametrize("words", ["fial: content policy", "429", "fetch: stuck", "nothing", "429 for 3 callsx"])
def test_words_that_nobody_knows_are_refused(api: StandIn, words: str) -> None:
    """A header with a misspelt fault is a 400 that names the known ones, and a key with one is a wrong key."""
    body = {"image_url": api.picture_url(), "type": "2x"}
    answer = Program(api, header=words).call(ORDER, body)
    assert 400 == answer.status_code
    assert "omit from fetch-many" in answer.json()["errors"][0]["msg"]
    wrong = Program(api, key=words.replace(" ", "-")).call(ORDER, body)
    assert (401, {}, 0) == (wrong.status_code, wrong.json(), api.charges)


def test_every_fault_is_documented() -> None:
    """The table of docs/reference/stand-in.md has each fault and what it does, word for word."""
    document = (ROOT / "docs" / "reference" / "stand-in.md").read_text()
    documented = re.findall(r"^\| `([^`]+)` \| (.+) \|$", document, re.MULTILINE)
    assert named_faults.table() == documented


def test_the_shared_server_has_none_of_it(tmp_path: Path) -> None:
    """The engine takes no notice of the header, and the words are no keys there."""
    with StandIn() as pictures, running_engine(tmp_path) as engine, httpx.Client(trust_env=False) as http:
        for words, _ in named_faults.table():
            headers = {"Authorization": KEY, "X-Journey-Fault": words.replace("N", "5")}
            assert 200 == http.get(f"{engine.url}/account", headers=headers).status_code
            headers = {"Authorization": words.replace("N", "5").replace(" ", "-")}
            assert 401 == http.get(f"{engine.url}/account", headers=headers).status_code
        headers = {"Authorization": KEY, "X-Journey-Fault": "answer 500"}
        order = {"image_url": pictures.picture_url(), "type": "2x"}
        assert 200 == http.post(f"{engine.url}/upscale-2x-4x", json=order, headers=headers).status_code


def test_a_clock_can_be_passed() -> None:
    """Faults that concern the task go with a stand-in that is moved by a clock, too."""
    clock = Clock()
    with StandIn(speed=1, clock=clock) as api:
        program = asking(api, "fail: content policy", "key")
        task_id = program.order()
        assert "failed" != program.fetch(task_id)["status"]
        clock.now += 12
        assert "failed" == program.fetch(task_id)["status"]
