"""The command `journey`, put together. What ends with 0 has done everything, with 1 not all, with 2 nothing."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

import click

from journey.commands.doctor import doctor
from journey.commands.networks import networks
from journey.commands.plan import plan
from journey.commands.print_file import print_file
from journey.commands.serving import completion, engine, serve
from journey.commands.tasks import account, fetch
from journey.commands.upscale import upscale
from journey.errors import CannotStart, DatabaseAway, InvalidRequest, JourneyError

STOPPED = 130
"""What a shell expects of a program that was ended by Ctrl-C."""


def _version() -> str:
    try:
        return version("journey-print-studio")
    except PackageNotFoundError:
        return "not installed"


@click.group(
    commands=[upscale, plan, print_file, fetch, account, networks, serve, engine, doctor, completion],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(_version(), prog_name="journey")
def journey() -> None:
    """Upscale pictures with AI, and know how large they print.

    Everything runs on this machine and is free, unless you say --engine journeyapi.
    """


def main() -> None:
    """Run the command, and turn every expected error into one line and an exit status."""
    try:
        status = journey.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        # Where Ctrl-C fell into text that was being run, as in the making of a dataclass, `python -m` would end by the
        # signal in spite of the status. Running another text makes it forget that.
        exec("")  # noqa: S102
        sys.exit(STOPPED)
    except (CannotStart, InvalidRequest, ValueError) as error:
        sys.exit(_refused(error, 2))
    except (JourneyError, DatabaseAway, OSError) as error:
        sys.exit(_refused(error, 1))
    sys.exit(status or 0)


def _refused(error: Exception, status: int) -> int:
    words = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    click.echo(f"journey: {words}", err=True)
    return status
