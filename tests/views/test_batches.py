"""What the Batch page says before anything is spent, and while a batch runs."""

from __future__ import annotations

from journey.provider import JOURNEYAPI
from journey.studio.batches.rows import Totals
from journey.studio.batches.store import Progress
from journey.views import batches as words


def test_the_table_is_summed_up() -> None:
    """The words count what runs, is skipped, cannot be used or is being looked at, and leave out what is zero."""
    total = Totals(runs=4, skipped=1, problems=1, looking=1, credits=8, seconds=0.0)
    assert "4 pictures to enlarge · 1 skipped · 1 cannot be used · 1 being looked at" == words.totals(total)
    alone = Totals(runs=1, skipped=0, problems=0, looking=0, credits=2, seconds=0.0)
    assert "1 picture to enlarge" == words.totals(alone)


def test_the_price_is_told_against_what_there_is() -> None:
    """The balance is told beside the price, and a balance or a budget that is too small is named before the click."""
    assert "18 credits of 240 left" == words.price(18, 240)
    assert "18 credits" == words.price(18, None)
    assert words.shortfall(JOURNEYAPI, 18, 240, None) is None
    assert "has 5 credits left, enough for 2 of the 9 pictures" in str(words.shortfall(JOURNEYAPI, 18, 5, 100))
    assert "This month's budget has 0 credits left" in str(words.shortfall(JOURNEYAPI, 18, None, 0))


def test_how_far_a_batch_is() -> None:
    """The words tell how many are done, how long the rest takes, and whether the batch is paused."""
    now = Progress(2, finished=1, failed=0, undecided=0, ended=0, under_way=1, waiting=0, fraction=0.5)
    assert "1 of 2 done, about 10 s left" == words.progress(now, 10.0, held=False)
    assert "1 of 2 done, paused; 1 still under way" == words.progress(now, 10.0, held=True)
    assert "1 finished · 1 under way" == words.states(now)
