"""The one way to order: judged before anything is queued, never placed twice, and nothing that was entered is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from journey.errors import InvalidRequest
from journey.history import State
from journey.history.kinship import Pair, Variant
from journey.outside.door import Door
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.studio.orders import Order
from tests.studio.conftest import DETAIL, FAST, HOSTED, Desk

PUBLIC = "https://public.example/a.png"


# Judging


def test_what_a_provider_cannot_take_is_said_before_it_is_sent(desk: Desk) -> None:
    """A result that is too large, a picture that is only here, and an address that works only here get a sentence."""
    orders, upload = desk.orders, desk.source()
    assert orders.problem(upload, provider=THIS_MACHINE, scale=4) is None
    assert "only on this machine" in str(orders.problem(upload, provider=JOURNEYAPI, scale=4))
    for size, scale, said in (
        ((1000, 1001), 2, "megapixels"),
        ((4000, 250), 4, None),
        ((4001, 250), 4, "Choose 2x or a smaller picture"),
    ):
        sized = replace(upload, stored=replace(upload.stored, width=size[0], height=size[1]))
        problem = orders.problem(sized, provider=THIS_MACHINE, scale=scale)
        assert problem is None if said is None else said in str(problem)
    for url, usable in (
        (PUBLIC, True),
        ("https://inside.example/a.png", False),
        ("http://127.0.0.1:8080/a.png", False),
        ("https://nowhere.example/a.png", False),
    ):
        problem = orders.problem(replace(upload, image_url=url), provider=JOURNEYAPI, scale=4)
        assert usable is (problem is None)
        assert usable or "Or use this machine." in str(problem)
    parent = replace(upload, parent_task_id="t-1", task_at=JOURNEYAPI)
    assert orders.problem(parent, provider=JOURNEYAPI, scale=4) is None


def test_an_upload_is_judged_before_it_is_chosen(desk: Desk, public_desk: Desk) -> None:
    """Without a public address JourneyAPI cannot get files, and the sentence names three ways out."""
    assert desk.orders.upload_problem(THIS_MACHINE) is None
    said = str(desk.orders.upload_problem(JOURNEYAPI))
    assert all(way in said for way in ("Use this machine", "public image URL", "JOURNEY_PUBLIC_URL"))
    assert public_desk.orders.upload_problem(JOURNEYAPI) is None


@pytest.mark.parametrize(
    ("url", "secret", "is_good"),
    [
        ("https://public.example/hook", None, True),
        ("https://public.example/hook", "a secret, with spaces!", True),
        ("http://public.example/hook", None, False),
        ("hook", None, False),
        ("https://169.254.169.254/", None, False),
        ("https://public.example/hook", "schlüssel", False),
        ("https://public.example/hook", "two\nlines", False),
        ("https://public.example/hook", "x" * 501, False),
    ],
)
def test_a_webhook_is_judged_before_anything_is_queued(desk: Desk, url: str, secret: str | None, is_good: bool) -> None:
    """Plain HTTP, a malformed address or a secret that no header can hold gets a sentence that names the webhook."""
    desk.orders._door = Door()  # a listed network would leave the judgement of names for later
    order = Order(source=desk.source(), variant=FAST, scale=4, webhook_url=url, webhook_secret=secret)
    if is_good:
        desk.orders.check(order)
    else:
        with pytest.raises(InvalidRequest, match=r"^Webhook: "):
            desk.orders.place(order)
        assert 0 == desk.history.lists.count()


@pytest.mark.parametrize("typed", ["<{}>", "“{}”,", "\u200b{}\u200b", "{}\n", "[hook]({})"])
def test_a_webhook_is_understood_as_it_was_meant(desk: Desk, typed: str) -> None:
    """What is round the address of a webhook is left out, and what is kept is what a browser would send."""
    typed = typed.format("https://public.example/my hook")
    entry = desk.orders.place(Order(source=desk.source(), variant=FAST, scale=4, webhook_url=typed))
    assert "https://public.example/my%20hook" == entry.webhook_url


def test_a_provider_that_is_not_set_up_takes_no_order(desk: Desk) -> None:
    """An order for a provider that is not set up gets a sentence, and nothing is queued."""
    desk.orders._offered = [THIS_MACHINE]
    with pytest.raises(InvalidRequest, match="JourneyAPI is not set up here"):
        desk.orders.place(Order(source=desk.source(image_url=PUBLIC), variant=HOSTED, scale=4))
    assert (0, []) == (desk.history.lists.count(), desk.woken)


# Placing


def test_an_order_becomes_an_entry_and_the_tracker_looks(desk: Desk) -> None:
    """Everything that was chosen is in the entry, and the tracker is woken once."""
    source = desk.source(image_url=PUBLIC)
    hook = "https://public.example/hook"
    order = Order(source=source, variant=FAST, scale=2, person="ann", webhook_url=hook, webhook_secret="s")
    entry = desk.orders.place(order)
    assert (State.QUEUED, THIS_MACHINE, "fast", "2x", "ann") == (
        entry.state, entry.provider, entry.network, entry.type, entry.person
    )  # fmt: skip
    assert (source.stored, source.name, PUBLIC, hook) == (
        entry.source, entry.name, entry.image_url, entry.webhook_url
    )  # fmt: skip
    assert "s" == desk.history.webhook_secret(entry.id)
    assert 1 == len(desk.woken)
    assert entry == desk.orders.place(order)


def test_an_entry_names_its_parent_to_its_own_provider_only(desk: Desk) -> None:
    """The provider that made a task is given its id, another one the picture; a secret needs a webhook."""
    source = desk.source(parent_task_id="t-1", index="2", task_at=JOURNEYAPI)
    own = Order(source=source, variant=Variant(JOURNEYAPI, "fast"), scale=2, webhook_secret="s").entry()
    other = Order(source=source, variant=FAST, scale=4, webhook_url="https://h/", webhook_secret="s").entry()
    assert ("t-1", "2", None, "2x", None) == (own.parent_task_id, own.index, own.network, own.type, own.webhook_secret)
    assert (None, None, "fast", "4x", "s") == (
        other.parent_task_id, other.index, other.network, other.type, other.webhook_secret
    )  # fmt: skip
    assert [("t-1", "2")] * 2 == [(entry.came_from, entry.came_from_index) for entry in (own, other)]


def test_the_same_wish_has_the_same_fingerprint(desk: Desk) -> None:
    """The same picture and settings of the same person are one wish, however the picture came in."""
    first, second = desk.source(), desk.source(image_url=PUBLIC)
    base = Order(source=first, variant=FAST, scale=4, person="ann")
    assert first.stored.key != second.stored.key
    assert base.fingerprint == replace(base, source=second).fingerprint
    others = [
        replace(base, source=replace(first, digest="0")),
        replace(base, variant=HOSTED),
        replace(base, scale=2),
        replace(base, variant=DETAIL),
        replace(base, person="bob"),
    ]
    assert 6 == len({each.fingerprint for each in (base, *others)})
    assert 64 == len(base.fingerprint)
    hosted = [replace(base, variant=Variant(JOURNEYAPI, network)).fingerprint for network in ("fast", "detail")]
    assert hosted[0] == hosted[1]


def test_a_pair_is_both_ways_or_none(desk: Desk) -> None:
    """Both halves belong together, a second click adds nothing, and if one half cannot go, neither is queued."""
    pair: Pair = (FAST, DETAIL)
    order = Order(source=desk.source(), variant=FAST, scale=4)
    alone = desk.orders.place(order)
    halves = desk.orders.place_pair(order, pair)
    assert [alone.id] == [halves[0].id]
    assert halves == desk.orders.place_pair(order, pair)
    assert 1 == len({half.batch for half in halves})
    assert ["fast", "detail"] == [half.network for half in halves]
    assert 2 == desk.history.lists.count()
    with pytest.raises(InvalidRequest, match="only on this machine"):
        desk.orders.place_pair(replace(order, person="bob"), (FAST, HOSTED))
    assert 2 == desk.history.lists.count()


def test_a_batch_is_queued_once(desk: Desk) -> None:
    """The same batch id again, as from a double click, changes nothing."""
    orders = [Order(source=desk.source(digest=digest), variant=FAST, scale=4, person="ann") for digest in "ab"]
    for _ in range(2):
        batch = desk.orders.place_batch("b1", orders, name="Two", person="ann")
    assert ("b1", "Two", 2) == (batch.id, batch.name, len(desk.batches.items("b1")))


def test_again_is_the_same_wish_without_its_secret(desk: Desk) -> None:
    """Running again keeps picture, provider, multiplier and webhook, but not the secret, which is no longer stored."""
    first = desk.failed(desk.source(), variant=DETAIL, webhook_url="https://public.example/hook", webhook_secret="s")
    again = desk.orders.place_again(first, person="bob")
    assert first.id != again.id
    assert (first.provider, first.network, first.type, first.webhook_url, "bob") == (
        again.provider, again.network, again.type, again.webhook_url, again.person
    )  # fmt: skip
    assert desk.history.webhook_secret(again.id) is None


HOOKS = ("https://public.example/first", "https://public.example/second")


@pytest.mark.parametrize("before", [None, HOOKS[0]], ids=["none", "another"])
def test_a_webhook_of_a_second_order_is_taken_over_while_that_is_possible(desk: Desk, before: str | None) -> None:
    """The same picture ordered again before it is sent is one entry, with the webhook and the secret given last."""
    order = Order(
        source=desk.source(), variant=FAST, scale=4, webhook_url=before, webhook_secret="old" if before else None
    )
    first = desk.orders.place(order)
    again = desk.orders.place(replace(order, webhook_url=HOOKS[1], webhook_secret="new"))
    assert (first.id, HOOKS[1], again) == (again.id, again.webhook_url, desk.history.get(first.id))
    assert "new" == desk.history.webhook_secret(first.id)
    words = [str(moment.words) for moment in desk.history.timeline(first.id)]
    assert 1 == sum("second order" in each for each in words)
    assert again == desk.orders.place(replace(order, webhook_url=None, webhook_secret=None))
    assert again == desk.orders.place(replace(order, webhook_url=HOOKS[1], webhook_secret=None))
    assert "new" == desk.history.webhook_secret(first.id)


@pytest.mark.parametrize("before", [None, HOOKS[0]], ids=["none", "another"])
@pytest.mark.parametrize("state", [State.SUBMITTING, State.OPEN, State.ARCHIVING])
def test_a_webhook_that_comes_too_late_is_said(desk: Desk, before: str | None, state: State) -> None:
    """Once the call is made, an order with another webhook is refused with a sentence; the same order is not."""
    order = Order(source=desk.source(), variant=FAST, scale=4, webhook_url=before)
    first = desk.orders.place(order)
    for step in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
        desk.history.move(first.id, step)
        if step is state:
            break
    late = replace(order, webhook_url=HOOKS[1])
    for place in (lambda: desk.orders.place(late), lambda: desk.orders.place_pair(late, (FAST, DETAIL))):
        with pytest.raises(InvalidRequest, match=r"was sent without this webhook\. Nothing was ordered"):
            place()
    assert (1, first.id) == (desk.history.lists.count(), desk.orders.place(order).id)
    assert before == desk.history.lists.latest(limit=1)[0].webhook_url


# When the link has expired


EXPIRED = "https://cdn.discordapp.com/attachments/1/2/a.png?ex=650037d1&is=1&hm=2"


def test_an_entry_that_asks_is_answered_by_a_person(desk: Desk) -> None:
    """It runs here from our own copy, in its batch, or is queued again as it is; each answer counts once."""
    order = Order(source=desk.source(image_url=EXPIRED), variant=HOSTED, scale=4, person="ann")
    here, there = (desk.history.add(replace(order.entry(batch="b"), fingerprint=None)) for _ in range(2))
    for entry in (here, there):
        desk.history.move(entry.id, State.ASKING, error="The link expired.")
    assert desk.orders.can_rescue_at(here, THIS_MACHINE)
    new = desk.orders.run_here_instead(here, FAST, person="bob")
    kept = desk.history.get(new.id)
    assert kept is not None
    assert (THIS_MACHINE, here.source, "b", "bob") == (kept.provider, kept.source, kept.batch, kept.person)
    desk.orders.send_all_the_same(there)
    desk.orders.send_all_the_same(here)
    now = [desk.history.get(entry.id) for entry in (here, there)]
    assert [(State.CANCELLED, "The link expired."), (State.QUEUED, None)] == [
        (each.state, each.error) for each in now if each
    ]
    assert 3 == len(desk.woken)


# Without the parent task


def test_only_a_parent_that_failed_at_a_service_is_rescued(desk: Desk) -> None:
    """Only a task with a parent that failed at JourneyAPI without a result can be sent without its parent."""
    failed = desk.failed(desk.source(parent_task_id="t-1", task_at=JOURNEYAPI))
    assert desk.orders.can_rescue(failed)
    for other in (
        replace(failed, state=State.FINISHED),
        replace(failed, state=State.AMBIGUOUS),
        replace(failed, provider=THIS_MACHINE),
        replace(failed, parent_task_id=None),
        replace(failed, result_url=PUBLIC),
        replace(failed, source=None),
    ):
        assert not desk.orders.can_rescue(other)


def test_a_rescue_sends_the_picture_without_its_task(desk: Desk) -> None:
    """Nobody is given the parent's id again; the lineage, the multiplier and the webhook stay."""
    source = desk.source(parent_task_id="t-1", index="2", task_at=JOURNEYAPI, image_url=PUBLIC)
    failed = desk.failed(source, webhook_url="https://public.example/hook")
    for variant in (HOSTED, FAST):
        assert desk.orders.can_rescue_at(failed, variant.provider)
        new = desk.orders.rescue(failed, variant, person="ann@example.com")
        assert (None, None, "t-1", "2") == (new.parent_task_id, new.index, new.came_from, new.came_from_index)
        assert (variant, "4x", "ann@example.com") == (Variant(new.provider, new.network), new.type, new.person)
        assert (source.stored, PUBLIC, failed.webhook_url) == (new.source, new.image_url, new.webhook_url)


