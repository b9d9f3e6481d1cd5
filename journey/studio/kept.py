"""A chosen picture as a browser keeps it, so that it is there again after the server has forgotten who chose it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints

from journey.provider import PROVIDERS
from journey.storage.stored import KEY, NAME, StoredFile
from journey.studio.intake import Intake, Kind, Source


class KeptPicture(BaseModel):
    """Where our copy of a picture is, and what was said about it.

    Whoever sends one may have changed it. What they can reach so is what they could also choose by hand: pictures whose
    keys they know, and addresses and tasks that they can type.
    """

    model_config = ConfigDict(frozen=True)

    key: Annotated[str, StringConstraints(pattern=f"^{KEY.pattern}$")]
    file: Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
    kind: Kind
    name: str
    image_url: str | None = None
    parent_task_id: str | None = None
    index: str | None = None
    task_at: str | None = None

    @classmethod
    def of(cls, source: Source) -> Self:
        """What has to be kept of a source."""
        return cls(
            key=source.stored.key,
            file=source.stored.file,
            kind=source.kind,
            name=source.name,
            image_url=source.image_url,
            parent_task_id=source.parent_task_id,
            index=source.index,
            task_at=source.task_at.name if source.task_at else None,
        )

    def found(self, intake: Intake) -> Source:
        """The source that it was made of. Raises FileMissing when our copy is gone, and other JourneyErrors."""
        source = intake.from_stored(StoredFile(self.key, self.file), name=self.name, kind=self.kind)
        return replace(
            source,
            image_url=self.image_url,
            parent_task_id=self.parent_task_id,
            index=self.index,
            task_at=PROVIDERS.get(self.task_at or ""),
        )
