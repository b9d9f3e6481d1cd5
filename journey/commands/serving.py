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
def engine(host: str, port: int) -> None:
    """Start the embedded engine without pages: JourneyAPI's wire, on this machine and free."""
    from journey.engine.__main__ import run

    run(host, port)


@click.command(short_help="Print the completion for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete the command: eval "$(journey completion bash)"."""
    from click.shell_completion import get_completion_class

    from journey.commands.main import journey

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101  all three are click's own
    click.echo(made(journey, {}, "journey", "_JOURNEY_COMPLETE").source())
