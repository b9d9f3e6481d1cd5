"""`journey engine --emulate`: the stand-in as a server of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from journey.errors import CannotStart
from journey.testing.named_faults import table
from journey.testing.stand_in import StandIn
from journey.testing.tasks import GRID_ID


def run(*, port: int, seed: int, speed: float, credits: int, say: Callable[[str], object]) -> None:  # noqa: A002 - the word of the wire
    """Serve on this machine until Ctrl-C, and `say` line by line how to use it. Raises CannotStart."""
    api = StandIn(port=port, seed=seed, speed=speed, credits=credits)
    try:
        api.start()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "there is no such port"
        raise CannotStart(f"It cannot listen at port {port}: {reason}. Choose another with --port.") from error
    for line in greeting(api):
        say(line)
    with suppress(KeyboardInterrupt):
        while not api.closing.wait(0.5):  # without a limit, Ctrl-C would not be heard on Windows
            pass
    api.stop()


def greeting(api: StandIn) -> list[str]:
    """Where it is, with which key, and what can be asked of it."""
    width = max(len(words) for words, _ in table())
    return [
        f"The stand-in for JourneyAPI listens at {api.url}",
        f"Its key is {api.key}, its credits are {api.credits}; nothing here costs anything.",
        f"A picture to try with: {api.picture_url()}, a finished grid: {GRID_ID}",
        "",
        "Faults, by the header X-Journey-Fault or as the API key (with dashes for spaces):",
        *(f"  {words:<{width}}  {does}" for words, does in table()),
        "Before the words may stand the call that is meant instead of an order, as in fetch: hang",
    ]
