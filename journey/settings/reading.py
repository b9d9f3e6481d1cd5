"""From the environment and `.env` to settings, or to a sentence that says what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from journey.errors import CannotStart, InvalidRequest
from journey.outside.proxies import proxy_for
from journey.settings.env_file import values_in
from journey.settings.model import PREFIX, Settings


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment and `.env`; the environment wins, and an empty value counts as none.

    Raises CannotStart naming every setting that is wrong or unknown, and every line of the file that cannot be
    understood. A value is never repeated: it may be a secret.
    """
    environment = {name.upper(): value for name, value in os.environ.items()}
    in_file = {name.upper(): value for name, value in values_in(env_file, os.environ).items()}
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in {**in_file, **_unquoted(environment)}.items()
        if name.startswith(PREFIX)
    }
    if unknown := sorted(PREFIX + name.upper() for name in set(given) - set(Settings.model_fields)):
        known = sorted(PREFIX + name.upper() for name in Settings.model_fields)
        raise CannotStart(f"{', '.join(unknown)}: there is no such setting. Known settings: {', '.join(known)}.")
    try:
        settings = Settings.model_validate({name: value for name, value in given.items() if value})
    except ValidationError as error:
        raise CannotStart(" ".join(_sentence(problem["loc"], problem["msg"]) for problem in error.errors())) from None
    try:
        if settings.api_key:
            proxy_for(settings.api_url)
    except InvalidRequest as error:
        raise CannotStart(f"{error}, or be left out.") from None
    return settings


def _unquoted(environment: dict[str, str]) -> dict[str, str]:
    """Our part of the environment, without the quotes and line ends that `docker run --env-file` leaves in it."""
    values = {}
    for name, text in environment.items():
        if name.startswith(PREFIX):
            value = text.strip()
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            values[name] = value[1:-1] if is_quoted else value
            if not is_quoted and value.strip("\"'") != value:
                reason = "has a quote at one end only; write the value without quotes"
                raise CannotStart(_sentence((name.removeprefix(PREFIX).lower(),), reason))
    return values


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    reason = message.removeprefix("Value error, ")
    if not location:
        return f"{reason}."
    name = str(location[0])
    meaning = Settings.model_fields[name].description if name in Settings.model_fields else ""
    return f"{PREFIX}{name.upper()}: {reason}. ({meaning})"
