"""The models of the wire: what is sent and received, as checked values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey import Account, InvalidRequest, Task, TaskStatus, UpscaleRequest
from journey.api.models import ID_LIMIT, usable_id

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


@pytest.mark.parametrize(
    ("sent", "expected"),
    [("42", 42), (42, 42), ("42%", 42), (" 7 ", 7), (99.9, 99), ("-3", 0), ("250", 100), (10**400, None),
     (float("nan"), None), ("soon", None), ("", None), (None, None), ([50], None), ("9" * 9999, 100)],
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
