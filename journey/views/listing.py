"""Which tasks a list shows, and the address that says so: `?q=koi&state=failed&sort=name&page=2`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from journey import printing
from journey.history import LIVE, OVER, SEARCH_LIMIT, UNDECIDED, Entry, Filter, Found, Order, State
from journey.printing import inputs as print_inputs
from journey.printing.numbers import ascii_digits
from journey.provider import PROVIDERS, Provider
from journey.storage.disk_use import Room
from journey.views.pictures import thumbnail_url
from journey.views.ways import enlarged
from journey.views.words import counted, file_size, moment, pixels, print_size, progress, state_words, took, zone

GROUPS: dict[str, tuple[str, frozenset[State]]] = {
    "under-way": ("Under way", LIVE),
    "needs-you": ("Needs you", UNDECIDED),
    "finished": ("Finished", frozenset({State.FINISHED})),
    "failed": ("Failed", frozenset({State.FAILED})),
    "ended": ("Ended by a person", OVER - {State.FINISHED, State.FAILED}),
}
"""The states as people think of them, by the word in the address."""

ORDERS: dict[Order, str] = {
    Order.NEWEST: "Newest first",
    Order.OLDEST: "Oldest first",
    Order.LARGEST: "Largest result first",
    Order.NAME: "By name",
    Order.DEAREST: "Most expensive first",
    Order.LONGEST: "Slowest first",
}
USUAL_DPI = "300"
FIRST_DAY, LAST_DAY = datetime.date(2000, 1, 1), datetime.date(2099, 12, 31)
_WORD_LIMIT = 320


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What is looked for, as people enter it. `dpi` belongs to `paper`; both days are included."""

    text: str = ""
    groups: tuple[str, ...] = ()
    provider: Provider | None = None
    multiplier: str | None = None
    person: str | None = None
    tag: str | None = None
    batch: str | None = None
    paper: str | None = None
    dpi: str = USUAL_DPI
    since: datetime.date | None = None
    until: datetime.date | None = None
    order: Order = Order.NEWEST
    page: int = 1

    def address(self) -> dict[str, str]:
        """The parameters of the address; defaults are left out."""
        said = {
            "q": self.text,
            "state": ",".join(self.groups),
            "engine": self.provider and self.provider.name,
            "scale": self.multiplier,
            "person": self.person,
            "tag": self.tag,
            "batch": self.batch,
            "ready": self.paper,
            "at": self.dpi if self.paper and self.dpi != USUAL_DPI else None,
            "from": self.since and self.since.isoformat(),
            "to": self.until and self.until.isoformat(),
            "sort": None if self.order is Order.NEWEST else self.order.value,
            "page": None if self.page == 1 else str(self.page),
        }
        return {name: value for name, value in said.items() if value}

    @property
    def filters(self) -> int:
        """How many filters are set; the search does not count."""
        without = replace(self, text="", order=Order.NEWEST, page=1)
        return len(without.address().keys() - {"at"})

    @property
    def leaves_out(self) -> bool:
        """True when a search or a filter may leave tasks out."""
        return bool(self.text or self.filters)

    def filter(self, timezone: str | None) -> Filter:
        """For `Lists.search`; days begin at midnight in that time zone. Raises ValueError for an invalid DPI."""
        return Filter(
            text=self.text,
            states=frozenset[State]().union(*(GROUPS[group][1] for group in self.groups)),
            provider=self.provider,
            type=None if self.multiplier is None else "2x" if self.multiplier == "2x" else "4x",
            person=self.person,
            tag=self.tag,
            batch=self.batch,
            fills=_pixels(self.paper, self.dpi) if self.paper else None,
            since=_midnight(self.since, timezone) if self.since else None,
            until=_midnight(self.until + datetime.timedelta(days=1), timezone) if self.until else None,
        )


PARAMETERS = frozenset(
    {"q", "state", "engine", "scale", "person", "tag", "batch", "ready", "at", "from", "to", "sort"}
) | {"page"}
"""The parameters of an address that belong to the list."""


