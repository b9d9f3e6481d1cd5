"""What the Batch page says: the table before anything is spent, and how far a batch has got."""

from __future__ import annotations

from collections.abc import Sequence

from journey.history import Entry, State
from journey.provider import Provider
from journey.studio.batches.rows import SKIP, Choice, Row, Totals
from journey.studio.batches.store import PAUSED_NOTE, Batch, Item, Progress
from journey.studio.batches.tables import Reading
from journey.views import links
from journey.views.pictures import thumbnail_url
from journey.views.ways import WayProblem, enlarged, possible
from journey.views.words import counted, duration, literal, pixels, state_words
from journey.views.words import progress as percent

SECONDS_EACH = 0.7
"""For sending and storing one picture, however small."""

FOR_ALL: dict[str, Choice | None] = {"As suggested": None, "2x": 2, "4x": 4}
CHOICES: dict[str, Choice] = {"16x": 16, "8x": 8, "4x": 4, "2x": 2, "skip": SKIP}
_CHOICE_NAMES = {value: name for name, value in CHOICES.items()}


# Before anything is spent


def reading(meant: Reading) -> str:
    """One way to read a list, as Markdown: `Columns between commas: 12 pictures, the first is https://…`."""
    named = [line for line in meant.lines if line.wanted]
    words = f"{meant.how}: {counted(len(named), 'picture')}"
    if meant.table and meant.table.column is None:
        words = f"{meant.how}, of which you choose one"
    unread = len(meant.lines) - len(named)
    words += f", the first is {named[0].shown}" if named else ""
    return literal(words + (f" ({counted(unread, 'line')} not understood)" if unread else ""))


def totals(table: Totals) -> str:
    """`9 pictures to enlarge · 2 skipped · 1 cannot be used`."""
    parts = [f"{counted(table.runs, 'picture')} to enlarge"]
    parts += [f"{table.skipped:,} skipped"] if table.skipped else []
    parts += [f"{table.problems:,} cannot be used"] if table.problems else []
    parts += [f"{table.looking:,} being looked at"] if table.looking else []
    return " · ".join(parts)


def cells(row: Row, provider: Provider, *, for_paper: bool, way_problem: WayProblem | None = None) -> dict[str, object]:
    """One row of the table, with a column for the paper when there is one."""
    source, plan = row.source, row.plan
    judged = {option.multiplier: option for option in (*plan.options.values(), *plan.further)} if plan else {}
    option = judged.get(row.choice) if row.runs else None
    result = "–"
    if row.result:
        result = pixels(row.result) + (f" · {option.dpi_shown} DPI" if option else "")
    cost = "–"
    if row.runs:
        cost = counted(row.credits(provider), "credit") if provider.is_paid else "free"
        cost += ", then free" if provider.is_paid and row.choice > 4 else ""
    notes = (row.problem, *row.notes) if row.is_looked_at else ("Being looked at.", *row.notes)
    shown: dict[str, object] = {
        "Picture": thumbnail_url(source.stored if source else None),
        "Enlarge": _CHOICE_NAMES[row.choice] if source and row.is_looked_at else None,
        "Name": row.name,
        "Pixels": pixels(source.size if source else None),
    }
    if for_paper:
        shown["On paper"] = (possible(plan, way_problem)[0] if way_problem else plan).verdict if plan else None
    return shown | {"Result": result, "Cost": cost, "Note": " ".join(filter(None, notes))}


def problems(table: Sequence[Row]) -> str | None:
    """The heading over the lines that cannot be used; None when all can."""
    bad = sum(row.problem is not None for row in table)
    if not bad:
        return None
    return f"{counted(bad, 'line')} cannot be used" + (", the others can" if bad < len(table) else "")


def price(credits: int, balance: int | None) -> str:  # noqa: A002  the word that everybody uses for them
    """`18 credits of 240 left`, or `18 credits` while the balance is not known."""
    return counted(credits, "credit") + (f" of {balance:,} left" if balance is not None else "")


def free(total: Totals) -> str:
    """The price where nothing is charged, with how long it takes, as Markdown."""
    seconds = total.seconds + SECONDS_EACH * total.runs
    return f"**Free** · about {duration(seconds)} on this machine" if total.runs else "**Free**"


def second_steps(table: Sequence[Row], total: Totals) -> str | None:
    """What 8x and 16x mean for a paid provider, as Markdown; None when no picture takes two steps."""
    number = sum(row.runs and row.choice > 4 for row in table)
    if not number:
        return None
    each = "its second step runs" if number == 1 else "their second steps run"
    return f"{counted(number, 'picture')} in two steps: {each} on this machine, free, about {duration(total.seconds)}."


def shortfall(
    provider: Provider,
    credits: int,  # noqa: A002  as above
    balance: int | None,
    left_of_month: int | None,
) -> str | None:
    """Why not all can be paid for: the account or the month's budget is too small; None when both are enough."""
    sentences = []
    for left, whose, remedy in (
        (balance, f"Your {provider.label} account has", "until you top it up"),
        (left_of_month, "This month's budget has", "until JOURNEY_MONTHLY_CREDITS is raised or the month is over"),
    ):
        if left is not None and credits > left:
            sentences.append(
                f"{whose} {counted(left, 'credit')} left, enough for {left // provider.credits:,} of the "
                f"{counted(credits // provider.credits, 'picture')}; the others would wait {remedy}."
            )
    return " ".join(sentences) or None


