"""One task as a page of its own: everything that is known about it, and everything that can be done with it."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from journey.errors import InvalidRequest, JourneyError
from journey.studio import COMMENT_LIMIT, TAG_LIMIT, Entry, Filter
from journey.views import links
from journey.views.facts import as_markdown, child_words, facts, steps, whole_addresses
from journey.views.ways import way_words
from journey.views.words import cost_words, counted, literal
from journey.workspace import workspace
from pages.frame.protection import say_error
from pages.frame.visitor import expect, person
from pages.task.card import task_card

CHILDREN = 20
LINK_LIMIT = 80


def details(entry: Entry) -> None:
    """The task, and a button back to the list, which is as it was left."""
    st.session_state.in_details = True
    st.button("All tasks", icon=":material/arrow_back:", type="tertiary", on_click=leave)
    if said := st.session_state.pop("said_about_task", None):
        st.success(said, icon=":material/check:")
    task_card(entry, full=True)
    _second_thoughts(entry)
    left, right = st.columns(2, gap="large")
    with left:
        _describe(entry)
    with right:
        _led_to(entry)
        _time_line(entry)
    st.header("All facts", anchor=False)
    known = facts(entry, timezone=st.context.timezone, now=time.time())
    st.table(
        pd.DataFrame({"Fact": known.keys(), "Value": [as_markdown(value) for value in known.values()]}),
        hide_index=True,
        hide_header=True,
        border="horizontal",
        alt="Everything that is known about this task",
    )
    with st.container(horizontal=True):
        for label, address in whole_addresses(entry, person()).items():
            st.link_button(label, address, icon=":material/open_in_new:", type="tertiary")
    if entry.answer:
        with st.expander("The answer that was not understood", icon=":material/question_answer:"):
            st.code(entry.answer, language=None, wrap_lines=True)


def leave() -> None:
    st.session_state.in_details = False
    st.query_params.pop("task", None)


def _second_thoughts(entry: Entry) -> None:
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
                expect(entry)
                workspace().wake()
            st.rerun()
        with st.popover("Delete", icon=":material/delete:", key="delete_open", disabled=not entry.state.over):
            st.write("Delete this task and its pictures? This cannot be undone.")
            st.caption("Pictures that another task uses are kept.")
            if st.button("Delete for good", key="delete_task", type="primary", icon=":material/delete:"):
                workspace().removal.delete([entry.id])
                leave()
                st.toast("The task was deleted.", icon=":material/delete:")
                st.rerun()
    if not entry.state.over:
        st.caption("A task can be deleted once it has ended: stop it first.")


def _run_again(entry: Entry) -> None:
    """The same picture and settings once more; the button names the cost."""
    entry = workspace().history.beginning(entry)
    way = way_words(entry.order_scale, entry.provider) if entry.step else f"{entry.type}, {entry.provider.label}"
    st.write(f"Queues the same picture with the same settings as a new task: {way}.")
    if entry.webhook_url:
        st.caption("Its webhook will be called without a secret, because secrets are not kept.")
    if not st.button(f"Run again · {cost_words(entry.provider)}", key="run_again", type="primary"):
        return
    try:
        queued = workspace().orders.place_again(entry, person=person())
    except JourneyError as error:
        say_error(str(error))
        return
    expect(queued)
    st.session_state.said_about_task = "Queued again. This is the new task."
    st.query_params.update(links.task(queued))
    st.rerun()


def _describe(entry: Entry) -> None:
    """Tags and comment, saved together."""
    labels = workspace().history.labels
    has = labels.tags_of([entry.id]).get(entry.id, [])
    with st.form(f"describe_{entry.id}", border=False):
        chosen = st.multiselect(
            "Tags",
            sorted({*labels.known_tags(), *has}, key=str.casefold),
            default=has,
            format_func=literal,
            accept_new_options=True,
            placeholder="Choose or type a tag",
            key=f"tags_{entry.id}",
            help=f"Up to {TAG_LIMIT} characters each. Upper and lower case count as the same.",
        )
        comment = st.text_area(
            "Comment", entry.comment or "", max_chars=COMMENT_LIMIT, key=f"comment_{entry.id}", height=110
        )
        if st.form_submit_button("Save tags and comment", icon=":material/save:"):
            try:
                labels.describe(entry.id, tags_now=chosen, comment=comment)
            except InvalidRequest as error:
                say_error(str(error))
            else:
                st.success("Tags and comment are saved.", icon=":material/check:")


def _led_to(entry: Entry) -> None:
    """What was made from this task's pictures, and what was queued together with it."""
    if entry.task_id:
        led_to = workspace().history.lists.search(Filter(came_from=entry.task_id), limit=CHILDREN)
        if led_to.entries:
            st.markdown(f"**Led to {counted(led_to.total, 'task')}**")
        for child in led_to.entries:
            st.page_link(
                "history.py",
                label=literal(child_words(child, time.time()), limit=LINK_LIMIT),
                icon=":material/subdirectory_arrow_right:",
                query_params=links.task(child),
            )
    if entry.batch:
        st.page_link(
            "history.py",
            label="Tasks queued together with it",
            icon=":material/stacks:",
            query_params=links.queued_together(entry.batch),
        )


def _time_line(entry: Entry) -> None:
    st.markdown("**What happened when**")
    told = steps(workspace().history.timeline(entry.id), timezone=st.context.timezone, now=time.time())
    st.table(
        pd.DataFrame(
            [
                {"When": step.when, "State": step.state, "For": step.lasted, "Note": as_markdown(step.words)}
                for step in told
            ]
        ),
        hide_index=True,
        border="horizontal",
        alt="What happened when, and how long it lasted",
    )