def test_an_address_that_others_cannot_reach_is_no_rescue(desk: Desk) -> None:
    """A missing address, or one on this network, is not offered; a name that leads inside is refused at the click."""
    failed = desk.failed(desk.source(parent_task_id="t-1", task_at=JOURNEYAPI))
    for url, offered in ((None, False), ("http://127.0.0.1:8080/a.png", False), ("https://inside.example/a.png", True)):
        there = replace(failed, image_url=url)
        assert offered is desk.orders.can_rescue_at(there, JOURNEYAPI)
        with pytest.raises(InvalidRequest, match="JourneyAPI cannot"):
            desk.orders.rescue(there, HOSTED, person=None)
    desk.orders._offered = [THIS_MACHINE]
    assert not desk.orders.can_rescue_at(replace(failed, image_url=PUBLIC), JOURNEYAPI)


def test_a_public_studio_sends_its_own_copy(public_desk: Desk) -> None:
    """A service that reaches us is sent our own copy, which cannot have expired as the service's address can."""
    source = public_desk.source(parent_task_id="t-1", task_at=JOURNEYAPI, image_url=PUBLIC)
    failed = public_desk.failed(source)
    assert public_desk.orders.rescue(failed, HOSTED, person=None).image_url is None
    public_desk.files.delete(source.stored.key)
    assert not public_desk.orders.can_rescue_at(replace(failed, image_url=None), JOURNEYAPI)


