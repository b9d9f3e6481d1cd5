"""The picture of Print size: typed pixels, an address, a file, a task from the history, a sample."""

from __future__ import annotations

from functools import partial

import streamlit as st

from journey.errors import FileMissing, JourneyError
from journey.printing import inputs as typed
from journey.studio import Entry, Source, State
from journey.views.planner import NUMBER_LIMIT, SIDES, WAYS
from journey.views.ways import enlarged
from journey.views.words import literal, moment, pixels
from journey.workspace import workspace
from pages.forms import inputs
from pages.forms.choosing import choose, type_in
from pages.frame.looking import looked
from pages.frame.protection import say_error
from pages.frame.sign_in import tab
from pages.planner.state import key, value

TASKS = 100

state = st.session_state


def choose_picture() -> tuple[int, int] | None:
    """Its pixels; the picture itself is in `state.print_source` when there is one. Says what is wrong in place."""
    way = choose("Picture from", WAYS, key=key("from"), wrap=True)
    if way == "pixels":
        state.print_source = None
        return _typed_pixels()
    given = {"url": _address, "upload": _upload, "task": _task, "sample": _sample}[way]()
    _look(way, given)
    if state.get("print_problem"):
        say_error(state.print_problem)
    source: Source | None = state.print_source
    if source is None:
        return None
    workspace().intake.shown(source)
    st.text(f"{source.name} · {pixels(source.size)}")
    for note in source.notes:
        st.caption(literal(note))
    return source.size


def _typed_pixels() -> tuple[int, int] | None:
    with st.container(horizontal=True):
        type_in("Width in pixels", key=key("w"), limit=NUMBER_LIMIT)
        type_in("Height in pixels", key=key("h"), limit=NUMBER_LIMIT)
    try:
        return typed.whole(value("w"), "width"), typed.whole(value("h"), "height")
    except ValueError as error:
        say_error(str(error))
        return None


def _address() -> object:
    return inputs.image_url(key=key("url"))


def _upload() -> object:
    return inputs.upload(key="print_upload", on_change=_upload_changed)


def _upload_changed() -> None:
    """Forget a file that was taken out. Merely coming back to the page, with an empty uploader, does not call this."""
    if state[inputs.uploader("print_upload")] is None:
        state.print_looked_at = None


def _task() -> object:
    lists, history = workspace().history.lists, workspace().history
    finished = {entry.id: entry for entry in lists.latest(limit=TASKS, states=[State.FINISHED])}
    wanted = value("task")
    if wanted and wanted not in finished:
        linked = history.get(wanted)
        if linked is not None and linked.state is State.FINISHED:
            finished[linked.id] = linked
    if wanted:
        state.print_task_is_gone = wanted not in finished
    is_gone = state.get("print_task_is_gone", False)
    if is_gone:
        say_error("There is no finished task with this address. Choose one from the list.")
    if not finished:
        st.info("No finished tasks yet. Upscale a picture, or use a sample.", icon=":material/history:")
        return None
    if wanted not in finished:
        # Nobody asked to have another picture judged in place of one that is gone.
        state[key("task")] = None if is_gone else next(iter(finished))
    st.selectbox(
        "Task",
        list(finished),
        index=None,
        placeholder="Choose a task",
        format_func=lambda each: (
            f"{finished[each].name} · {enlarged(finished[each])} · "
            f"{moment(finished[each].finished_at, st.context.timezone)}"
        ),
        key=key("task"),
        persist_state="session",
    )
    choose("Which picture", SIDES, key=key("side"))
    return (finished[value("task")], value("side")) if value("task") else None


def _sample() -> object:
    samples = inputs.sample_sources()
    if samples is None:
        return None
    choose("Sample", {name: sample.name for name, sample in samples.items()}, key=key("sample"))
    return samples[value("sample")]


def _look(way: str, given: object) -> None:
    """Turn what was given into a checked source, once for each picture; keep the sentence when it fails."""
    before = state.get("print_looked_at")
    if before == (way, given) and (given is None or state.get("print_source")):
        return
    if given is None and before and before[0] == way == "upload":
        return
    state.print_looked_at, state.print_source, state.print_problem = (way, given), None, None
    if given is None:
        return
    try:
        state.print_source = looked("print_look", (way, given), partial(_source_from, way, given, tab()))
    except FileMissing:
        state.print_problem = "This picture is no longer stored. Choose another one."
    except JourneyError as error:
        state.print_problem = str(error)


def _source_from(way: str, given: object, asker: str) -> Source:
    intake = workspace().intake.asked_by(asker)
    if isinstance(given, Source):
        return given
    if way == "url":
        return intake.from_url(str(given))
    if way == "upload":
        return intake.from_upload(given.name, given.getvalue())  # type: ignore[attr-defined]  # an upload
    return _of_task(*given)  # type: ignore[misc]  # an entry and the side of it


def _of_task(entry: Entry, side: str) -> Source:
    if side == "result":
        return workspace().intake.from_result(entry)
    if entry.source is None:
        raise FileMissing
    return workspace().intake.from_stored(entry.source, name=entry.name, kind="task")
