"""A picture that a browser has kept for a server that has forgotten who chose it."""

from __future__ import annotations

import pytest

from journey.errors import FileMissing
from journey.studio import KeptPicture
from journey.studio.intake import Intake
from journey.testing import StandIn, picture


def test_a_kept_picture_is_found_again(intake: Intake, api: StandIn) -> None:
    """A picture that was given comes back with all that was known of it, as long as our copy is there."""
    for source in (intake.from_upload("日本.png", picture(64, 48)), intake.from_url(api.picture_url(32, 24))):
        told = KeptPicture.of(source).model_dump(mode="json")
        assert source == KeptPicture.model_validate(told).found(intake)
    gone = KeptPicture(key="0" * 32, file="koi.png", kind="upload", name="koi.png")
    with pytest.raises(FileMissing):
        gone.found(intake)