def from_address(parameters: Mapping[str, str]) -> tuple[Listing, list[str]]:
    """The listing that an address asks for, and a sentence about each part of it that makes no sense."""
    said = {name: value.strip()[:_WORD_LIMIT] for name, value in parameters.items() if name in PARAMETERS}
    said |= {name: ascii_digits(said[name]) for name in ("scale", "ready", "from", "to", "page") if name in said}
    problems: list[str] = []

    def choose(name: str, known: Mapping[str, str]) -> str | None:
        value = said.get(name)
        found = known.get((value or "").lower())
        if value and found is None:
            problems.append(
                f"The address asks for {_KINDS[name]} “{value[:40]}”, which does not exist, so it is ignored."
            )
        return found

    def day(name: str) -> datetime.date | None:
        value = said.get(name)
        if not value:
            return None
        try:
            found = datetime.date.fromisoformat(value)
        except ValueError:
            found = None
        if found is None or not FIRST_DAY <= found <= LAST_DAY:
            problems.append(f"“{value[:40]}” in the address is not a date such as 2026-11-22, so it is ignored.")
            return None
        return found

    groups = {group for each in said.get("state", "").split(",") if (group := each.strip().lower())}
    problems += [
        f"The address asks for the state “{group[:40]}”, which does not exist, so it is ignored."
        for group in sorted(groups - GROUPS.keys())
    ]
    provider = choose("engine", {name: name for name in PROVIDERS})
    order = choose("sort", {each.value: each.value for each in Order})
    page = said.get("page", "1")
    return Listing(
        text=said.get("q", "")[:SEARCH_LIMIT],
        groups=tuple(group for group in GROUPS if group in groups),
        provider=PROVIDERS[provider] if provider else None,
        multiplier=choose("scale", {"2x": "2x", "4x": "4x", "2": "2x", "4": "4x"}),
        person=said.get("person") or None,
        tag=said.get("tag") or None,
        batch=said.get("batch") or None,
        paper=choose("ready", {name.lower(): name for name in printing.PAPERS}),
        dpi=said.get("at", "")[:20] or USUAL_DPI,
        since=day("from"),
        until=day("to"),
        order=Order(order) if order else Order.NEWEST,
        page=int(page) if page.isdecimal() and len(page) < 7 and int(page) > 0 else 1,
    ), problems


_KINDS = {"engine": "the provider", "sort": "the order", "scale": "the multiplier", "ready": "the paper"}


def _pixels(paper: str, dpi: str) -> tuple[int, int]:
    across, down = printing.pixels_needed(printing.PAPERS[paper], print_inputs.dpi(dpi))
    return across - printing.TOLERANCE_PX, down - printing.TOLERANCE_PX


def _midnight(day: datetime.date, timezone: str | None) -> float:
    return datetime.datetime.combine(day, datetime.time(), zone(timezone)).timestamp()


def row(entry: Entry, tags: Sequence[str], timezone: str | None, now: float) -> dict[str, object]:
    """One task, as the table of History shows it."""
    return {
        "Picture": thumbnail_url(entry.shown),
        "Name": entry.name,
        "State": state_words(entry, now),
        "Progress": progress(entry),
        "Tags": list(tags),
        "Enlarged": enlarged(entry),
        "After": pixels(entry.result_size),
        "Prints at 300 DPI": print_size(entry.result_size),
        "Provider": entry.provider.label,
        "Network": entry.enlarged_by,
        "Credits": entry.credits,
        "Took": took(entry),
        "Who": entry.person,
        "When": moment(entry.created_at, timezone),
        "Before": pixels(entry.source_size),
        "Comment": entry.comment,
    }


def room_words(
    results: int, room: Room | None, counted_at: float | None, timezone: str | None, keep_days: int | None
) -> str:
    """How much room the pictures take (`results` in bytes), and how long they are kept."""
    told = [f"Stored results: {file_size(results)}."]
    if room is not None:
        told.append(
            f"All files, with previews: {file_size(room.in_all)}, counted {moment(counted_at, timezone)}; "
            f"{file_size(room.results)} of them for results and {file_size(room.sources)} for originals."
        )
        if room.looks:
            told.append(
                f"{file_size(room.looks)} are print files and pictures that nobody has queued, which go after a day."
            )
    if keep_days:
        told.append(
            f"Results are removed {counted(keep_days, 'day')} after they are finished, unless another task enlarges "
            "them; their tasks stay here."
        )
    return " ".join(told)


def matches(found: Found, total: int, *, leaves_out: bool) -> str:
    """How many of all tasks match, `3 of 20 tasks`; with a limit where nobody has counted further."""
    if not leaves_out:
        return counted(total, "task")
    return f"{'more than ' if found.is_more else ''}{found.total:,} of {counted(total, 'task')}"


def where_it_looked(found: Found) -> str | None:
    """A sentence when a search did not look at all tasks."""
    if found.newest is None:
        return None
    return f"One or two letters are looked for in the newest {found.newest:,} tasks; a longer word in all of them."


def nothing_matches(total: int) -> str:
    """What to say when none of the tasks that there are is listed."""
    return "The only task does not match." if total == 1 else f"None of the {total:,} tasks matches."
