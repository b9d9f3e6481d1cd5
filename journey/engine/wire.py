"""What the engine takes and says, as models: answers are made from them, and so is the description for tools."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from journey.api.models import ID_LIMIT, LEAST_IDS, MOST_IDS, TaskStatus

TaskId = Annotated[str, Field(min_length=1, max_length=ID_LIMIT)]
Left = SkipJsonSchema[None]
"""A field that is left out when there is nothing to say."""


class Said(BaseModel):
    """An answer. Fields that are None are left out of it."""

    model_config = ConfigDict(frozen=True)

    def wire(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class OneTask(BaseModel):
    """The body of /fetch and /cancel."""

    task_id: TaskId


class ManyTasks(BaseModel):
    """The body of /fetch-many."""

    task_ids: Annotated[list[TaskId], Field(min_length=LEAST_IDS, max_length=MOST_IDS)]


class Queued(Said):
    task_id: str


class TaskSaid(Said):
    task_id: str
    task_type: Annotated[str, Field(examples=["upscale-2x", "upscale-4x"])]
    model: Annotated[str, Field(examples=["realesr-animevideov3"])]
    status: TaskStatus
    percentage: Annotated[str, Field(pattern="^(100|[0-9]{1,2})$")] | Left = None
    image_url: str | Left = None
    image_urls: list[str] | Left = None
    original_image_url: str | Left = None
    error: str | Left = None


class TasksSaid(Said):
    tasks: list[TaskSaid]


class AccountSaid(Said):
    email: str
    credits: int
    total_images: int
    plan: str


class Problem(Said):
    msg: str


class Refusal(Said):
    """One item for each problem, which names the field at fault."""

    errors: list[Problem]
