"""Stored pictures on a page, with their pixels and their print sizes."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from journey.errors import FileMissing
from journey.studio import Entry
from journey.views.pictures import PREVIEW, THUMBNAIL, StoredPicture, fitted_width
from journey.views.words import pixels, print_size
from journey.workspace import workspace
from pages.frame.visitor import origin

GONE = "This picture is no longer stored."
AWAY = "This picture cannot be read at the moment. Reload the page in a while."


def picture(
    shown: StoredPicture | None, *, alt: str, thumbnail: bool = False, width: int | Literal["stretch"] = "stretch"
) -> None:
    """A stored picture's preview (or thumbnail), or a line saying that it is gone, or away for now."""
    small = shown.beside(THUMBNAIL if thumbnail else PREVIEW) if shown else None
    try:
        if small is None:
            raise FileMissing
        path = workspace().files.path(small.key, small.file)
    except FileMissing:
        st.caption(GONE)
        return
    except OSError:
        # Object storage is away: the rest of the page is of use without this picture.
        st.caption(AWAY)
        return
    if st.context.url:
        st.image(small.url(origin()), alt=alt, width=width)
    else:
        st.image(path.read_bytes(), alt=alt, width=width)


def fitted(shown: StoredPicture, *, alt: str) -> None:
    """The same, small enough that what is below it fits on the screen too."""
    picture(shown, alt=alt, width=fitted_width(shown.size) or "stretch")


def side_by_side(entry: Entry) -> None:
    """Original and result, each with its pixels and its print size."""
    left, right = st.columns(2)
    with left:
        picture(entry.source, alt=f"Original: {entry.name}")
        sizes("Original", entry.source_size)
    with right:
        picture(entry.result, alt=f"{entry.type} result: {entry.name}")
        sizes(f"{entry.type} result", entry.result_size)


def sizes(label: str, size: tuple[int, int] | None) -> None:
    """Pixels and print size of one picture in two short lines."""
    st.markdown(f"**{label}** · {pixels(size)}")
    st.caption(f"At 300 DPI: {print_size(size)}")
