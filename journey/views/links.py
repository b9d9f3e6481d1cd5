"""Where pages lead: the parameters of their addresses, written and read in one place.

The addresses of History's list, Compare's view and Print size say more: see `listing`, `comparison` and `planner`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from journey.history import Entry
from journey.pictures.kinds import without_ending
from journey.storage.names import is_plain, saved_name
from journey.storage.stored import StoredFile

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


def result(entry: Entry, origin: str = "") -> str | None:
    """The address at which a browser saves the result of a task; None without one."""
    return _to_save(entry.result, result_name(entry), origin) if entry.result else None


def result_name(entry: Entry) -> str:
    """`日本_4x.png`, where the stored name is `picture-3f2a91_4x.png`."""
    stored = entry.result.file if entry.result else ""
    return stored if is_plain(entry.name) else saved_name(without_ending(entry.name), stored.rpartition("_")[2])


def print_file(stored: StoredFile, title: str, origin: str = "") -> str:
    """The address at which a browser saves a print file (or a ZIP of them) of a picture with this title."""
    return _to_save(stored, print_file_name(stored, title), origin)


def print_file_name(stored: StoredFile, title: str) -> str:
    """`日本_A3_300dpi.tif`, where the stored name is `picture-3f2a91_A3_300dpi.tif`."""
    return stored.file if is_plain(title) else saved_name(without_ending(title), stored.file.partition("_")[2])


def _to_save(stored: StoredFile, name: str, origin: str) -> str:
    return f"{stored.url(origin)}?download" + ("" if name == stored.file else f"={quote(name, safe='')}")
