"""Answers of odd shapes, for everything that has to read what the hosted API says."""

from __future__ import annotations

from journey.testing import Change, Reply, web_page, with_fields, without
from journey.testing.faults import PAGE

REFUSALS: dict[str, Reply] = {
    "empty object": Reply(400, {}),
    "errors": Reply(400, {"errors": [{"msg": "type is required"}, {"msg": "image_url is not reachable"}]}),
    "error": Reply(400, {"error": "image_url is not reachable"}),
    "message": Reply(400, {"message": "image_url is not reachable"}),
    "html": web_page(400),
    "empty": Reply(400, b""),
    "plain": Reply(400, "image_url is not reachable"),
    "array": Reply(400, [1, 2]),
    "null": Reply(400, "null"),
    "wrong types": Reply(400, {"errors": {"msg": 3}, "error": [None, {}], "message": 7}),
    "binary": Reply(400, bytes(range(256)) * 40),
    "deep": Reply(400, "[" * 200_000),
    "long": Reply(400, {"error": "x" * 200_000}),
}
"""Bodies that a 400 may have."""

NO_TASK_ID: dict[str, Reply] = {
    "missing": Reply(200, {}, accepted=True),
    "null": Reply(200, {"task_id": None}, accepted=True),
    "empty": Reply(200, {"task_id": ""}, accepted=True),
    "number": Reply(200, {"task_id": 17}, accepted=True),
    "10 KB": Reply(200, {"task_id": "a" * 10_240}, accepted=True),
    "list": Reply(200, ["994c2844"], accepted=True),
    "no body": Reply(200, b"", accepted=True),
    "204": Reply(204, b"", accepted=True),
    "web page": Reply(200, PAGE, {"Content-Type": "text/html"}, accepted=True),
}
"""Answers to an accepted order that do not tell a usable task id."""


ODD_TASKS: dict[str, Change] = {
    "task_type of a 1x": with_fields(task_type="upscale#1"),
    "other task_type of a 1x": with_fields(task_type="upscale-1x"),
    "no percentage": without("percentage"),
    "percentage 100": with_fields(percentage="100"),
    "percentage as a number": with_fields(percentage=42),
    "percentage with a sign": with_fields(percentage="42%"),
    "senseless percentage": with_fields(percentage="soon"),
    "no model": without("model"),
    "no model, no task_type": without("model", "task_type"),
    "nulls": with_fields(model=None, percentage=None, error=None, image_urls=None),
    "more than is known": with_fields(eta=3, nested={"a": [1]}),
    "status in capitals": Change(lambda answer: {**answer, "status": str(answer["status"]).upper()}),
}
"""Harmless variants of a task answer: none of them changes what the task's status means."""