# Two steps


def test_a_way_beyond_4x_is_one_entry_that_says_what_follows(desk: Desk) -> None:
    """8x is 4x, then 2x here; the first entry knows both, and its call stays an ordinary one."""
    order = Order(source=desk.source(), variant=HOSTED, scale=8, then_network="fast", person="ann@example.com")
    new = order.entry()
    assert (JOURNEYAPI, "4x", None, "2x", "fast", 8) == (
        new.provider, new.type, new.network, new.then_type, new.then_network, new.order_scale
    )  # fmt: skip
    whole = replace(order, scale=16).entry()
    assert ("4x", "4x") == (whole.type, whole.then_type)
    single = replace(order, scale=4).entry()
    assert (None, None, "4x") == (single.then_type, single.then_network, single.type)


def test_the_second_step_is_part_of_what_was_ordered(desk: Desk) -> None:
    """The same way is the same order; another multiplier or another second network is another one."""
    order = Order(source=desk.source(), variant=FAST, scale=8, then_network="fast")
    first = desk.orders.place(order)
    assert first.id == desk.orders.place(replace(order)).id
    others = [replace(order, scale=16), replace(order, then_network="detail"), replace(order, scale=4)]
    assert 4 == len({first.id} | {desk.orders.place(other).id for other in others})
    assert order.fingerprint != replace(order, scale=4).fingerprint
    assert replace(order, scale=4).fingerprint == replace(order, scale=4, then_network=None).fingerprint


