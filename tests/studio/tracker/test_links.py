"""A link that has expired while its entry waited is not sent for money: our own copy is, or a person is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from journey.history import NewEntry, State
from journey.history.states import MEANT
from journey.pictures.copying import SENT_PNG
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.studio.batches.store import Batches, progress
from journey.studio.stopping import stop
from journey.testing import StandIn, picture
from journey.views.batches import undecided
from journey.views.words import ending
from tests.harness.standing import Clock
from tests.harness.tracking import OWN_ORIGIN, SOURCE, TrackedStudio
from tests.studio.tracker.conftest import ORDER, MakeStudio, states

NOW = datetime.fromtimestamp(Clock().now, UTC)
PUBLIC = "https://studio.example"


def discord(end: datetime) -> str:
    return f"https://cdn.discordapp.com/attachments/1/2/a.png?ex={int(end.timestamp()):x}&is=1&hm=2"


def s3(end: datetime) -> str:
    begun = end - timedelta(seconds=900)
    return f"https://b.s3.amazonaws.com/a.png?X-Amz-Date={begun:%Y%m%dT%H%M%SZ}&X-Amz-Expires=900&X-Amz-Signature=0"


def azure(end: datetime) -> str:
    return f"https://a.blob.core.windows.net/b/a.png?se={end:%Y-%m-%dT%H%%3A%M%%3A%SZ}&sig=x"


def cloudfront(end: datetime) -> str:
    return f"https://d1.cloudfront.net/a.png?Expires={int(end.timestamp())}&Signature=x&Key-Pair-Id=K"


PAST = NOW - timedelta(days=2)
EXPIRED = discord(PAST)


@pytest.mark.parametrize("link", [discord, s3, azure, cloudfront])
def test_a_person_is_asked_before_an_expired_link_is_sent(studio: TrackedStudio, api: StandIn, link: object) -> None:
    """The entry waits with a sentence that names the day, nothing is charged, and what is behind it goes on."""
    asking = studio.add(link(PAST))  # type: ignore[operator]  # one of the functions above
    other = studio.add()
    studio.settle()
    now = studio.look(asking)
    assert (State.ASKING, 0, 0) == (now.state, now.credits, now.attempts)
    assert f"expired on {PAST.day} {PAST:%B %Y}" in str(now.error)
    assert "Nothing was sent or charged" in str(now.error)
    assert "needs your decision" in str(ending(now))
    assert (State.FINISHED, 1) == (studio.look(other).state, api.charges)
    studio.history.recover()
    studio.settle()
    assert State.ASKING is studio.look(asking).state


def test_a_link_that_is_good_is_sent_as_it_is(studio: TrackedStudio, api: StandIn) -> None:
    """A link with time left is sent; one that ends in a moment could not be fetched any more, so it is asked about."""
    good, ending_now = discord(NOW + timedelta(minutes=5)), discord(NOW + timedelta(seconds=9))
    studio.add(good)
    studio.add(ending_now)
    studio.settle()
    assert [good] == [call.body["image_url"] for call in api.calls_to(ORDER)]
    assert {State.FINISHED: 1, State.ASKING: 1} == states(studio)


def test_our_own_copy_is_sent_where_it_can_be(make: MakeStudio, api: StandIn) -> None:
    """A studio that the internet reaches sends its own copy in place of an expired link, and asks nobody."""
    studio = make(public=PUBLIC)
    good = discord(NOW + timedelta(days=1))
    with studio.files.folder() as folder:
        (folder / SOURCE.file).write_bytes(picture(*SOURCE.size))
        studio.files.keep(folder, key=SOURCE.key)
    studio.add(EXPIRED)
    studio.add(good)
    studio.settle()
    assert {SOURCE.beside(SENT_PNG).url(PUBLIC), good} == {call.body["image_url"] for call in api.calls_to(ORDER)}
    assert ({State.FINISHED: 2}, 2) == (states(studio), api.charges)
    studio.add(EXPIRED, source=None, name="no copy")
    studio.settle()
    assert {State.FINISHED: 2, State.ASKING: 1} == states(studio)


def test_neither_a_parent_nor_this_machine_needs_the_link(studio: TrackedStudio, api: StandIn) -> None:
    """Where the link is not sent, its end does not matter."""
    studio.add(EXPIRED, parent_task_id="85h8-single-0b1c-finished")
    studio.add(EXPIRED, provider=THIS_MACHINE)
    studio.settle()
    assert {State.FINISHED: 2} == states(studio)
    assert SOURCE.url(OWN_ORIGIN) in [call.body.get("image_url") for call in api.calls_to(ORDER)]


def test_a_person_may_send_it_all_the_same(studio: TrackedStudio, api: StandIn) -> None:
    """What a person has sent is sent once, and not asked about again."""
    entry = studio.add(EXPIRED, webhook_url="https://example.com/hook", webhook_secret="theirs-0123")
    studio.settle()
    studio.history.move(entry.id, State.QUEUED, only_from=State.ASKING, words=MEANT, error=None)
    studio.settle()
    (call,) = api.calls_to(ORDER)
    assert (EXPIRED, "theirs-0123") == (call.body["image_url"], call.body["webhook_secret"])
    assert (State.FINISHED, 1) == (studio.look(entry).state, api.charges)


def test_a_new_link_answers_the_question(studio: TrackedStudio, api: StandIn) -> None:
    """The same picture ordered again with a new link is the same entry, which goes on with that link."""
    entry = studio.add(EXPIRED, fingerprint="f")
    studio.settle()
    assert entry.id == studio.add(EXPIRED, fingerprint="f").id
    studio.settle()
    assert State.ASKING is studio.look(entry).state
    new = discord(NOW + timedelta(days=1))
    assert entry.id == studio.add(new, fingerprint="f").id
    studio.settle()
    assert [new] == [call.body["image_url"] for call in api.calls_to(ORDER)]
    assert (State.FINISHED, None) == (studio.look(entry).state, studio.look(entry).error)


def test_an_entry_that_asks_can_be_stopped(studio: TrackedStudio, api: StandIn) -> None:
    """Stop cancels it, with nothing sent."""
    entry = studio.add(EXPIRED)
    studio.settle()
    stop(studio.look(entry), studio.history, {JOURNEYAPI: studio.client})
    assert (State.CANCELLED, 0) == (studio.look(entry).state, api.charges)


def test_links_that_have_expired_do_not_hold_up_their_batch(
    studio: TrackedStudio, api: StandIn, database: Database
) -> None:
    """However many of a batch ask, the others are sent; the batch says so, and stopping it cancels them."""
    batches = Batches(database, clock=studio.clock)
    urls = [EXPIRED] * (JOURNEYAPI.ahead + 5) + ["https://example.com/good.png"] * 2
    wishes = [
        NewEntry(provider=JOURNEYAPI, type="4x", name="a.png", source=SOURCE, image_url=url, fingerprint=str(number))
        for number, url in enumerate(urls)
    ]
    batches.queue("b", wishes, name="Links", person=None)
    for _ in range(4):
        batches.feed()
        studio.settle()
    items = batches.items("b")
    now = progress(items)
    assert (2, JOURNEYAPI.ahead + 5, 0, 2) == (now.finished, now.undecided, now.waiting, api.charges)
    assert "For 25 pictures, the link has expired" in undecided(items)
    assert JOURNEYAPI.ahead + 5 == batches.cancel_waiting("b")
