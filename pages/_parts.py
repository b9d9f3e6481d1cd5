"""Pieces drawn on more than one page."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, ParamSpec, TypeVar

import streamlit as st

from journey import printing
from journey.api.models import CREDITS_PER_UPSCALE, ID_LIMIT
from journey.errors import DatabaseAway, FileMissing, InvalidRequest, JourneyError
from journey.history import LIVE, EngineName, Entry, State
from journey.history.kinship import Kin, find_kin, is_pair
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.printing import Plan
from journey.storage.files import file_url
from journey.studio.intake import Source
from journey.views.words import (
    file_size,
    has_result,
    lineage,
    literal,
    moment,
    pair_words,
    pixels,
    print_size,
    progress,
    progress_words,
    state_words,
    took,
)
from journey.workspace import LABELS, workspace
from pages import _sign_in

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

REFRESH_SECONDS = 1.0
WATCH_SECONDS = 1.5
PICTURE_HEIGHT = 420
"""Screen pixels; so that the print sizes below a picture are on the screen as well."""
_STATE_LOOKS: dict[State, tuple[str, str]] = {
    State.FINISHED: (":material/check_circle:", "green"),
    State.FAILED: (":material/error:", "red"),
    State.AMBIGUOUS: (":material/help:", "orange"),
    State.CANCELLED: (":material/block:", "gray"),
    State.ABANDONED: (":material/visibility_off:", "gray"),
    State.STOPPED: (":material/stop_circle:", "gray"),
}


@contextmanager
def protected(*, quiet: bool = False) -> Iterator[None]:
    """Whatever breaks inside becomes a sentence; `quiet`: only a line in the log.

    For `with`, and as a decorator right below `st.fragment`, whose later runs no frame is round: whoever has signed
    out meanwhile sees nothing more, and after a failure the next refresh draws the part as if nothing had been.
    """
    _sign_in.recheck()
    try:
        yield
    except DatabaseAway as error:
        # Each open page says so at each refresh: a trace every time would fill the disk.
        log.warning("the database does not answer: %s", error.reason)
        sentence = "The database does not answer. Your tasks are safe; this goes on by itself when it is back."
    except JourneyError as error:
        sentence = str(error)
    except Exception:
        number = secrets.token_hex(4)
        log.exception("page error %s", number)
        sentence = f"Something went wrong here. Reload the page; if it happens again, report the number {number}."
    else:
        return
    if not quiet:
        say_error(sentence)


def acting(work: Callable[P, T]) -> Callable[P, T]:
    """`work` as the callback of a button: callbacks run before the frame, so who is signed in is asked here."""
    return protected()(work)


def say_error(text: str) -> None:
    """A problem in place. The text may come from outside, so it is shown literally."""
    st.error(literal(text), icon=":material/error:")


def header(title: str, subtitle: str) -> None:
    """The one title of the page, and on the right which engines are ready."""
    space = workspace()
    engines = space.engines()
    st.session_state.page_shown = title
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width="content", gap=None):
            st.title(title, anchor=False)
            st.caption(subtitle)
        with st.container(horizontal=True, width="content"):
            for engine in engines:
                label = engine.label
                if engine.name == "journeyapi" and (account := space.balance()) and account.credits is not None:
                    label += f" · {account.credits:,} credits"
                if engine.is_ready:
                    st.badge(label, icon=":material/check_circle:", color="green")
                else:
                    st.badge(f"{engine.label} · paused", icon=":material/pause_circle:", color="orange")
    for engine in engines:
        if engine.problem:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.warning(
                    f"{engine.label} is paused: {literal(engine.problem)} Nothing is lost; what waits is sent when it "
                    "goes on.",
                    icon=":material/pause_circle:",
                )
                st.button("Go on", key=f"resume_{engine.name}", on_click=acting(space.resume), args=(engine.name,))
    if not engines:
        st.error(
            "There is no engine to upscale with. Set JOURNEY_API_KEY to use JourneyAPI. "
            + literal(space.engine_problem or "")
        )


def origin() -> str:
    """The origin of this server, as this browser reaches it; empty without one."""
    return _sign_in.origin(st.context.url or "")


def address(key: str, name: str) -> str:
    """The absolute address of a stored file, as this browser reaches it."""
    return file_url(origin(), key, name)


def fitted_width(width: int, height: int) -> int | Literal["stretch"]:
    """The width in pixels at which a picture stays within PICTURE_HEIGHT; wide ones fill their column."""
    return "stretch" if width > 1.4 * height else max(40, round(PICTURE_HEIGHT * width / height))


def picture(key: str | None, *, alt: str, thumbnail: bool = False, width: int | Literal["stretch"] = "stretch") -> None:
    """A stored picture's preview (or thumbnail), or a line that says that it is gone."""
    name = THUMBNAIL if thumbnail else PREVIEW
    try:
        path = workspace().files.path(key or "", name)
    except FileMissing:
        st.caption("This picture is no longer stored.")
        return
    if st.context.url:
        st.image(address(str(key), name), alt=alt, width=width)
    else:
        st.image(path.read_bytes(), alt=alt, width=width)