def test_a_way_that_breaks_a_limit_is_refused(desk: Desk) -> None:
    """Each step is judged before anything is queued, and the sentence names the limit; A/B compares one step."""
    source = desk.source()
    large = replace(source, stored=replace(source.stored, width=300, height=300))
    with pytest.raises(InvalidRequest, match="after the first there would be 1200 × 1200 px"):
        desk.orders.place(Order(source=large, variant=FAST, scale=8))
    with pytest.raises(InvalidRequest, match=r"16x would be 4800 × 4800 px = 23 megapixels; the limit is 16\."):
        desk.orders.place(Order(source=large, variant=FAST, scale=16))
    with pytest.raises(InvalidRequest, match="A/B compares one step"):
        desk.orders.place_pair(Order(source=source, variant=FAST, scale=8), (FAST, DETAIL))
    assert 0 == desk.history.lists.count()


def test_without_an_engine_here_there_is_no_second_step(desk: Desk) -> None:
    """Where only JourneyAPI is set up, one call is all that is offered, and the sentence says why."""
    desk.orders._offered = [JOURNEYAPI]
    assert "whose engine is off" in str(desk.orders.way_problem((64, 48), 8))
    assert desk.orders.way_problem((64, 48), 4) is None
    with pytest.raises(InvalidRequest, match="whose engine is off"):
        desk.orders.place(Order(source=desk.source(image_url=PUBLIC), variant=HOSTED, scale=8))


