"""What one person has entered so far for a batch: text, files, tasks. It stays when the page is left."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from journey.studio import Source
from journey.studio.batches import lines
from journey.studio.batches.lines import Line, Table, Wanted
from journey.studio.batches.looks import Looks
from journey.studio.batches.rows import Choice
from journey.views import links
from journey.views.pictures import ENDINGS, uploaded_name
from journey.views.words import literal
from journey.workspace import workspace
from pages.forms.inputs import upload_megabytes
from pages.frame.protection import say_error
from pages.frame.sign_in import tab

LISTS = ("csv", "txt")
NOT_A_TABLE = -1
state = st.session_state


@dataclass
class Draft:
    """What was entered; kept until it is queued or cleared.

    `revision` changes with the rows of the table, so that edits of different tables are not mixed up.
    """

    looks: Looks
    batch_id: str = field(default_factory=lambda: secrets.token_hex(16))
    tables: list[tuple[str, Table]] = field(default_factory=list)
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


def enter(draft: Draft) -> list[Line]:
    """Draw the inputs; returns all that was entered as lines. Dropped files join the draft."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        text = st.text_area(
            "Addresses or task IDs, one per line, or a CSV",
            key="batch_text",
            height=190,
            persist_state="session",
            placeholder="https://example.com/picture.png\n994c2844-…\n994c2844-… 3",
            help="A task ID brings all four pictures of a grid; “ID 3” brings only the third. "
            "Press Ctrl + Enter, or click outside, to see the pictures.",
        )
    with right:
        st.file_uploader(
            "Pictures, or a CSV",
            type=[*ENDINGS, *LISTS],
            accept_multiple_files=True,
            key=f"batch_files_{draft.given}",
            on_change=_take_files,
            args=(draft,),
            max_upload_size=upload_megabytes(),
        )
        if text or draft.tables or draft.lines:
            st.button("Clear all", key="batch_clear", icon=":material/delete_sweep:", on_click=_clear, args=(draft,))
    table = lines.table(text)
    found = None if table is None else _cells("the text", table, "batch_column", may_be_list=True)
    if found is None:
        found = lines.read(text)
    for place, (name, dropped) in enumerate(draft.tables):
        found += _cells(name, dropped, f"batch_column_{draft.given}_{place}") or []
    return lines.merged([*found, *draft.lines])


def _cells(name: str, table: Table, key: str, *, may_be_list: bool = False) -> list[Line] | None:
    """The lines of the column that was found or is chosen here; None when it is to be read as a plain list."""
    choices = [*range(len(table.names)), *([NOT_A_TABLE] if may_be_list else [])]
    column = st.selectbox(
        f"Column with the addresses in {literal(name)}",
        choices,
        index=table.column,
        format_func=lambda place: "None: it is a plain list" if place == NOT_A_TABLE else table.names[place][:60],
        key=f"{key}_{hash(table.names)}",
        placeholder="Choose the column",
        width=320,
    )
    if column == NOT_A_TABLE:
        return None
    if column is None:
        say_error(
            f"No column in {name} seems to hold addresses. Choose the one with addresses or task IDs, "
            "or drop another file."
        )
        return []
    return table.lines(column)


def _take_files(draft: Draft) -> None:
    """What was dropped moves into the draft, so that it stays when the page is left."""
    for file in state[f"batch_files_{draft.given}"]:
        name = uploaded_name(file.name)
        if name.lower().endswith(tuple(f".{ending}" for ending in LISTS)):
            text = lines.decode(file.getvalue())
            if table := lines.table(text, is_file=True):
                draft.tables.append((name, table))
            else:
                draft.lines += lines.read(text)
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
