"""What a tab keeps of what was entered in it: words and choices by the names under which pages know them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ValidationError

from journey.studio.kept import KeptPicture
from journey.views.planner import FIELDS

SECRETS = ("webhook_secret",)
"""Kept as long as the page is open, and never stored by the browser."""

_UPSCALE: Mapping[str, type] = {
    **dict.fromkeys(("way", "image_url", "task_id", "provider", "network", "then_network", "pair"), str),
    **dict.fromkeys(("webhook_url", *SECRETS, "for_paper", "for_turn", "for_fit", "for_dpi"), str),
    **dict.fromkeys(("scale", "strength"), int),
    "for_bleed": float,
    "trying": bool,
}
_BATCH: Mapping[str, type] = dict.fromkeys(
    (
        *("batch_text", "batch_name", "batch_paper", "batch_turn", "batch_fit", "batch_dpi", "batch_all"),
        *("batch_provider", "batch_network"),
    ),
    str,
)
_PLANNER: Mapping[str, type] = dict.fromkeys(tuple(f"print_{name}" for name in (*FIELDS, "family")), str)
_COMPARE: Mapping[str, type] = {"compare_dpi": int, "compare_screen": float}
NAMES: Mapping[str, type] = {**_UPSCALE, **_BATCH, **_PLANNER, **_COMPARE}
"""Of the inputs, and what each holds."""


def entered(session: Mapping[str, object]) -> dict[str, object]:
    """What a session holds of them, as JSON."""
    return {name: session[name] for name in NAMES if name in session and _fits(name, session[name])}


def _fits(name: str, value: object) -> bool:
    kind, field = NAMES[name], FIELDS.get(name.removeprefix("print_")) if name.startswith("print_") else None
    if field and field.choices and value not in field.choices:
        return False
    return isinstance(value, (int, float) if kind is float else kind) and (kind is bool or not isinstance(value, bool))


def _only_known(words: object) -> object:
    return entered(words) if isinstance(words, dict) else {}


class Looked(BaseModel):
    """A picture in a form, and by which way and words it came there."""

    picture: KeptPicture
    way: str
    words: str | None = None


class File(BaseModel):
    """A file that was dropped. Without a picture, nothing of it is stored here."""

    name: str
    picture: KeptPicture | None = None


class Kept(BaseModel):
    """All that a tab keeps."""

    words: Annotated[dict[str, str | int | float | bool], BeforeValidator(_only_known)] = {}
    paper: tuple[float, float, str] | None = None
    """A custom paper of Upscale: width, height, unit."""
    upscale: Looked | None = None
    planner: Looked | None = None
    files: list[File] = []
    """Those of Batch, in order."""
    choices: dict[str, int] = {}
    """The multipliers that were chosen in the table of Batch."""


def read(told: object) -> Kept:
    """What a browser says it has kept; nothing when that makes no sense."""
    try:
        return Kept.model_validate(told)
    except ValidationError:
        return Kept()


def lost_words(names: list[str]) -> str:
    """What to say of files that cannot come back."""
    one = len(names) == 1
    return (
        f"The studio was started again, and {', '.join(f'“{name}”' for name in names)} "
        f"{'was' if one else 'were'} not stored yet. Choose {'it' if one else 'them'} again; all else is still here."
    )
