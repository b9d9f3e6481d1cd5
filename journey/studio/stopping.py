"""What Stop means, in whatever state an entry is, and whichever step of an order is under way."""

from __future__ import annotations

from collections.abc import Mapping

from journey.api.client import JourneyClient
from journey.history import LIVE, Entry, History, State
from journey.provider import Provider


def stop(entry: Entry, history: History, clients: Mapping[Provider, JourneyClient]) -> None:
    """Cancel what was not sent, stop what runs here, and only stop watching what runs elsewhere.

    No second step begins after that, and one that has begun in the meantime is stopped as well. A first step whose
    result is being stored is finished, because that result may be paid for. May raise a JourneyError.
    """
    _stop(entry, history, clients)
    for following in history.lists.related(following=[entry.id]):
        if following.state in LIVE:
            _stop(following, history, clients)


def _stop(entry: Entry, history: History, clients: Mapping[Provider, JourneyClient]) -> None:
    if history.move(entry.id, State.CANCELLED, words="Cancelled by a person."):
        return
    entry = history.get(entry.id) or entry  # it may have gone on since the page was drawn
    if entry.state is State.OPEN and entry.provider.can_cancel and entry.task_id:
        clients[entry.provider].cancel(entry.task_id)
        history.move(entry.id, State.STOPPED, words="Stopped by a person.")
    elif entry.state is State.OPEN or not history.end_after_first_step(entry.id):
        history.move(entry.id, State.ABANDONED, words="A person stopped watching it.")