def side_by_side(entry: Entry) -> None:
    """Original and result, each with its pixels and its print size."""
    left, right = st.columns(2)
    with left:
        picture(entry.source_key, alt=f"Original: {entry.name}")
        sizes("Original", entry.source_width, entry.source_height)
    with right:
        picture(entry.result_key, alt=f"{entry.type} result: {entry.name}")
        sizes(f"{entry.type} result", entry.result_width, entry.result_height)


def sizes(label: str, width: int | None, height: int | None) -> None:
    """Pixels and print size of one picture in two short lines."""
    st.markdown(f"**{label}** · {pixels(width, height)}")
    st.caption(f"At 300 DPI: {print_size(width, height)}")


def task_card(entry: Entry, *, full: bool = False, kin: Kin | None = None, fills_form: bool = False) -> None:
    """One task: what it is, how far it is, and everything that can be done with it.

    With `fills_form` the form of Upscale is on this page, and its settings go there at once.
    `kin` is what `find_kin` found for all cards of a page; without it, it is looked up for this one.
    """
    now = time.time()
    kin = find_kin(workspace().history, [entry]) if kin is None else kin
    with st.container(border=True, key=f"card_{entry.id}"):
        head, body = st.columns([1, 8], vertical_alignment="center")
        with head:
            picture(entry.source_key, alt=f"Original: {entry.name}", thumbnail=True)
        with body:
            st.text(entry.name)
            with st.container(horizontal=True):
                if entry.state not in LIVE:
                    icon, color = _STATE_LOOKS[entry.state]
                    st.badge(state_words(entry, now), icon=icon, color=color)
                st.badge(LABELS[entry.engine], color="gray")
                st.badge(entry.type, color="gray")
                if entry.network:
                    st.badge(literal(entry.network), color="gray")
            if entry.state in LIVE:
                _live_progress(entry)
            else:
                _facts(entry)
        _lineage(entry, kin)
        _outcome(entry, full=full)
        _actions(entry, fills_form=fills_form)


def _live_progress(entry: Entry) -> None:
    """The only part of a card that is drawn again and again; the whole page is, once, when the task moves on."""
    size = (entry.source_width, entry.source_height) if entry.source_width and entry.source_height else None
    usual = workspace().usual_seconds(entry.engine, entry.scale, size=size, network=entry.model)

    @st.fragment(run_every=REFRESH_SECONDS)
    @protected()
    def line() -> None:
        current = workspace().history.get(entry.id)
        if current is None or current.state not in LIVE:
            st.rerun()
        st.progress(progress(current), text=progress_words(current, time.time(), usual))
        if current.note:
            st.text(current.note)

    line()


def _facts(entry: Entry) -> None:
    if entry.state is State.FINISHED:
        st.caption(
            f"{pixels(entry.source_width, entry.source_height)} → {pixels(entry.result_width, entry.result_height)} · "
            f"prints {print_size(entry.result_width, entry.result_height)} at 300 DPI · took {took(entry)}"
        )
    else:
        st.caption(moment(entry.finished_at or entry.changed_at, st.context.timezone))
    if entry.note:
        st.text(entry.note)


