"""Where pages lead: the parameters of their addresses, written and read in one place.

The addresses of History's list, Compare's view and Print size say more: see `listing`, `comparison` and `planner`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journey.history import Entry

ID_LOOKED_UP = 201
"""One character more than any ID has, so that one that is too long is refused and no beginning of it is looked up."""

Parameters = dict[str, str]


def task(entry: Entry) -> Parameters:
    """Opens a task in History, Compare and Print size."""
    return {"task": entry.id}


def again(entry: Entry) -> Parameters:
    """Fills the form of Upscale with this task's picture and settings."""
    return {"again": entry.id}


def pair(left: Entry, right: Entry) -> Parameters:
    """Opens the results of two tasks in Compare."""
    return {"left": left.id, "right": right.id}


def batch(batch_id: str) -> Parameters:
    """Opens a batch."""
    return {"id": batch_id}


def queued_together(batch_id: str) -> Parameters:
    """Lists the tasks of a batch, or of an A/B pair, in History."""
    return {"batch": batch_id}


def batch_of(entries: Sequence[Entry]) -> Parameters:
    """Begins a batch with the results of these tasks."""
    return {"from": ",".join(entry.id for entry in entries)}


def details(entry: Entry) -> str:
    """The path of a task's details on this server."""
    return f"/history?task={entry.id}"


def asked_task(parameters: Mapping[str, str]) -> str | None:
    return parameters.get("task") or None


def asked_again(parameters: Mapping[str, str]) -> str | None:
    return parameters.get("again") or None


def asked_task_id(parameters: Mapping[str, str]) -> str | None:
    """The ID of a task at an API, for Upscale to look up."""
    return (parameters.get("task_id") or "").strip()[:ID_LOOKED_UP] or None


def asked_batch(parameters: Mapping[str, str]) -> str | None:
    return parameters.get("id") or None


def asked_batch_of(parameters: Mapping[str, str]) -> list[str] | None:
    """Ids of the tasks whose results a batch begins with, or of the one task; None when the address names none."""
    asked = parameters.get("from", parameters.get("task"))
    return None if asked is None else [each[:80] for each in asked.replace(",", " ").split()]


def end_of(entry: Entry) -> str:
    """Where a browser waits for the end of a task: the path of a WebSocket on this server."""
    return f"/ends/{entry.id}"
