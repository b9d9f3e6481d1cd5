"""`journey serve`, `journey engine` and `journey completion`: what runs until it is stopped, and help for shells."""

from __future__ import annotations

import click


@click.command(short_help="Start the studio in a browser.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8501, show_default=True, help="Port to listen at.")
def serve(host: str, port: int) -> None:
    """Start the studio: all pages, and the embedded engine under /api/v1."""
    from journey.commands.studio import run

    run(host, port)


@click.command(short_help="Start the embedded JourneyAPI alone.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8502, show_default=True, help="Port to listen at, 0 for any.")
@click.option("--emulate", is_flag=True, help="Start a stand-in for the hosted JourneyAPI instead, for tests.")
@click.option("--seed", type=int, help="With --emulate: fixes ids and times.  [default: 0]")
@click.option(
    "--speed", type=click.FloatRange(min=0.01, max=10_000), help="With --emulate: pace of time.  [default: 1]"
)
@click.option("--credits", type=click.IntRange(min=0), help="With --emulate: what is on the account.  [default: 12000]")
def engine(
    host: str,
    port: int,
    emulate: bool,
    seed: int | None,
    speed: float | None,
    credits: int | None,  # noqa: A002 - the word of the wire
) -> None:
    """Start the embedded engine without pages: JourneyAPI's wire, on this machine and free.

    With --emulate it is a stand-in for the hosted JourneyAPI: an account whose credits count down, results that are
    enlarged without a network, and faults that a program can ask for.
    """
    if not emulate:
        if (seed, speed, credits) != (None, None, None):
            raise click.UsageError("--seed, --speed and --credits belong to --emulate.")
        from journey.engine.__main__ import run

        run(host, port)
        return
    if host not in ("127.0.0.1", "localhost"):
        raise click.UsageError("--emulate listens at 127.0.0.1 only: leave --host out.")
    from journey.testing import emulator

    emulator.run(
        port=port,
        seed=seed or 0,
        speed=speed or 1.0,
        credits=12_000 if credits is None else credits,
        say=click.echo,
    )


@click.command(short_help="Print the completion for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete the command: eval "$(journey completion bash)"."""
    from click.shell_completion import get_completion_class

    from journey.commands.main import journey

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101  all three are click's own
    click.echo(made(journey, {}, "journey", "_JOURNEY_COMPLETE").source())