def came_from(task_id: str, index: str | None, kin: Kin) -> None:
    """The task that a picture came from, and the way to it when it is ours."""
    parent = kin.of_task(task_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text(lineage(task_id, index), width="content")
        if parent is not None:
            st.page_link(
                "history.py",
                label=f"Open {literal(parent.name, limit=40)}",
                icon=":material/account_tree:",
                query_params={"task": parent.id},
            )


def _lineage(entry: Entry, kin: Kin) -> None:
    if entry.came_from:
        came_from(entry.came_from, entry.came_from_index, kin)
    if is_pair(entry.batch):
        other = kin.other_half(entry)
        if other is None or not (has_result(entry) and has_result(other)):
            st.text(pair_words(entry, other, time.time()))
            return
        left, right = sorted((entry, other), key=lambda half: (half.created_at, half.id))
        st.page_link(
            "compare.py",
            label="Compare A/B",
            icon=":material/compare:",
            query_params={"left": left.id, "right": right.id},
        )


def watch(shown: Sequence[Entry], *, limit: int, kin: Kin | None = None) -> None:
    """Draw the page again when other tasks are the latest, or another tab moved one of them (or its kin) on."""
    known = {entry.id: entry for entry in (*(kin.entries if kin else ()), *shown)}
    elsewhere = [entry.id for entry in known.values() if entry not in shown and not entry.state.over]

    @st.fragment(run_every=WATCH_SECONDS)
    @protected(quiet=True)
    def look() -> None:
        space = workspace()
        latest = space.history.latest(limit=limit)
        moved = [entry.id for entry in latest] != [entry.id for entry in shown] or any(
            (entry.state in LIVE) != (known[entry.id].state in LIVE)
            for entry in (*latest, *space.history.related(ids=elsewhere))
            if entry.id in known
        )
        if moved:
            st.rerun()

    look()


def wait_until(ready: Callable[[], bool], *, look_every: float = WATCH_SECONDS) -> None:
    """Draw the page again once something is true that the page says is still to come."""

    @st.fragment(run_every=look_every)
    @protected(quiet=True)
    def look() -> None:
        if ready():
            st.rerun()

    look()


def sample_sources() -> dict[str, Source] | None:
    """The sample pictures by name. While they are still being drawn that is said, and the page comes back to it."""
    space = workspace()
    samples = space.sample_sources()
    if samples is None:
        st.caption("The sample pictures are being drawn; this takes a few seconds, once.")
        wait_until(lambda: space.sample_sources() is not None, look_every=REFRESH_SECONDS)
    return samples


def expect(*queued: Entry) -> None:
    """Tell this browser when these tasks end, on whatever page it is then."""
    st.session_state.setdefault("awaited", set()).update(entry.id for entry in queued)


def _outcome(entry: Entry, *, full: bool) -> None:
    if entry.error and entry.state in (State.FAILED, State.AMBIGUOUS):
        st.text(entry.error)
    if entry.state is State.AMBIGUOUS:
        _ways_out(entry)
    elif workspace().sources.can_rescue(entry):
        _rescue(entry)
    elif entry.state is State.FINISHED and full and entry.result_key:
        side_by_side(entry)


def _ways_out(entry: Entry) -> None:
    """An ambiguous task is never sent again by the program: a person decides."""
    st.warning(
        f"It is not known whether JourneyAPI accepted this call and charged {CREDITS_PER_UPSCALE} credits. "
        "Look at your account there, then choose one of the three ways on.",
        icon=":material/help:",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        task_id = st.text_input(
            "It went through: its task ID",
            key=f"bind_{entry.id}",
            max_chars=ID_LIMIT,
            placeholder="Copy it from your JourneyAPI account",
        )
        if st.button("Watch this task", key=f"bind_button_{entry.id}", icon=":material/visibility:"):
            try:
                workspace().history.bind(entry.id, task_id.strip(), words="A person gave the task ID.")
            except InvalidRequest as error:
                say_error(str(error))
            else:
                expect(entry)
                workspace().wake()
                st.rerun()
    with st.container(horizontal=True):
        if st.button("Send again (may cost 2 credits twice)", key=f"again_{entry.id}", icon=":material/send:"):
            workspace().history.send_again(entry.id)
            expect(entry)
            workspace().wake()
            st.rerun()
        if st.button("Drop it", key=f"drop_{entry.id}", icon=":material/delete:"):
            workspace().history.move(entry.id, State.ABANDONED, words="Dropped by a person.")
            st.rerun()


def _rescue(entry: Entry) -> None:
    """JourneyAPI could not work with the parent task: two ways on, each a new task and a person's choice."""
    space = workspace()
    address = space.sources.can_send_address(entry)
    offered = {engine.name for engine in space.engines()}
    if entry.source_key is None or not offered:
        return
    st.caption("The picture itself is known here, so it can be sent without its task.")
    with st.container(horizontal=True):
        if (
            "journeyapi" in offered
            and address
            and st.button(
                f"Send the picture by URL · {CREDITS_PER_UPSCALE} credits more",
                key=f"rescue_url_{entry.id}",
                icon=":material/link:",
            )
        ):
            _queue_rescue(entry, "journeyapi")
        if "embedded" in offered and st.button(
            "Run it here · free", key=f"rescue_here_{entry.id}", icon=":material/computer:"
        ):
            _queue_rescue(entry, "embedded")
    if "journeyapi" in offered and not address:
        st.caption("It cannot be sent to JourneyAPI by URL, because no address of it is known that others can reach.")


def _queue_rescue(entry: Entry, engine: EngineName) -> None:
    space = workspace()
    model = next(iter(space.networks()), None)
    try:
        new = space.sources.rescue(entry, engine=engine, model=model, person=person())
    except JourneyError as error:
        say_error(str(error))
        return
    expect(space.submit(new))
    st.rerun()


def _actions(entry: Entry, *, fills_form: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if entry.state in (State.QUEUED, State.OPEN, State.ARCHIVING):
            label = "Stop" if entry.engine == "embedded" or entry.state is State.QUEUED else "Stop watching"
            if st.button(label, key=f"stop_{entry.id}", icon=":material/stop:"):
                try:
                    workspace().stop_entry(entry)
                except JourneyError as error:
                    say_error(str(error))
                else:
                    st.rerun()
        if entry.state is State.FINISHED and entry.result_key:
            st.link_button(
                f"Download PNG · {file_size(entry.result_bytes)}"
                if str(entry.result_file).endswith(".png")
                else f"Download · {file_size(entry.result_bytes)}",
                f"{address(entry.result_key, str(entry.result_file))}?download",
                type="primary",
                icon=":material/download:",
            )
            st.page_link("compare.py", label="Compare", icon=":material/compare:", query_params={"task": entry.id})
            st.page_link(
                "print_size.py", label="Print-ready file", icon=":material/print:", query_params={"task": entry.id}
            )
        label, icon = "Reuse settings", ":material/tune:"
        if not fills_form:
            st.page_link("upscale.py", label=label, icon=icon, query_params={"again": entry.id})
        elif st.button(label, key=f"use_{entry.id}", icon=icon, type="tertiary"):
            st.session_state.use_again = entry.id
            st.rerun()
        st.page_link("history.py", label="Details", icon=":material/receipt_long:", query_params={"task": entry.id})


def carry_to_upscale(source: Source | None, multiplier: int, plan: Plan) -> None:
    """Open Upscale with this picture (if there is one), paper and multiplier in the form. Does not come back."""
    state = st.session_state
    known = printing.PAPERS.get(plan.paper.name)
    across, down = plan.paper.width, plan.paper.height
    state.for_paper = plan.paper.name
    state.for_custom = None if known else plan.paper
    state.for_turn = "auto" if across == down else "landscape" if across > down else "portrait"
    state.for_fit, state.for_dpi, state.for_bleed, state.scale = plan.fit, f"{plan.dpi:g}", plan.bleed_mm, multiplier
    if source is not None:
        state.way, state.image_url = "url", ""
        state.source, state.parent, state.problem = source, None, None
        state.looked_at = ("print", source.key)
    st.switch_page("upscale.py")


def person() -> str | None:
    """The e-mail address of whoever is signed in, or None without sign-in."""
    return str(st.user.email) if st.user.get("is_logged_in") and st.user.get("email") else None
