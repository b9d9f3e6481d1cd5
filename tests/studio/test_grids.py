"""A grid keeps its places: what is shown is what is ordered, and what is missing is named."""

from __future__ import annotations

import pytest

from journey.errors import InvalidRequest
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.studio.batches.lines import Wanted
from journey.studio.batches.looks import take
from journey.studio.orders import Order
from journey.testing import GRID_ID, StandIn
from journey.views.upscaling import found_words, places
from tests.studio.conftest import HOSTED, Desk

PROVIDERS = (JOURNEYAPI, THIS_MACHINE)


@pytest.mark.parametrize("hole", [None, "", {"url": "https://cdn.example/x.png"}], ids=str)
@pytest.mark.parametrize("place", ["1", "2", "3", "4"])
def test_a_grid_with_a_hole_orders_what_is_shown(desk: Desk, api: StandIn, place: str, hole: object) -> None:
    """Each picture that is shown is the one that is ordered and charged, and the hole is named and not to be had."""
    api.leave_out(GRID_ID, **{f"_{place}": hole})
    parent = desk.intake.from_task(GRID_ID, PROVIDERS)
    assert (True, (place,)) == (parent.is_grid, parent.missing)
    assert [(index, index != place) for index in "1234"] == [
        (index, source is not None) for index, source in places(parent)
    ]
    with pytest.raises(InvalidRequest, match=f"Picture {place} of this task is missing: JourneyAPI named none"):
        parent.picture(place)
    for source in parent.sources:
        entry = desk.orders.place(Order(source=source, variant=HOSTED, scale=2))
        assert (GRID_ID, source.index) == (entry.parent_task_id, entry.index)
        task_id = desk.intake._clients[JOURNEYAPI].upscale(
            parent_task_id=entry.parent_task_id, index=entry.index, type=entry.type
        )
        shown = desk.files.path(source.stored.key, source.stored.file).read_bytes()
        assert api.tasks[task_id].source == shown
    assert (3, 3) == (api.charges, len({source.digest for source in parent.sources}))


def test_a_batch_names_the_hole_of_a_grid(desk: Desk, api: StandIn) -> None:
    """A grid with holes gives the others, with a note; asked for alone, a missing picture is refused by its index."""
    api.leave_out(GRID_ID, _1=None, _4="")
    found = take(Wanted("task", GRID_ID), desk.intake, desk.history, PROVIDERS)
    notes = [f"Without picture {index} of the grid: there is none." for index in "14"]
    assert [("2", tuple(notes)), ("3", ())] == [(source.index, source.notes) for source in found]
    assert ["3"] == [each.index for each in take(Wanted("task", GRID_ID, "3"), desk.intake, desk.history, PROVIDERS)]
    with pytest.raises(InvalidRequest, match="Picture 4 of this task is missing"):
        take(Wanted("task", GRID_ID, "4"), desk.intake, desk.history, PROVIDERS)


def test_a_grid_of_one_picture_is_a_grid(desk: Desk, api: StandIn) -> None:
    """With three holes the picture that is left still has its index, without which no order of it is accepted."""
    api.leave_out(GRID_ID, _1=None, _2=None, _3=None)
    alone = desk.intake.from_task(GRID_ID, PROVIDERS)
    assert (True, "4") == (alone.is_grid, alone.sources[0].index)
    assert "without number 1 and 2 and 3" in found_words(alone)
