"""The models of the wire: what is sent and received, as checked values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey import Account, InvalidRequest, Task, TaskStatus, UpscaleRequest
from journey.api.models import ID_LIMIT, usable_id
from journey.api.reading import SUCCESS
from journey.outside.addresses import URL_LIMIT

PROCESSING = {"task_id": "85h8-1", "task_type": "upscale-4x", "model": "midjourney", "status": "processing"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=8,
)
wire_names = st.sampled_from(sorted(Task.model_fields))
some_tasks = st.dictionaries(wire_names, json_values).map(lambda fields: {"task_id": "85h8-1"} | fields)


@given(json_values | some_tasks)
@settings(deadline=None, max_examples=200)
def test_any_json_is_a_task_or_a_value_error(answer: Any) -> None:
    """Whatever JSON the API sends is either read as a task that can be stored, or refused as a ValueError."""
    try:
        task = Task.from_wire(answer)
    except ValueError:
        return
    assert usable_id(task.task_id)
    assert task.percentage is None or 0 <= task.percentage <= 100
    stored = task.model_dump_json()
    assert "\\u0000" not in stored
    assert task == Task.model_validate(json.loads(stored.encode()))


@given(json_values)
@settings(deadline=None, max_examples=100)
def test_any_json_is_an_account_or_a_value_error(answer: Any) -> None:
    """Whatever JSON the API sends is either read as an account, or refused as a ValueError."""
    if isinstance(answer, dict):
        Account.from_wire(answer)
    else:
        with pytest.raises(ValueError, match="not an object"):
            Account.from_wire(answer)


@given(st.dictionaries(st.sampled_from([*UpscaleRequest.model_fields, "extra"]), json_values))
@settings(deadline=None, max_examples=200)
def test_any_fields_are_a_request_or_invalid(fields: dict[str, Any]) -> None:
    """Whatever fields somebody sends are either a request with one source and a known type, or InvalidRequest."""
    try:
        request = UpscaleRequest.checked(fields)
    except InvalidRequest:
        return
    assert (request.parent_task_id is None) != (request.image_url is None)
    assert request.scale in (2, 4)
    assert request == UpscaleRequest.checked(request.wire())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, TaskStatus.PROCESSING),
        ({"status": "staged"}, TaskStatus.STAGED),
        ({"status": " Finished"}, TaskStatus.FINISHED),
        ({"status": "queued"}, TaskStatus.PROCESSING),
        ({"status": "done", "image_url": "https://cdn/a.png"}, TaskStatus.FINISHED),
        ({"status": "IN_PROGRESS", "percentage": "32", "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": "upscaling", "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": "upscaling", "percentage": "99.9", "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": "upscaling", "percentage": 1.0, "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": "upscaling", "percentage": "250", "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": "upscaling", "percentage": "100"}, TaskStatus.PROCESSING),
        ({"status": "upscaling", "percentage": "100.0 %", "image_url": "https://cdn/a.png"}, TaskStatus.FINISHED),
        ({"status": "upscaling", "percentage": "100", "image_urls": [None, " "]}, TaskStatus.PROCESSING),
        ({"status": 7, "percentage": 100, "image_url": "https://cdn/a.png"}, TaskStatus.FINISHED),
        ({"status": True, "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": {"name": "done"}, "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": None, "percentage": "32", "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": "", "percentage": "abc", "image_url": "https://cdn/p.png"}, TaskStatus.PROCESSING),
        ({"status": None, "percentage": None, "image_url": "https://cdn/a.png"}, TaskStatus.FINISHED),
        ({"status": None, "percentage": "100", "image_url": "https://cdn/a.png"}, TaskStatus.FINISHED),
        ({"status": None, "error": "Moderated", "image_url": "https://cdn/p.png"}, TaskStatus.FAILED),
        ({"status": None, "message": "Banned prompt"}, TaskStatus.FAILED),
        ({"status": None, "failure_reason": {"description": "Banned"}}, TaskStatus.FAILED),
        ({"status": None, "percentage": "3", "message": "You are next"}, TaskStatus.PROCESSING),
        ({"status": None, "image_url": "https://cdn/a.png"}, TaskStatus.FINISHED),
        ({"status": "processing", "image_url": "https://cdn/preview.png"}, TaskStatus.PROCESSING),
        ({"status": None, "image_urls": ["https://cdn/a.png", "https://cdn/b.png"]}, TaskStatus.FINISHED),
        ({"status": None, "error": "Banned prompt"}, TaskStatus.FAILED),
        ({"status": "queued", "error": "a warning"}, TaskStatus.PROCESSING),
        ({"status": 7}, TaskStatus.PROCESSING),
    ],
    ids=str,
)
def test_status_is_believed_or_inferred(fields: dict[str, Any], expected: TaskStatus) -> None:
    """A known status word is believed; without one the picture or the error decides."""
    assert expected is Task.from_wire(PROCESSING | {"status": None} | fields).status


@pytest.mark.parametrize("spelt", [str.upper, str.title, lambda word: f" {word}\n", lambda word: f"{word}!"])
@pytest.mark.parametrize("word", ["success", "succeeded", "completed", "done", "finished", "Complete", "success-ful"])
def test_a_word_of_success_ends_in_any_spelling(word: str, spelt: Callable[[str], str]) -> None:
    """Services say in many words that a picture is there; what a preview is called is none of them."""
    task = Task.from_wire({"task_id": "a", "status": spelt(word), "image_url": "https://cdn/a.png"})
    assert (TaskStatus.FINISHED, 100, None) == (task.status, task.percentage, task.error)


@pytest.mark.parametrize("spelt", [str.upper, str.title, lambda word: f" {word}\n"])
@pytest.mark.parametrize(
    "word", ["failed", "failure", "fail", "error", "cancelled", "canceled", "moderated", "rejected", "timed_out"]
)
def test_a_word_of_failure_ends_in_any_spelling(word: str, spelt: Callable[[str], str]) -> None:
    """Whatever a service calls it, a failure is one, even beside a preview."""
    assert TaskStatus.FAILED is Task.from_wire({"task_id": "a", "status": spelt(word), "image_url": "u"}).status


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"error": "Moderated"}, "Moderated"),
        ({"error": {"message": "Moderated"}}, "Moderated"),
        ({"error": {"error": {"detail": "Moderated"}}}, "Moderated"),
        ({"error": ["One", {"msg": "Two"}, None, 7]}, "One Two"),
        ({"message": "Moderated"}, "Moderated"),
        ({"errors": [{"msg": "One"}, {"message": "Two"}]}, "One Two"),
        ({"errors": {"prompt": ["is banned"]}}, "is banned"),
        ({"error": {"code": "MODERATED"}}, "MODERATED"),
        ({"detail": [{"loc": ["body"], "msg": "Moderated", "type": "x"}]}, "Moderated"),
        ({"failure_reason": "Moderated"}, "Moderated"),
        ({"failReason": "Moderated"}, "Moderated"),
        ({"reason": "Moderated\non two lines"}, "Moderated on two lines"),
        ({"error": "Moderated", "message": "Moderated"}, "Moderated"),
        ({"error": "x" * 9999}, "x" * 500),
        ({"error": ["x" * 300] * 9 + ["y" * 300]}, "x" * 300 + " " + "y" * 199),
        ({"error": {}}, None),
        ({"error": None, "errors": [], "message": 7}, None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_the_words_of_the_api_are_found_wherever_they_are(fields: dict[str, Any], reason: str | None) -> None:
    """A failed task says why in the API's own words, at most 500 characters of them."""
    assert reason == Task.from_wire({"task_id": "a", "status": "failed", **fields}).error


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  https://cdn/a.png\n", "https://cdn/a.png"),
        ("\ufeffhttps://cdn/a.png\u200b", "https://cdn/a.png"),
        ("https://cdn/a b c.png?x=1 2", "https://cdn/a%20b%20c.png?x=1%202"),
        ("https://cdn/a\nb.png", "https://cdn/ab.png"),
        ("https://cdn/" + "a" * (URL_LIMIT - 12), "https://cdn/" + "a" * (URL_LIMIT - 12)),
        ("https://cdn/" + "a" * (URL_LIMIT - 11), None),
        ("https://cdn/" + " " * (URL_LIMIT // 2) + "a", None),
        ("https://cdn/" + "a" * 10**6, None),
        (" \t", None),
        ({"url": "https://cdn/a.png"}, None),
        (7, None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_address_is_kept_whole_or_not_at_all(sent: Any, kept: str | None) -> None:
    """Blanks round an address are removed and those in it encoded; one that is too long is said, never cut."""
    task = Task.from_wire({"task_id": "a", "status": "finished", "image_url": sent})
    assert kept == task.image_url == task.picture()
    assert (kept is None and isinstance(sent, str) and bool(sent.strip())) is ("more than" in (task.error or ""))


@pytest.mark.parametrize(
    "hole", [None, "", "  ", {}, {"url": "https://cdn/x.png"}, ["https://cdn/x.png"], 7, False], ids=str
)
@pytest.mark.parametrize("place", range(4))
def test_a_hole_in_a_grid_moves_nothing(hole: Any, place: int) -> None:
    """Picture "3" is the third place, whatever stands in the others; a hole has no picture, and is named."""
    urls: list[Any] = [f"https://cdn/{number}.png" for number in (1, 2, 3, 4)]
    urls[place] = hole
    grid = Task.from_wire({"task_id": "a", "status": "finished", "image_urls": urls})
    for index, number in zip(("1", "2", "3", "4"), range(4), strict=True):
        assert (None if number == place else urls[number]) == grid.picture(index)
    assert ((str(place + 1),), True) == (grid.missing, grid.is_grid)


def test_a_grid_may_have_too_few_or_too_many_places() -> None:
    """Two of four stay the first two, a fifth picture has no index, and a lone hole is no picture."""
    for urls, expected in (
        (["u1", "u2"], ["u1", "u2", None, None]),
        ([None, "u2"], [None, "u2", None, None]),
        (["u1", "u2", "u3", "u4", "u5"], ["u1", "u2", "u3", "u4"]),
        ([None] * 4, [None] * 4),
    ):
        grid = Task.from_wire({"task_id": "a", "status": "finished", "image_urls": urls})
        assert expected == [grid.picture(index) for index in ("1", "2", "3", "4")]
        assert [None] * 3 == [grid.picture(index) for index in ("0", "-1", "5")]
    assert Task.from_wire({"task_id": "a", "status": "finished", "image_urls": [None]}).picture("1") is None


@given(some_tasks, st.sampled_from(["0", "32", 32.0, "99.9", "32%", 99, 0.32, "1e1", "abc"]), st.text(max_size=12))
@settings(deadline=None, max_examples=300)
def test_a_preview_is_never_a_result(fields: dict[str, Any], percentage: Any, status: str) -> None:
    """With a percentage below 100, only a word of success makes a picture the result."""
    preview = {"task_id": "a", "status": status, "percentage": percentage, "image_url": "https://cdn/p.png"}
    task = Task.from_wire(fields | preview)
    letters = "".join(filter(str.isalpha, status.casefold()))
    assert task.status is not TaskStatus.FINISHED or letters in SUCCESS


@given(st.lists(st.none() | st.text(max_size=5) | st.just("https://cdn/a.png") | json_values, max_size=20))
@settings(deadline=None, max_examples=300)
def test_places_never_move(listed: list[Any]) -> None:
    """Each place holds what the API put there, or nothing."""
    task = Task.from_wire({"task_id": "a", "image_urls": listed})
    assert min(16, len(listed)) == len(task.image_urls)
    for sent, kept in zip(listed, task.image_urls, strict=False):
        assert kept == Task.from_wire({"task_id": "a", "image_url": sent}).image_url


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("42", 42), ("32%", 32), ("32 %", 32), (32.0, 32), ("100.0", 100), ("abc", None), (0.32, 0), (True, None),
     (42, 42), (" 7 ", 7), (99.9, 99), ("-3", 0), ("250", 100), (10**400, None), (float("nan"), None), ("soon", None),
     ("", None), (None, None), ([50], None), ("9" * 9999, 100)],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_percentage_is_a_whole_number_or_none(sent: Any, expected: int | None) -> None:
    """A percentage is read from a string or a number, kept within 0 to 100, and None when it makes no sense."""
    assert expected == Task.from_wire(PROCESSING | {"percentage": sent}).percentage


@pytest.mark.parametrize(
    ("value", "expected"),
    [("85h8-grid", True), ("a" * ID_LIMIT, True), ("a" * (ID_LIMIT + 1), False), ("", False), ("  ", False),
     (17, False), (None, False), ("a\nb", False), ("a\x00", False), ("\udcff", False), ("\u202eabc", False)],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_ids_are_any_visible_text(value: Any, expected: bool) -> None:
    """An id is any visible text up to 200 characters; it need not look like a UUID."""
    assert expected is usable_id(value)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(12_000, 12_000), ("12000", 12_000), (12_000.0, 12_000), (None, None), ("many", None), (True, None),
     (10**30, None), (float("inf"), None), (-2, -2)],
    ids=str,
)  # fmt: skip
def test_credits_are_a_whole_number_or_unknown(sent: Any, expected: int | None) -> None:
    """Credits that are not a storable whole number are unknown, not zero."""
    assert expected == Account.from_wire({"credits": sent}).credits


def test_grid_picture_is_chosen_by_its_index() -> None:
    """Index "1" to "4" is the picture's place in the grid, and a single task ignores it."""
    grid = Task.from_wire({"task_id": "a", "status": "finished", "image_urls": ["u1", "u2", "u3", "u4"]})
    single = Task.from_wire({"task_id": "b", "status": "finished", "image_url": "u"})
    assert ["u1", "u2", "u3", "u4", None] == [grid.picture(index) for index in ("1", "2", "3", "4", None)]
    assert "u" == single.picture("3") == single.picture()


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"image_url": "https://a/b.png"}, ["type"]),
        ({"image_url": "https://a/b.png", "type": "8x"}, ["type"]),
        ({"type": "2x"}, ["parent_task_id or image_url"]),
        ({"type": "2x", "image_url": "https://a/b.png", "parent_task_id": "x"}, ["not both"]),
        ({"type": "2x", "parent_task_id": "x", "index": "0"}, ["index"]),
        ({"type": "2x", "parent_task_id": "x", "index": 2}, ["index"]),
        ({"type": "2x", "image_url": "https://a/" + "b" * 8192}, ["image_url"]),
        ({"type": "2x", "image_url": "https://a/\x00"}, ["image_url"]),
        ({"type": "9x", "index": "9"}, ["parent_task_id or image_url", "type", "index"]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_broken_rules_are_named_all_at_once(fields: dict[str, Any], named: list[str]) -> None:
    """InvalidRequest holds one sentence for every broken rule."""
    with pytest.raises(InvalidRequest) as caught:
        UpscaleRequest.checked(fields)
    assert len(named) == len(caught.value.problems)
    assert all(any(word in problem for problem in caught.value.problems) for word in named)


def test_webhook_secret_is_not_shown() -> None:
    """A request can be printed or logged without giving its webhook secret away."""
    request = UpscaleRequest(image_url="https://a/b.png", type="2x", webhook_secret="hush-hush")
    assert "hush-hush" not in repr(request) + str(request)
    assert "hush-hush" == request.wire()["webhook_secret"]
