"""The picture in the form of Upscale: an address, a task, a file, a sample, or that of an earlier task."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from journey.errors import JourneyError
from journey.studio import ParentTask, Source
from journey.views.offers import better_address
from journey.views.upscaling import WAYS, found_words, places
from journey.views.words import literal
from journey.workspace import workspace
from pages.forms import inputs
from pages.forms.choosing import choose
from pages.forms.settings import use_network
from pages.frame.looking import looked
from pages.frame.protection import say_error
from pages.frame.sign_in import tab
from pages.task.pictures import picture

DEFAULTS = {
    "way": "url",
    "image_url": "",
    "task_id": "",
    "source": None,
    "parent": None,
    "looked_at": None,
    "problem": None,
    "offered": None,
}
"""What is kept in the session: what was entered, what was looked at last, and what came of it."""
state = st.session_state


def choose_picture() -> str:
    """Draw the inputs and what was found; returns the way in which a picture is given."""
    way = choose("Picture from", WAYS, key="way")
    given = _entered(way)
    if given is not None:
        _look(way, given)
    elif way != "upload" and state.looked_at and state.looked_at[0] == way:
        forget()
    if state.problem:
        say_error(state.problem)
    if way == "url" and given is not None:
        _offer_better(str(given))
    if way == "task":
        _show_parent()
    return way


def _entered(way: str) -> object | None:
    """The input of the chosen way; None while it is empty."""
    if way == "url":
        return inputs.image_url(key="image_url")
    if way == "task":
        return inputs.task_id(key="task_id")
    return inputs.upload(key="upload", on_change=_upload_changed)


def _look(way: str, given: object) -> None:
    """Turn what was entered into a checked source, once for each thing entered; keep the sentence when it fails."""
    about = (way, getattr(given, "file_id", given))
    if state.looked_at == about:
        return
    forget()
    problem, found = None, None
    try:
        found = looked("entered_look", about, _looks(way, given))
    except JourneyError as error:
        problem = str(error)
    parent = found if isinstance(found, ParentTask) else None
    source = _picked(found) if isinstance(found, ParentTask) else found
    state.problem, state.parent, state.source = problem, parent, source
    state.looked_at = about  # last: should this run end before, the next one looks again
    state.pop("picked", None)


def _picked(parent: ParentTask) -> Source | None:
    """The picture of a grid that was chosen before, if any; the only one of a task that has one."""
    if not parent.is_grid:
        return parent.sources[0]
    return next((each for each in parent.sources if each.index == state.get("picked")), None)


def _looks(way: str, given: object) -> Callable[[], Source | ParentTask]:
    """How to look at what was entered."""
    space = workspace()
    intake = space.intake.asked_by(tab())
    if way == "url":
        return partial(intake.from_url, str(given))
    if way == "task":
        # A task may belong to any provider; the one that is chosen is asked first.
        providers = sorted(space.clients, key=lambda provider: provider.name != state.get("provider"))
        return partial(intake.from_task, str(given), providers)
    return partial(intake.from_upload, given.name, given.getvalue())  # type: ignore[attr-defined]  # an upload


def _offer_better(given: str) -> None:
    """What else can be done with an address: one click leads to the full picture, back again, or to another try."""
    size = state.source.size if state.source is not None else None
    with st.container(horizontal=True):
        if offer := better_address(given, size):
            st.caption(offer.sentence)
            if offer.address:
                st.text(offer.shown)
                st.button(offer.button, key="take_offer", on_click=_take_offer, args=(given, offer.address))
        if state.offered and state.offered[1] == given and state.problem:
            st.button("Back to the address before", key="leave_offer", on_click=_enter, args=(state.offered[0],))
        if state.problem:
            st.button("Try again", key="look_again", on_click=forget)


def _take_offer(given: str, address: str) -> None:
    state.offered = (given, address)
    _enter(address)


def _enter(address: str) -> None:
    state.image_url = address


def forget(looked_at: tuple[str, object] | None = None) -> None:
    """Forget what was chosen; `looked_at` is what is looked at next."""
    state.looked_at, state.source, state.parent, state.problem = looked_at, None, None, None


def use(source: Source) -> None:
    """Take a picture that is known already: one of a grid, one of an earlier task."""
    state.source, state.problem = source, None


def use_sample(source: Source) -> None:
    forget(("sample", source.stored.key))
    state.way, state.image_url = "url", ""
    use(source)


def use_sample_grid() -> None:
    state.way, state.task_id = "task", "sample-grid"


def use_again(entry_id: str) -> None:
    """Fill the form with the picture and the settings of an earlier task."""
    entry = workspace().history.get(entry_id)
    if entry is None:
        forget(("again", entry_id))
        state.problem = "There is no task with this address, so there is nothing to reuse."
        return
    entry = workspace().history.beginning(entry)
    source, problem = None, None
    try:
        source = looked("reused_look", entry_id, partial(workspace().intake.from_entry, entry))
    except JourneyError as error:
        problem = str(error)
    forget(("again", entry_id))
    state.provider, state.scale, state.then_network = entry.provider.name, entry.order_scale, entry.then_network
    use_network(entry.network)
    state.webhook_url, state.webhook_secret = entry.webhook_url or "", ""
    state.scale_is_meant = True
    if source is None:
        state.problem = problem
        return
    use(source)
    state.image_url = ""
    if source.parent_task_id:
        state.way, state.task_id = "task", source.parent_task_id
        state.looked_at = ("task", source.parent_task_id)
    else:
        state.way = "url"
        if source.image_url:
            state.image_url, state.looked_at = source.image_url, ("url", source.image_url)
    secret = " The webhook's secret was not kept; type it in again." if entry.webhook_url else ""
    st.toast(f"Picture and settings of **{literal(entry.name, limit=80)}** are in the form.{secret}")


def came_from() -> tuple[str, str | None] | None:
    """The task that the picture in the form comes from, and its index in a grid."""
    if state.source is not None:
        return (state.source.parent_task_id, state.source.index) if state.source.parent_task_id else None
    return (state.parent.task_id, None) if state.parent is not None and state.way == "task" else None


def _upload_changed() -> None:
    """Forget a file that was taken out. Merely opening the page, with an empty uploader, does not call this."""
    if state[inputs.uploader("upload")] is None and state.looked_at and state.looked_at[0] == "upload":
        forget()


def _show_parent() -> None:
    """The task that was found, and its pictures when there are several."""
    parent: ParentTask | None = state.parent
    if parent is None:
        return
    workspace().intake.shown(*parent.sources)
    st.caption(found_words(parent))
    if not parent.is_grid:
        return
    st.markdown("**Which picture of the grid?**")
    grid = places(parent)
    for row in (grid[:2], grid[2:]):
        for column, (index, source) in zip(st.columns(2), row, strict=False):
            with column:
                if source is None:
                    st.text(f"Picture {index} is missing: {parent.provider.label} named none there.")
                    continue
                picture(source.stored, alt=f"Picture {source.index} of the grid")
                picked = state.source is not None and state.source.stored.key == source.stored.key
                st.button(
                    f"Picture {source.index}" + (" · picked" if picked else ""),
                    key=f"pick_{source.index}",
                    type="primary" if picked else "secondary",
                    width="stretch",
                    on_click=use,
                    args=(source,),
                )
