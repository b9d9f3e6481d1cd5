"""What pages say about ways beyond 4x."""

from __future__ import annotations

from dataclasses import replace

import pytest

from journey import printing
from journey.history import State
from journey.printing import PAPERS, custom_paper
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.views import plans, ways
from journey.views.notices import ended
from journey.views.words import ending, progress, progress_words, took
from tests.views.test_facts import ENTRY

POSTER = printing.plan(1024, 1536, PAPERS["24x36"], bleed_mm=3.175)
FIRST = replace(ENTRY, id="1", follows=None, result=None, percentage=50, name="koi.png")
SECOND = replace(ENTRY, id="2", type="2x", then_type=None, follows="1", percentage=50, provider=THIS_MACHINE)


def refused(size: tuple[int, int], scale: int) -> str | None:
    return f"{scale}x is too large for {size[0]} × {size[1]}; the limit is 7." if scale >= 8 else None


def test_a_way_that_is_not_possible_is_not_told() -> None:
    """Without its ways a plan is what it was before there were any, and the reason names the limit."""
    kept, reason = ways.possible(POSTER, lambda size, scale: None)
    assert (POSTER, None) == (kept, reason)
    assert kept.verdict.startswith("8x is enough, in two steps: 338 DPI")
    assert ("upscale", "8x in two steps") == (plans.outcome(kept), plans.take(kept))
    kept, reason = ways.possible(POSTER, refused)
    assert reason == "8x is too large for 1024 × 1536; the limit is 7."
    assert kept.verdict.startswith("Out of reach: needs 7.1x; 4x gives 169 DPI")
    assert ("nearly", "needs 7.10x") == (plans.outcome(kept), plans.take(kept))


def test_the_form_offers_what_is_possible() -> None:
    """8x and 16x are offered one by one, and the first that is missing says why."""
    assert ({2: "2x", 4: "4x", 8: "8x", 16: "16x"}, None) == ways.multipliers(None, lambda size, scale: None)
    names, reason = ways.multipliers((30, 20), lambda size, scale: "Too large." if scale == 16 else None)
    assert (["2x", "4x", "8x"], "Too large.") == (list(names.values()), reason)


def test_a_way_is_told_with_its_price() -> None:
    """Where each step runs and what it costs is said in one line."""
    assert "4x at JourneyAPI (2 credits), then 2x here (free)" == ways.way_words(8, JOURNEYAPI)
    assert "4x, then 4x, both here (free)" == ways.way_words(16, THIS_MACHINE)


def test_what_is_made_up_is_said() -> None:
    """A way says how much of its picture is invented, and when less is enough from where people stand."""
    told = plans.reasons(POSTER)
    assert "At 8x, 63 of 64 pixels are made up" in told
    assert "From where people usually stand, 4x (169 DPI) already looks sharp" in told
    small = printing.plan(200, 300, custom_paper(10, 15, "cm"))
    assert "At 8x" in ways.honest_words(small)
    assert "already looks sharp" not in ways.honest_words(small)
    banner = printing.plan(1536, 512, custom_paper(6_000, 2_000, "mm"))
    assert banner.verdict.startswith("Out of reach: needs 46.14x; 16x gives 104 DPI")
    assert "104 DPI looks sharp all the same." in ways.honest_words(banner)
    assert "" == ways.honest_words(printing.plan(1024, 1536, PAPERS["A4"]))


@pytest.mark.parametrize(
    ("step", "percentage", "state", "shown"),
    [
        (FIRST, 0, State.OPEN, 0),
        (FIRST, 100, State.OPEN, 6),
        (SECOND, 0, State.QUEUED, 6),
        (SECOND, 50, State.OPEN, 53),
        (SECOND, 100, State.ARCHIVING, 99),
        (SECOND, 100, State.FINISHED, 100),
    ],
)
def test_one_progress_goes_over_both_steps(step: object, percentage: int, state: State, shown: int) -> None:
    """The second step begins where the first has ended, and only the end of both is the end."""
    entry = replace(step, percentage=percentage, state=state)  # type: ignore[type-var]  # an entry
    assert shown == progress(entry)


def test_steps_are_told() -> None:
    """Cards and lists say which step this is; the end of the first is no end, and time runs from its start."""
    assert progress_words(FIRST, FIRST.created_at).startswith("Step 1 of 2 · ")
    assert ("4x, step 1 of 2", "2x, step 2 of 2") == (ways.enlarged(FIRST), ways.enlarged(SECOND))
    assert "4x" == ways.enlarged(replace(FIRST, then_type=None))
    assert "up to 8x in all" in ways.follows_words(FIRST)
    done = replace(SECOND, state=State.FINISHED, created_at=FIRST.created_at + 60, finished_at=FIRST.created_at + 80)
    assert ("20 s", "80 s") == (took(done), took(done, FIRST))
    assert ending(replace(FIRST, state=State.FINISHED)) is None
    assert "is finished" in str(ending(done))
    assert [] == ended([replace(FIRST, state=State.FINISHED, batch="b"), replace(SECOND, batch="b")])


def test_an_order_can_be_gone_on_with_after_a_failure() -> None:
    """Only when the first result is there and nothing follows it any more."""
    first = replace(FIRST, state=State.FINISHED, result=ENTRY.result)
    assert ways.can_go_on(first, None)
    assert [False, True, True, False] == [
        ways.can_go_on(first, replace(SECOND, state=state))
        for state in (State.OPEN, State.FAILED, State.STOPPED, State.FINISHED)
    ]
    assert not ways.can_go_on(FIRST, None)


def test_papers_beyond_4x_are_named_with_their_multiplier() -> None:
    """The sentence about all papers goes on to 8x and 16x, in order, where these are possible."""
    papers = [PAPERS[name] for name in ("A0", "A3", "24x36", "A6")]
    told = plans.served((1024, 1536), papers, 300, "crop", lambda size, scale: None)
    assert "At 300 DPI this picture fills: at 2x A6; at 4x A3; at 8x 24 × 36; at 16x A0." == told
    told = plans.served((1024, 1536), papers, 300, "crop", refused)
    assert "At 300 DPI this picture fills: at 2x A6; at 4x A3." == told