def test_an_order_of_two_steps_is_repeated_as_a_whole(desk: Desk) -> None:
    """Run again, from either step, orders both; going on queues only the second, and needs the first result."""
    source = desk.source()
    first = desk.orders.place(Order(source=source, variant=FAST, scale=8, then_network="fast"))
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
        desk.history.move(first.id, state, task_id="t-1")
    desk.history.move(first.id, State.FINISHED, result=source.stored, result_key=source.stored.key)
    (second,) = desk.history.lists.related(following=[first.id])
    desk.history.move(second.id, State.CANCELLED)
    again = desk.orders.place_again(second, person=None)
    assert ("4x", "2x", "fast", "fast", None) == (
        again.type, again.then_type, again.network, again.then_network, again.follows
    )  # fmt: skip
    desk.history.move(again.id, State.CANCELLED)
    went_on = desk.orders.go_on(second)
    assert (first.id, "2x", source.stored.key) == (
        went_on.follows, went_on.type, went_on.source and went_on.source.key
    )  # fmt: skip
    with pytest.raises(InvalidRequest, match="no longer stored"):
        desk.orders.go_on(again)


def test_a_picture_that_was_removed_meanwhile_is_not_ordered(desk: Desk) -> None:
    """When a tab comes back after days, an order of the picture that it still shows is refused with what to do."""
    source = desk.source()
    desk.files.delete(source.stored.key)
    with pytest.raises(InvalidRequest, match="no longer stored here, because nobody queued it"):
        desk.orders.place(Order(source=source, variant=FAST, scale=2))
    assert 0 == desk.history.lists.count()
