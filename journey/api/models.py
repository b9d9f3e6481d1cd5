"""The wire as values: what we send to the API and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError, field_validator, model_validator

from journey.api.reading import (
    FAILURE,
    PLAIN_FAILURE,
    SUCCESS,
    address,
    complaints,
    is_too_long,
    number,
    sayings,
    text,
    whole,
    word,
)
from journey.errors import MESSAGE_LIMIT, InvalidRequest, one_line
from journey.outside.addresses import URL_LIMIT

HOSTED_URL = "https://api.journeyapi.com/api/v1"
ID_LIMIT = 200
LEAST_IDS, MOST_IDS = 2, 20
"""The fewest and the most ids that one call to /fetch-many takes."""
SECRET_LIMIT = 500
GRID_INDEXES = ("1", "2", "3", "4")
"""The pictures of a grid, in this order: top left, top right, bottom left, bottom right."""


class TaskStatus(StrEnum):
    """The status words of the API. `Task.from_wire` says what any other word means."""

    STAGED = "staged"
    PENDING = "pending"
    STARTING = "starting"
    PROCESSING = "processing"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """True when the task will not change any more."""
        return self in (TaskStatus.FINISHED, TaskStatus.FAILED)


_WORDS: Mapping[str, TaskStatus] = {
    **dict.fromkeys(SUCCESS, TaskStatus.FINISHED),
    **dict.fromkeys(FAILURE, TaskStatus.FAILED),
    **{status.value: status for status in TaskStatus},
}
_MOST_PLACES = 16
_TOO_LONG = f"The address of its picture has more than {URL_LIMIT:,} characters, so it cannot be kept."


def _describe_one_source(schema: dict[str, Any]) -> None:
    """The rule of `_one_source`, in terms of JSON Schema."""
    schema["oneOf"] = [
        {"required": [name], "properties": {name: {"type": "string", "minLength": 1, "maxLength": limit}}}
        for name, limit in (("parent_task_id", ID_LIMIT), ("image_url", URL_LIMIT))
    ]


class UpscaleRequest(BaseModel):
    """The body of `POST /upscale-2x-4x`.

    Exactly one of `parent_task_id` and `image_url` is needed; `index` ("1" to "4") picks the
    picture when the parent is a grid. `model` and `reference` are extensions of the embedded engine.

    Use `UpscaleRequest.checked(...)` to get `InvalidRequest` with one sentence for each broken rule.
    """

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        str_strip_whitespace=True,
        json_schema_extra=_describe_one_source,
        defer_build=True,
    )

    parent_task_id: Annotated[StrictStr, Field(max_length=ID_LIMIT)] | None = None
    image_url: Annotated[StrictStr, Field(max_length=URL_LIMIT)] | None = None
    type: Literal["2x", "4x"]
    index: Literal["1", "2", "3", "4"] | None = None
    webhook_url: Annotated[StrictStr, Field(max_length=URL_LIMIT)] | None = None
    webhook_secret: Annotated[StrictStr, Field(max_length=SECRET_LIMIT)] | None = Field(default=None, repr=False)
    model: Annotated[StrictStr, Field(max_length=100)] | None = Field(
        default=None, description="Extension: fast, detail or a network from the models folder."
    )
    reference: Annotated[StrictStr, Field(max_length=100)] | None = Field(
        default=None,
        description="Extension: a name for the order. Sent again under the same name, it is the same task.",
    )

    @field_validator("parent_task_id", "image_url", "webhook_url", "webhook_secret", "model", "reference", mode="after")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value:
            raise ValueError("must not be empty")
        if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("contains characters that cannot be stored")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _fits_a_header(cls, value: str | None) -> str | None:
        if value and (problem := secret_problem(value)):
            raise ValueError(problem)
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if problem := _source_problem(self.parent_task_id, self.image_url):
            raise ValueError(problem)
        return self

    @classmethod
    def checked(cls, fields: Mapping[str, Any]) -> Self:
        """Build a request from untrusted fields. Raises InvalidRequest naming every field at fault."""
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            sentences = _sentences(error)
            # Pydantic checks rules about two fields only when each field is valid: report both kinds at once.
            source = _source_problem(fields.get("parent_task_id"), fields.get("image_url"))
            if source and source not in sentences:
                sentences.insert(0, source)
            raise InvalidRequest(*sentences) from None

    def wire(self) -> dict[str, str]:
        """The JSON body: only the fields that are set."""
        return self.model_dump(exclude_none=True)

    @property
    def scale(self) -> int:
        """The multiplier as a number: 2 or 4."""
        return int(self.type[0])


def _source_problem(parent_task_id: object, image_url: object) -> str | None:
    if parent_task_id and image_url:
        return "parent_task_id and image_url: give one of them, not both"
    if not parent_task_id and not image_url:
        return "parent_task_id or image_url: one of them is required"
    return None


def _sentences(error: ValidationError) -> list[str]:
    """One sentence for each problem, in the words of the wire. Input values are never repeated."""
    rules = {
        "type": 'type: must be "2x" or "4x"',
        "index": 'index: must be a string "1" to "4"',
    }
    sentences = []
    for problem in error.errors(include_input=False, include_url=False):
        field = ".".join(str(part) for part in problem["loc"])
        reason = problem["msg"].removeprefix("Value error, ")
        sentences.append(rules.get(field) or (f"{field}: {reason}" if field else reason))
    return sentences


class Task(BaseModel):
    """What the API says about a task. Any field but the id may be missing from an answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    task_id: str
    task_type: str | None = None
    model: str | None = None
    status: TaskStatus = TaskStatus.PROCESSING
    percentage: int | None = None
    """0 to 100, or None when the answer had no usable number."""
    image_url: str | None = None
    image_urls: tuple[str | None, ...] = ()
    """The pictures of a grid, each in its place. None is a hole: the API named no picture there."""
    original_image_url: str | None = None
    error: str | None = None
    """The API's own words about what went wrong, at most 500 characters; None when it said nothing of the kind."""

    @classmethod
    def from_wire(cls, answer: object) -> Self:
        """Read any answer about a task, however incomplete. Raises ValueError when it has no task id.

        A word of success, of failure or of progress is believed, in whatever way it is spelt. Any other word means that
        work goes on until there is a picture at 100 percent, because previews are sent as pictures too. Without any
        word a picture means finished, unless the percentage says otherwise; a complaint means failed.
        """
        if not isinstance(answer, Mapping):
            raise ValueError("the answer is not an object")
        task_id = answer.get("task_id")
        if not usable_id(task_id):
            raise ValueError("the answer has no usable task_id")
        image_url, listed = answer.get("image_url"), answer.get("image_urls")
        places = listed[:_MOST_PLACES] if isinstance(listed, list) else []
        image_urls = tuple(address(place) or None for place in places)
        has_picture = bool(address(image_url) or any(image_urls))
        wrong, said = complaints(answer), sayings(answer)
        status = _status(answer, has_picture, wrong, said)
        percent = number(answer.get("percentage"))
        words = wrong
        if status is TaskStatus.FAILED:
            words = said or _ending(answer.get("status"))
        elif status is TaskStatus.FINISHED:
            lost = any(map(is_too_long, [image_url, *places]))
            words = (wrong if has_picture else said) + ([_TOO_LONG] if lost else [])
        return cls(
            task_id=str(task_id),
            task_type=text(answer.get("task_type"), 100),
            model=text(answer.get("model"), 100),
            status=status,
            percentage=100 if status is TaskStatus.FINISHED else None if percent is None else _clamped(percent),
            image_url=address(image_url) or None,
            image_urls=image_urls,
            original_image_url=address(answer.get("original_image_url")) or None,
            error=text(" ".join(words), MESSAGE_LIMIT),
        )

    @property
    def is_grid(self) -> bool:
        """True when the task has several places, so that an upscale of it must pick one by index."""
        return len(self.image_urls) > 1

    @property
    def missing(self) -> tuple[str, ...]:
        """The indexes of a grid, "1" to "4", whose picture the API did not name."""
        places = zip(GRID_INDEXES, self.image_urls, strict=False) if self.is_grid else ()
        return tuple(index for index, url in places if url is None)

    def picture(self, index: str | None = None) -> str | None:
        """The URL of the task's picture, or of the grid's picture "1" to "4". None when there is none."""
        if index and self.is_grid:
            return dict(zip(GRID_INDEXES, self.image_urls, strict=False)).get(index)
        return self.image_url or (self.image_urls[0] if len(self.image_urls) == 1 else None)


