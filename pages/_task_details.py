"""One task as a page of its own: everything that is known about it, and everything that can be done with it."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from journey.errors import InvalidRequest, JourneyError
from journey.history import COMMENT_LIMIT, TAG_LIMIT, Entry, Filter, State
from journey.studio.intake import new_entry
from journey.views.facts import as_markdown, facts, steps
from journey.views.words import cost_words, literal, pixels, state_words
from journey.workspace import LABELS, workspace
from pages import _parts

CHILDREN = 20
LINK_LIMIT = 80


def draw(entry: Entry) -> None:
    """The task, and the way back to the list, which is found as it was left."""
    st.session_state.in_details = True
    st.button("All tasks", icon=":material/arrow_back:", type="tertiary", on_click=leave)
    if said := st.session_state.pop("said_about_task", None):
        st.success(said, icon=":material/check:")
    _parts.task_card(entry, full=True)
    _actions(entry)
    left, right = st.columns(2, gap="large")
    with left:
        _describe(entry)
    with right:
        _led_to(entry)
        _time_line(entry)
    st.header("All facts", anchor=False)
    known = facts(entry, engine=LABELS[entry.engine], timezone=st.context.timezone, now=time.time())
    st.table(
        pd.DataFrame({"Fact": known.keys(), "Value": [as_markdown(value) for value in known.values()]}),
        hide_index=True,
        hide_header=True,
        border="horizontal",
        alt="Everything that is known about this task",
    )
    if entry.answer:
        with st.expander("The answer that was not understood", icon=":material/question_answer:"):
            st.code(entry.answer, language=None, wrap_lines=True)


def leave() -> None:
    st.session_state.in_details = False
    st.query_params.pop("task", None)


def _actions(entry: Entry) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Run again", icon=":material/replay:", key="run_again_open"):
            _run_again(entry)
        if entry.can_be_fetched_again and st.button(
            "Fetch the result again",
            key="fetch_again",
            icon=":material/cloud_download:",
            help="Looks at the task once more and stores its result if there is one. Nothing is sent or charged.",
        ):
            if workspace().history.fetch_again(entry.id):
                _parts.expect(entry)
                workspace().wake()
            st.rerun()
        with st.popover("Delete", icon=":material/delete:", key="delete_open", disabled=not entry.state.over):
            st.write("Delete this task with its pictures? This cannot be undone.")
            st.caption("Pictures that another task uses are kept.")
            if st.button("Delete for good", key="delete_task", type="primary", icon=":material/delete:"):
                workspace().delete([entry.id])
                leave()
                st.toast("The task is deleted.", icon=":material/delete:")
                st.rerun()
    if not entry.state.over:
        st.caption("A task can be deleted when it is over: stop it first.")


def _run_again(entry: Entry) -> None:
    """The same picture and settings once more, after the cost is named."""
    st.write(f"Queues the same picture with the same settings as a new task: {entry.type}, {LABELS[entry.engine]}.")
    if entry.webhook_url:
        st.caption("Its webhook is called again without a secret, because secrets are not kept.")
    if not st.button(f"Run again · {cost_words(entry.engine)}", key="run_again", type="primary"):
        return
    try:
        if entry.engine not in {engine.name for engine in workspace().engines()}:
            raise InvalidRequest(f"{LABELS[entry.engine]} is not set up here any more. Reuse the settings instead.")
        source = workspace().sources.from_entry(entry)
        if problem := workspace().sources.problem(source, engine=entry.engine, scale=entry.scale):
            raise InvalidRequest(problem)
    except JourneyError as error:
        _parts.say_error(str(error))
        return
    queued = workspace().submit(
        new_entry(
            source,
            engine=entry.engine,
            scale=entry.scale,
            model=entry.model,
            webhook_url=entry.webhook_url,
            person=_parts.person(),
        )
    )
    _parts.expect(queued)
    st.session_state.said_about_task = "Queued again. This is the new task."
    st.query_params["task"] = queued.id
    st.rerun()


def _describe(entry: Entry) -> None:
    """Tags and comment, saved together."""
    has = workspace().history.tags_of([entry.id]).get(entry.id, [])
    with st.form(f"describe_{entry.id}", border=False):
        chosen = st.multiselect(
            "Tags",
            sorted({*workspace().history.known_tags(), *has}, key=str.casefold),
            default=has,
            format_func=literal,
            accept_new_options=True,
            placeholder="Choose or type a tag",
            key=f"tags_{entry.id}",
            help=f"Up to {TAG_LIMIT} characters each. Upper and lower case are the same.",
        )
        comment = st.text_area(
            "Comment", entry.comment or "", max_chars=COMMENT_LIMIT, key=f"comment_{entry.id}", height=110
        )
        if st.form_submit_button("Save tags and comment", icon=":material/save:"):
            try:
                workspace().history.describe(entry.id, tags_now=chosen, comment=comment)
            except InvalidRequest as error:
                _parts.say_error(str(error))
            else:
                st.success("Tags and comment are saved.", icon=":material/check:")


def _led_to(entry: Entry) -> None:
    """What was made of this task's picture, and what was queued together with it."""
    if entry.task_id:
        led_to = workspace().history.search(Filter(came_from=entry.task_id), limit=CHILDREN)
        if led_to.entries:
            st.markdown(f"**Led to {led_to.total} task{'' if led_to.total == 1 else 's'}**")
        for child in led_to.entries:
            size = pixels(child.result_width, child.result_height) if child.state is State.FINISHED else ""
            told = [child.name, child.type, state_words(child, time.time()), size]
            st.page_link(
                "history.py",
                label=literal(" · ".join(each for each in told if each), limit=LINK_LIMIT),
                icon=":material/subdirectory_arrow_right:",
                query_params={"task": child.id},
            )
    if entry.batch:
        st.page_link(
            "history.py",
            label="Tasks that were queued together with it",
            icon=":material/stacks:",
            query_params={"batch": entry.batch},
        )


def _time_line(entry: Entry) -> None:
    st.markdown("**What happened when**")
    told = steps(workspace().history.timeline(entry.id), timezone=st.context.timezone, now=time.time())
    st.table(
        pd.DataFrame(
            [
                {"When": step.when, "State": step.state, "For": step.lasted, "What was said": as_markdown(step.words)}
                for step in told
            ]
        ),
        hide_index=True,
        border="horizontal",
        alt="What happened when, and how long it lasted",
    )