def still_looking(total: Totals) -> str | None:
    """What to say below the button about pictures that it leaves out."""
    if total.looking and total.runs:
        return f"{counted(total.looking, 'picture')} still being looked at will stay here for the next batch."
    if not total.runs and not total.looking:
        return "There is nothing to enlarge: choose a multiplier for a picture."
    return None


# Under way


def progress(now: Progress, left: float | None, *, held: bool) -> str:
    """`19 of 50 finished, about 2 min left`."""
    if now.over:
        return f"{now.finished:,} of {now.total:,} finished"
    words = f"{now.total - now.under_way - now.waiting:,} of {now.total:,} done"
    if held:
        return f"{words}, paused" + (f"; {now.under_way:,} still under way" if now.under_way else "")
    return words + (f", about {duration(left)} left" if left is not None else "")


def states(now: Progress) -> str:
    """`19 finished · 1 failed · 30 waiting`."""
    parts = (
        (now.finished, "finished"),
        (now.under_way, "under way"),
        (now.waiting, "waiting"),
        (now.failed, "failed"),
        (now.undecided, "waiting for your decision"),
        (now.ended, "stopped or cancelled"),
    )
    return " · ".join(f"{number:,} {word}" for number, word in parts if number) or "no pictures"


def item_row(item: Item, batch: Batch, now: float) -> dict[str, object]:
    """One picture of a batch, as its table shows it."""
    entry = item.entry
    note = None if entry.note == PAUSED_NOTE else entry.note
    said = "Paused" if item.waits and batch.held else "Waiting its turn" if item.waits else state_words(entry, now)
    return {
        "Picture": thumbnail_url(entry.shown),
        "Name": entry.name,
        "State": said,
        "Progress": percent(entry),
        "Enlarged": enlarged(entry),
        "Result": pixels(entry.result_size),
        "Download": links.result(entry),
        "Details": links.details(entry),
        "Note": " ".join(filter(None, (entry.error, note, f"Attempt {item.tries}." if item.tries > 1 else ""))),
    }


def elsewhere(batch: Batch) -> str:
    """What to say about pictures that another batch was already enlarging when this one was queued."""
    are = "is" if batch.elsewhere == 1 else "are"
    return (
        f"{counted(batch.elsewhere, 'picture')} {are} already part of another batch, with the same settings, "
        "so nothing was queued twice."
    )


def undecided(items: Sequence[Item]) -> str:
    """What to say about calls that may or may not have been accepted, and about those that ask before they are made."""
    lost = [item.entry for item in items if item.entry.state is State.AMBIGUOUS]
    asking = [item.entry for item in items if item.entry.state is State.ASKING]
    sentences = []
    if lost:
        sentences.append(
            f"For {counted(len(lost), 'picture')}, it is not known whether {_labels(lost)} accepted the call. "
            "Nothing is sent again by itself: open each one to decide."
        )
    if asking:
        sentences.append(
            f"For {counted(len(asking), 'picture')}, the link has expired. Nothing was sent: open each one to decide."
        )
    return " ".join(sentences)


def retry_words(items: Sequence[Item]) -> str:
    """The label of the button that queues failed pictures again, with the price."""
    failed = [item.entry for item in items if item.entry.state is State.FAILED]
    paid = sum(entry.provider.credits for entry in failed)
    cost = counted(paid, "more credit") if paid else "free"
    return f"Try {counted(len(failed), 'failed picture')} again · {cost}"


def stop_words(items: Sequence[Item]) -> str:
    """What stopping a batch will do."""
    queued = sum(item.entry.state is State.QUEUED for item in items)
    running = [item.entry for item in items if item.entry.state is State.OPEN]
    here = [entry for entry in running if entry.provider.can_cancel]
    sentences = []
    if queued:
        sentences.append(f"{counted(queued, 'picture')} not sent yet will be cancelled.")
    if here:
        sentences.append(f"{counted(len(here), 'picture')} being enlarged here will be stopped.")
    if elsewhere := [entry for entry in running if not entry.provider.can_cancel]:
        sentences.append(_paid_for(elsewhere))
    return "Stop this batch? " + " ".join(sentences)


def _paid_for(running: Sequence[Entry]) -> str:
    number = len(running)
    spent = sum(entry.provider.credits for entry in running)
    them = "it is" if number == 1 else "they are"
    return (
        f"{_labels(running)} cannot stop the {counted(number, 'picture')} that it is working on: {them} paid for "
        f"({counted(spent, 'credit')}) and would no longer be watched."
    )


def _labels(entries: Sequence[Entry]) -> str:
    """Who works on these entries."""
    return " and ".join(dict.fromkeys(entry.provider.label for entry in entries))
