"""The one way to order an upscale, whether it comes from a page, a batch, an A/B pair or a second try.

An order is judged and becomes an entry in the history, state `queued`; then the tracker is woken. Nothing is sent here,
and nothing is spent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from journey.api.models import secret_problem
from journey.errors import InvalidRequest, JourneyError
from journey.history import Entry, History, NewEntry, State
from journey.history.joining import can_take_webhook
from journey.history.kinship import Pair, Variant, pair_id, variant_of
from journey.history.states import MEANT
from journey.outside.addresses import as_sent
from journey.outside.door import Door
from journey.outside.pasted import cleaned
from journey.pictures.checking import Limits
from journey.printing import STEPS
from journey.provider import HERE, Provider
from journey.storage.files import Files
from journey.storage.stored import Origins
from journey.studio.batches.store import Batch, Batches
from journey.studio.intake import Intake, Source


@dataclass(frozen=True)
class Offer:
    """A provider that is set up here. `problem` says why nothing is sent to it now, or is None."""

    provider: Provider
    problem: str | None = None

    @property
    def is_ready(self) -> bool:
        return self.problem is None


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted: this picture, enlarged in this way, by this multiplier, for this person.

    Multipliers beyond 4 take two steps. `variant` is the way of the first; the second runs here, with `then_network` or
    the default one.
    """

    source: Source
    variant: Variant
    scale: int
    then_network: str | None = None
    person: str | None = None
    webhook_url: str | None = None
    webhook_secret: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same picture, settings and person."""
        wish: tuple[object, ...] = (
            self.source.digest,
            str(self.variant.provider),
            self.scale,
            self._network,
            self.person,
        )
        if len(self.steps) > 1:
            wish += (self.then_network,)
        return hashlib.sha256(repr(wish).encode()).hexdigest()

    @property
    def steps(self) -> tuple[Literal[2, 4], ...]:
        """The upscales that lead to the multiplier, in order."""
        return STEPS[self.scale]

    @property
    def _network(self) -> str | None:
        return self.variant.network if self.variant.provider.has_networks else None

    def entry(self, *, batch: str | None = None) -> NewEntry:
        """The order as an entry. A parent task is named only to the provider that made it; others get the picture."""
        source, provider = self.source, self.variant.provider
        first, *following = self.steps
        names_parent = source.parent_task_id is not None and source.task_at == provider
        return NewEntry(
            provider=provider,
            type=_TYPES[first],
            name=source.name,
            fingerprint=self.fingerprint,
            network=self._network,
            person=self.person,
            image_url=source.image_url,
            parent_task_id=source.parent_task_id if names_parent else None,
            index=source.index if names_parent else None,
            source=source.stored,
            webhook_url=as_sent(cleaned(self.webhook_url)) if self.webhook_url else None,
            webhook_secret=(self.webhook_secret or None) if self.webhook_url else None,
            batch=batch,
            came_from=source.parent_task_id,
            came_from_index=source.index,
            then_type=_TYPES[following[0]] if following else None,
            then_network=self.then_network if following else None,
        )


_TYPES: Mapping[int, Literal["2x", "4x"]] = {2: "2x", 4: "4x"}


class Orders:
    """Places orders. `offered` are the providers that are set up here, and `wake` makes the tracker look at once.

    Methods that place an order may raise a JourneyError (mostly InvalidRequest), whose message is a sentence for the
    person. Then nothing is queued.
    """

    def __init__(
        self,
        history: History,
        batches: Batches,
        intake: Intake,
        files: Files,
        door: Door,
        *,
        limits: Limits,
        origins: Origins,
        offered: Collection[Provider],
        wake: Callable[[], object],
    ) -> None:
        self._history = history
        self._batches = batches
        self._intake = intake
        self._files = files
        self._door = door
        self._outside = Door()
        self._limits = limits
        self._origins = origins
        self._offered = offered
        self._wake = wake

    # Judging

    def problem(self, source: Source, *, provider: Provider, scale: int) -> str | None:
        """Why this picture cannot be sent to this provider at this multiplier, or None. May resolve a name (3 s)."""
        if problem := self.way_problem(source.size, scale):
            return problem
        if provider.is_here or (source.parent_task_id and source.task_at == provider):
            return None
        if source.image_url is None:
            return self.upload_problem(provider)
        try:
            self._door.reachable_by_others(source.image_url)
        except JourneyError as error:
            return f"{provider.label} cannot use this address: {error} Or use this machine."
        return None

    def way_problem(self, size: tuple[int, int], scale: int) -> str | None:
        """Why a picture of this size in pixels cannot be enlarged by this multiplier here, wherever that begins."""
        steps = STEPS[scale]
        if len(steps) > 1 and HERE not in self._offered:
            return (
                f"{scale}x takes two steps, and the second runs on this machine, whose engine is off. Choose 2x or 4x."
            )
        return self._limits.problem(*size, *steps)

    def upload_problem(self, provider: Provider) -> str | None:
        """Why a picture that is only here cannot be sent to this provider, and what to do; None when it can."""
        if self._origins.for_provider(provider) is not None:
            return None
        return (
            f"{provider.label} cannot reach a picture that is only on this machine, such as an upload. "
            "Use this machine, give a public image URL, or set JOURNEY_PUBLIC_URL."
        )

    def check(self, order: Order) -> None:
        """Raises InvalidRequest when the order cannot be carried out."""
        provider = order.variant.provider
        if provider not in self._offered:
            raise InvalidRequest(f"{provider.label} is not set up here. Choose another provider.")
        if not self._files.has(order.source.stored.key, order.source.stored.file):
            raise InvalidRequest("This picture is no longer stored here, because nobody queued it. Choose it again.")
        if problem := self.problem(order.source, provider=provider, scale=order.scale):
            raise InvalidRequest(problem)
        if order.webhook_url:
            self._check_webhook(cleaned(order.webhook_url), order.webhook_secret)
            if known := self._history.twin_of(order.fingerprint):
                _check_told(order, known)

    def _check_webhook(self, url: str, secret: str | None) -> None:
        try:
            self._door.check(url, https_only=True)
        except InvalidRequest as error:
            raise InvalidRequest(f"Webhook: {error}") from error
        if secret and (problem := secret_problem(secret)):
            raise InvalidRequest(f"Webhook: the secret {problem}.")

    # Placing

    def place(self, order: Order) -> Entry:
        """Queue one order. If the same one is already under way, or only seconds old, its entry is returned instead.

        That entry takes over the order's webhook; when it is too late for that, the order is refused.
        """
        self.check(order)
        entry = self._history.add(order.entry())
        self._wake()
        _check_told(order, entry)
        return entry

    def place_pair(self, order: Order, pair: Pair) -> list[Entry]:
        """Queue both halves of an A/B pair. A half that is already under way joins it, unless it belongs to a batch."""
        if len(order.steps) > 1:
            raise InvalidRequest("A/B compares one step. Choose 2x or 4x for it.")
        batch = pair_id(order.source.digest, order.scale, pair, order.person)
        halves = [replace(order, variant=variant) for variant in pair]
        for half in halves:
            self.check(half)
        queued = [self._history.add(half.entry(batch=batch)) for half in halves]
        for half, entry in zip(halves, queued, strict=True):
            _check_told(half, entry)
        for entry in queued:
            if entry.batch is None:
                self._history.join(entry.id, batch)
        self._wake()
        return [replace(entry, batch=entry.batch or batch) for entry in queued]

    def place_batch(self, batch_id: str, orders: Sequence[Order], *, name: str, person: str | None) -> Batch:
        """Queue all these orders as one batch, or none. They are not judged again: the table of the batch has done so.

        The same id a second time changes nothing: a double click queues once.
        """
        batch = self._batches.queue(batch_id, [order.entry() for order in orders], name=name, person=person)
        self._wake()
        return batch

    def place_again(self, entry: Entry, *, person: str | None) -> Entry:
        """Order the same picture with the same settings once more: all of an order, if it has two steps.

        A webhook's secret is not kept, so none is sent.
        """
        first = self._history.beginning(entry)
        return self.place(
            Order(
                source=self._intake.from_entry(first),
                variant=variant_of(first),
                scale=first.order_scale,
                then_network=first.then_network,
                person=person,
                webhook_url=first.webhook_url,
            )
        )

    def go_on(self, entry: Entry) -> Entry:
        """Queue the second step of an order again, whose first is finished. Nothing is paid twice.

        `entry` is either step. What is under way or finished already is returned as it is. Raises InvalidRequest.
        """
        first = self._history.beginning(entry)
        queued = self._history.go_on(first.id)
        if queued is None:
            raise InvalidRequest("The result of the first step is no longer stored. Order the picture again.")
        self._wake()
        return queued

    # When the link has expired

    def send_all_the_same(self, entry: Entry) -> None:
        """Send an entry that asked a person first."""
        self._history.move(entry.id, State.QUEUED, only_from=State.ASKING, words=MEANT, error=None)
        self._wake()

    def run_here_instead(self, entry: Entry, variant: Variant, *, person: str | None) -> Entry:
        """Order what this entry asks about on this machine, from our own copy, and cancel the entry."""
        queued = self.rescue(entry, variant, person=person)
        self._history.move(entry.id, State.CANCELLED, only_from=State.ASKING, words="It runs on this machine instead.")
        if entry.batch:
            self._history.join(queued.id, entry.batch)
        return queued

    # Without the parent task

    def can_rescue(self, entry: Entry) -> bool:
        """True when a provider elsewhere could not work with its parent task, and the picture is known here."""
        failed_there = entry.state is State.FAILED and not entry.provider.is_here and entry.result_url is None
        return failed_there and entry.parent_task_id is not None and entry.source is not None

    def can_rescue_at(self, entry: Entry, provider: Provider) -> bool:
        """True when this provider can be given the picture of this entry. An address is judged by its form alone."""
        if provider not in self._offered:
            return False
        own = entry.source and self._files.has(entry.source.key, entry.source.file)
        if provider.is_here or (own and self._origins.for_provider(provider)):
            return True
        try:
            self._outside.check(entry.image_url or "")
        except InvalidRequest:
            return False
        return True

    def rescue(self, entry: Entry, variant: Variant, *, person: str | None) -> Entry:
        """Order the same without the parent task: a provider elsewhere gets an address, this machine our copy.

        The new entry still says where the picture came from. May resolve a name (up to 3 s).
        """
        source = replace(self._intake.from_entry(entry), task_at=None)
        if self._origins.public:
            source = replace(source, image_url=None)  # our copy cannot have expired; a provider's address may
        return self.place(
            Order(
                source=source,
                variant=variant,
                scale=entry.order_scale,
                then_network=entry.then_network,
                person=person,
                webhook_url=entry.webhook_url,
            )
        )


def _check_told(order: Order, entry: Entry) -> None:
    """Raises InvalidRequest when this entry stands for the order, and was sent without its webhook."""
    url = order.entry().webhook_url
    if url and url != entry.webhook_url and not can_take_webhook(entry):
        raise InvalidRequest(
            "Webhook: this picture is under way with these settings already, and was sent without this webhook. "
            "Nothing was ordered. Order it again when it has ended, or leave the webhook empty and watch it here."
        )
