"""What one person has entered so far for a batch: text, files, tasks. It stays when the page is left."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from journey.errors import InvalidRequest
from journey.studio import Source
from journey.studio.batches import decoding, lines, lists
from journey.studio.batches.lines import Line, Wanted
from journey.studio.batches.looks import Looks
from journey.studio.batches.rows import Choice
from journey.studio.batches.tables import Reading
from journey.views import batches as words
from journey.views import links
from journey.views.pictures import uploaded_name
from journey.views.words import literal
from journey.workspace import workspace
from pages.forms.inputs import upload_megabytes
from pages.frame.protection import say_error
from pages.frame.sign_in import tab

LISTS = (*decoding.ENDINGS, *decoding.NOT_READ)
state = st.session_state


@dataclass
class Draft:
    """What was entered; kept until it is queued or cleared.

    `revision` changes with the rows of the table, so that edits of different tables are not mixed up.
    """

    looks: Looks
    batch_id: str = field(default_factory=lambda: secrets.token_hex(16))
    lists: list[tuple[str, tuple[Reading, ...]]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    uploads: dict[Wanted, Callable[[], Sequence[Source]]] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)
    given: int = 0
    revision: int = 0
    shown: tuple[str, ...] = ()


def the_draft() -> Draft:
    """This visitor's draft."""
    if "batch_next_text" in state:
        state.batch_text, state.batch_name = state.pop("batch_next_text"), ""
    if "batch_draft" not in state:
        state.batch_draft = Draft(Looks(workspace().looking))
    draft: Draft = state.batch_draft
    return draft


def take_history(draft: Draft) -> None:
    """`?from=ID,ID`: finished tasks from the history, whose results are to be enlarged further."""
    asked = links.asked_batch_of(st.query_params)
    if asked is None or asked == state.get("batch_from"):
        return
    state.batch_from = asked
    draft.lines = [line for line in draft.lines if line.wanted is None or line.wanted.kind != "entry"]
    draft.lines += [
        Line(f"Task {place} from History", entry_id, Wanted("entry", entry_id))
        for place, entry_id in enumerate(asked, start=1)
    ]


def enter(draft: Draft) -> list[Line] | None:
    """Draw the inputs; returns all that was entered as lines, None until it is chosen how a list is meant.

    Dropped files join the draft.
    """
    left, right = st.columns([3, 2], gap="medium")
    with left:
        text = st.text_area(
            "Addresses or task IDs, one per line, or a table of them",
            key="batch_text",
            height=190,
            persist_state="session",
            placeholder="https://example.com/picture.png\n994c2844-…\n994c2844-… 3",
            help="A task ID brings all four pictures of a grid; “ID 3” brings only the third. "
            "Press Ctrl + Enter, or click outside, to see the pictures.",
        )
    with right:
        st.file_uploader(
            "Pictures, or a list of them (CSV, text, JSON)",
            accept_multiple_files=True,
            key=f"batch_files_{draft.given}",
            on_change=_take_files,
            args=(draft,),
            max_upload_size=upload_megabytes(),
        )
        if text or draft.lists or draft.lines:
            st.button("Clear all", key="batch_clear", icon=":material/delete_sweep:", on_click=_clear, args=(draft,))
    given = [("the text", lists.readings(text), "batch_reading")]
    given += [(name, found, f"batch_reading_{draft.given}_{at}") for at, (name, found) in enumerate(draft.lists)]
    meant = [_lines(name, found, key) for name, found, key in given]
    if None in meant:
        return None
    return lines.merged([*(line for found in meant for line in found or ()), *draft.lines])


def _lines(name: str, found: Sequence[Reading], key: str) -> list[Line] | None:
    """The lines of a list, read as it was chosen here where there is a choice; None until then."""
    reading = found[0]
    if len(found) > 1:
        chosen = st.radio(
            f"{literal(name[:1].upper() + name[1:])} can be read in {len(found)} ways. Which one is meant?",
            range(len(found)),
            index=None,
            format_func=lambda at: words.reading(found[at]),
            key=f"{key}_{hash(tuple(each.how for each in found))}",
            persist_state="session",
        )
        if chosen is None:
            return None
        reading = found[chosen]
    table = reading.table
    if table is None or len(table.names) == 1 or table.is_export:
        return list(reading.lines)
    column = st.selectbox(
        f"Column with the addresses in {literal(name)}",
        range(len(table.names)),
        index=table.column,
        format_func=lambda at: table.names[at][:60],
        key=f"{key}_{hash(table.names)}",
        placeholder="Choose the column",
        width=320,
    )
    if column is None:
        say_error(f"No column in {name} can be told to hold the addresses. Choose the one with addresses or task IDs.")
        return None
    return table.lines(column)


def _take_files(draft: Draft) -> None:
    """What was dropped moves into the draft, so that it stays when the page is left."""
    for file in state[f"batch_files_{draft.given}"]:
        name = uploaded_name(file.name)
        if name.lower().endswith(tuple(f".{ending}" for ending in LISTS)):
            try:
                draft.lists.append((name, lists.readings(decoding.decode(file.getvalue(), f"“{name}”"))))
            except InvalidRequest as error:
                draft.lines.append(lines.bad("File", name, str(error)))
            continue
        wanted = Wanted("upload", f"{len(draft.lines)} {draft.given} {name}")
        draft.uploads[wanted] = partial(_take_upload, tab(), name, file.getvalue())
        draft.lines.append(Line(f"File {len(draft.uploads)}", name, wanted))
    draft.given += 1


def _take_upload(asker: str, name: str, data: bytes) -> tuple[Source]:
    return (workspace().intake.asked_by(asker).from_upload(name, data),)


def _clear(draft: Draft) -> None:
    state.batch_next_text = ""
    state.pop("batch_from", None)
    state.batch_draft = Draft(draft.looks, given=draft.given + 1)
    st.query_params.clear()
