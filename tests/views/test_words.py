"""Sentences that pages show."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from journey.api.models import Account
from journey.history import Entry, State
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.views import words as wording

KOI = Entry(
    id="e1",
    state=State.FINISHED,
    provider=THIS_MACHINE,
    type="4x",
    name="koi *pond*.png",
    network="fast",
    credits=0,
    attempts=1,
    archive_attempts=0,
    created_at=0.0,
    changed_at=0.0,
    result=StoredPicture("k", "koi_4x.png", 256, 192),
    result_size=(256, 192),
)
OPEN = replace(KOI, state=State.OPEN, network="detail", result=None)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (KOI, r"**koi \*pond\*\.png** is finished (fast): 256 × 192 px."),
        (
            replace(KOI, state=State.FAILED, error="[x](evil)"),
            r"**koi \*pond\*\.png** failed: \[x\]\(evil\)",
        ),
        (
            replace(KOI, state=State.AMBIGUOUS, provider=JOURNEYAPI),
            r"**koi \*pond\*\.png** needs your decision: it is not known whether JourneyAPI accepted it.",
        ),
        (replace(KOI, state=State.STOPPED), None),
        (OPEN, None),
    ],
    ids=["finished", "failed", "ambiguous", "stopped", "open"],
)
def test_each_end_has_its_own_words(entry: Entry, said: str | None) -> None:
    """Success, failure and a decision are told apart, outside text is literal, and a person's own stop is no news."""
    assert said == wording.ending(entry)


@pytest.mark.parametrize(
    "text", ["https://evil.example/x", "see www.evil.example", "HTTP://evil.example", "a@example.com"]
)
def test_an_address_in_outside_text_becomes_no_link(text: str) -> None:
    """What Markdown takes for an address is broken up by an invisible character, and nothing else is changed."""
    shown = wording.literal(text)
    assert text == shown.replace("\\", "").replace("\u2060", "")
    assert not re.search(r"https?:\\?/\\?/\w|www\\?\.|@\w", shown, re.IGNORECASE)


def test_outside_text_is_shown_without_signatures() -> None:
    """Whatever a page shows literally holds no value of an address's query."""
    assert "s1gned" not in wording.literal("It was at https://cdn.example/x?X-Amz-Signature=s1gned.")


def test_many_ends_are_one_sentence() -> None:
    """A whole batch is summed up by how its tasks ended."""
    many = [KOI, KOI, replace(KOI, state=State.FAILED), replace(KOI, state=State.AMBIGUOUS)]
    assert "4 tasks ended: 2 finished, 1 failed, 1 waiting for your decision." == wording.endings(many)
    assert "2 tasks ended: 2 finished." == wording.endings(many[:2])


def test_a_pair_says_which_half_is_missing() -> None:
    """Until both results are there, the words name what is still missing, or what will never come."""
    assert "A/B: not finished yet: detail (waiting its turn)." == wording.pair_words(KOI, OPEN, 0.0)
    failed = replace(KOI, state=State.FAILED, provider=JOURNEYAPI, network=None, result=None)
    assert "A/B: JourneyAPI has no result to compare (failed)." == wording.pair_words(KOI, failed, 0.0)
    removed = replace(KOI, result=None)
    assert "A/B: the result of fast is no longer stored." == wording.pair_words(removed, OPEN, 0.0)
    assert "A/B: the other half has been deleted." == wording.pair_words(KOI, None, 0.0)


def test_the_tab_counts_what_is_under_way() -> None:
    """The title of the tab carries the number of open tasks, and nothing when there are none."""
    assert "(2) Upscale · Journey Print Studio" == wording.tab_title("Upscale", 2)
    assert "Upscale · Journey Print Studio" == wording.tab_title("Upscale", 0)


def test_a_picture_says_where_it_came_from() -> None:
    """The lineage names the parent task, and which picture of a grid it was."""
    assert "From task 994c, picture 3" == wording.origin_words("994c", "3")
    assert "From task 994c" == wording.origin_words("994c", None)


def test_a_balance_that_is_too_low_is_told_before_the_click() -> None:
    """Only a balance that is known and does not cover the cost is worth a sentence, which says what to do."""
    assert wording.balance_problem(JOURNEYAPI, 2, None, works_here=True) is None
    assert wording.balance_problem(JOURNEYAPI, 2, 2, works_here=True) is None
    said = wording.balance_problem(JOURNEYAPI, 2, 1, works_here=False)
    assert said is not None
    assert said.startswith("This costs 2 credits, but your JourneyAPI account has only 1.")


def test_the_usual_time_stands_beside_the_time_so_far() -> None:
    """A task that was sent says how long such tasks usually take; one that waits to be sent does not."""
    assert "Waiting its turn · 3 s so far, usually about 41 s" == wording.progress_words(OPEN, 3.0, 40.6)
    queued = replace(OPEN, state=State.QUEUED)
    assert "Waiting to be sent · 3 s so far" == wording.progress_words(queued, 3.0, 40.6)


def test_one_is_singular() -> None:
    """A number of one has its noun in the singular, wherever it is counted."""
    assert ["0 tasks", "1 task", "1,200 tasks"] == [wording.counted(number, "task") for number in (0, 1, 1200)]
    assert "JourneyAPI · 1 credit" == wording.provider_badge(JOURNEYAPI, Account(credits=1), is_ready=True)
