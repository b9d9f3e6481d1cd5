"""The ways to give a picture, as inputs that several pages share."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from journey.studio import ID_LIMIT, Source
from journey.views.pictures import LABELS
from journey.workspace import workspace
from pages.forms.choosing import type_in
from pages.frame.watching import wait_until

SAMPLE_SECONDS = 1.0


def image_url(*, key: str) -> str | None:
    """An address; None while it is empty."""
    return (
        type_in(
            "Image URL",
            key=key,
            limit=None,
            placeholder="https://cdn.midjourney.com/…/0_0.png",
            help=f"Any public picture: {LABELS}. Press Enter to see it.",
        ).strip()
        or None
    )


def task_id(*, key: str) -> str | None:
    """The ID of a task at an API; None while it is empty."""
    return (
        type_in(
            "Task ID",
            key=key,
            limit=ID_LIMIT,
            placeholder="994c2844-…",
            help="A finished task. From a grid, you can pick one picture. Type `sample-grid` to try it.",
        ).strip()
        or None
    )


def upload(*, key: str, on_change: Callable[[], None] | None = None) -> UploadedFile | None:
    """A picture file, whatever its name ends in: the bytes decide, and the sentence about others is ours."""
    return st.file_uploader(
        "Picture file",
        help=f"{LABELS}.",
        key=uploader(key),
        max_upload_size=upload_megabytes(),
        on_change=on_change,
    )


def uploader(key: str) -> str:
    """The key of an uploader in this session.

    The browser tells a server that has forgotten its files of them all the same, which looks as if they had been taken
    out. So it gets another uploader then.
    """
    restored = st.session_state.get("kept_restored")
    return f"{key}_{restored}" if restored else key


def upload_megabytes() -> int:
    """The largest file that an uploader takes, in its megabytes: a million bytes each, rounded up."""
    return -(-workspace().settings.max_bytes // 1_000_000)


def sample_sources() -> dict[str, Source] | None:
    """The sample pictures by name. While they are still being drawn, the page says so, and shows them later."""
    space = workspace()
    samples = space.sample_sources()
    if samples is None:
        st.caption("The sample pictures are being drawn; this takes a few seconds, once.")
        wait_until(lambda: space.sample_sources() is not None, look_every=SAMPLE_SECONDS)
    return samples
