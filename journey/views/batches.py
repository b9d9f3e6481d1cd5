"""Sentences and numbers about a batch as people read them. Pure functions."""

from __future__ import annotations

from journey.api.models import CREDITS_PER_UPSCALE
from journey.studio.batches.rows import Totals
from journey.studio.batches.store import Progress
from journey.views.words import counted, duration


def totals(table: Totals) -> str:
    """`9 pictures to enlarge · 2 skipped · 1 cannot be used`."""
    parts = [f"{counted(table.runs, 'picture')} to enlarge"]
    parts += [f"{table.skipped:,} skipped"] if table.skipped else []
    parts += [f"{table.problems:,} cannot be used"] if table.problems else []
    parts += [f"{table.looking:,} being looked at"] if table.looking else []
    return " · ".join(parts)


def price(credits: int, balance: int | None) -> str:  # noqa: A002  the word that everybody uses for them
    """`18 credits of 240 left`, or `18 credits` while the balance is not known."""
    return f"{credits:,} credits" + (f" of {balance:,} left" if balance is not None else "")


def shortfall(credits: int, balance: int | None, left_of_month: int | None) -> str | None:  # noqa: A002  as above
    """What is wrong with that price: an account or a month's budget that is too small for all; None when it is fine."""
    sentences = []
    for left, whose, remedy in (
        (balance, "Your JourneyAPI account has", "until you top it up"),
        (left_of_month, "This month's budget has", "until JOURNEY_MONTHLY_CREDITS is raised or the month is over"),
    ):
        if left is not None and credits > left:
            sentences.append(
                f"{whose} {left:,} credits left, enough for {left // CREDITS_PER_UPSCALE:,} of the "
                f"{counted(credits // CREDITS_PER_UPSCALE, 'picture')}; the others would wait {remedy}."
            )
    return " ".join(sentences) or None


def progress(now: Progress, left: float | None, *, held: bool) -> str:
    """`19 of 50 finished, about 2 min left`."""
    if now.over:
        return f"{now.finished:,} of {now.total:,} finished"
    words = f"{now.total - now.under_way - now.waiting:,} of {now.total:,} done"
    if held:
        return f"{words}, paused" + (f" while {now.under_way:,} are still under way" if now.under_way else "")
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