def _status(answer: Mapping[Any, Any], has_picture: bool, wrong: list[str], said: list[str]) -> TaskStatus:
    given = answer.get("status")
    if known := _WORDS.get(word(given)):
        return known
    percentage = answer.get("percentage")
    says_percentage = percentage not in (None, "")
    is_whole = number(percentage) == 100
    if given is not None and not (isinstance(given, str) and not given.strip()):
        return TaskStatus.FINISHED if has_picture and is_whole else TaskStatus.PROCESSING
    if wrong:
        return TaskStatus.FAILED
    if has_picture:
        return TaskStatus.PROCESSING if says_percentage and not is_whole else TaskStatus.FINISHED
    return TaskStatus.FAILED if said and not says_percentage else TaskStatus.PROCESSING


def _ending(given: object) -> list[str]:
    """What a word of failure says by itself: `moderated` says more than `failed`."""
    return [one_line(given, 40)] if isinstance(given, str) and word(given) not in PLAIN_FAILURE else []


def _clamped(percent: float) -> int:
    return max(0, min(100, int(percent)))


class Account(BaseModel):
    """The answer to `GET /account`. `credits` is None when the API did not say."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    email: str | None = None
    credits: int | None = None
    total_images: int | None = None
    plan: str | None = None

    @classmethod
    def from_wire(cls, answer: object) -> Self:
        """Read an account answer. Raises ValueError when it is not an object."""
        if not isinstance(answer, Mapping):
            raise ValueError("the answer is not an object")
        return cls(
            email=text(answer.get("email"), 320),
            credits=whole(answer.get("credits")),
            total_images=whole(answer.get("total_images")),
            plan=text(answer.get("plan"), 100),
        )


def secret_problem(secret: str) -> str | None:
    """Why this cannot be the secret of a webhook, as the end of a sentence; None when it can."""
    if len(secret) > SECRET_LIMIT:
        return f"must have at most {SECRET_LIMIT} characters"
    if not (secret.isascii() and secret.isprintable()):
        return "must be plain letters, digits and punctuation (ASCII), because it is sent as a header"
    return None


def usable_id(value: object) -> bool:
    """True for any visible, printable string of up to 200 characters: the API does not promise UUIDs."""
    return isinstance(value, str) and len(value) <= ID_LIMIT and value.isprintable() and bool(value.strip())
