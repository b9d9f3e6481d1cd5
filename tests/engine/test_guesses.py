"""Guesses of a key, at the speed of people rather than of programs."""

from __future__ import annotations

import asyncio

from journey.engine.guesses import FREE_A_MINUTE, PAUSE_SECONDS, WAITING_LIMIT, Guesses
from tests.harness.standing import Clock, outcome


def test_a_few_wrong_keys_are_answered_at_once_and_more_are_not() -> None:
    """Who mistypes does not wait; who tries many waits for each, and a minute later all is as before."""
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    guesses = Guesses(clock=clock, sleep=sleep)
    for _ in range(FREE_A_MINUTE):
        assert outcome(guesses.note())
    assert [] == clock.pauses
    assert outcome(guesses.note())
    assert [PAUSE_SECONDS] == clock.pauses
    clock.now += 61
    assert outcome(guesses.note())
    assert [PAUSE_SECONDS] == clock.pauses


def test_guessers_cannot_fill_the_server() -> None:
    """So many guesses wait for their answer; all others are sent away at once."""

    async def crowd() -> list[bool]:
        woken = asyncio.Event()

        async def sleep(_: float) -> None:
            await woken.wait()

        guesses = Guesses(clock=Clock(), sleep=sleep)
        tasks = [asyncio.create_task(guesses.note()) for _ in range(FREE_A_MINUTE + WAITING_LIMIT + 100)]
        await asyncio.sleep(0)
        assert FREE_A_MINUTE + 100 == sum(task.done() for task in tasks)
        woken.set()
        return list(await asyncio.gather(*tasks))

    assert 100 == outcome(crowd()).count(False)
