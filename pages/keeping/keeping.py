"""What was entered stays in the visitor's tab, and is there again when the server has forgotten it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

from journey import printing
from journey.errors import JourneyError
from journey.printing import Unit
from journey.studio import KeptPicture, Source
from journey.studio.batches.lines import Line, Wanted
from journey.views import kept
from journey.views.kept import File, Kept, Looked
from journey.views.words import literal
from journey.workspace import workspace
from pages.batches.draft import Draft, the_draft
from pages.forms.paper import NO_PAPER
from pages.frame.protection import acting, protected
from pages.frame.sign_in import tab

_COMPONENT = st.components.v2.component("keeping", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))
KEEP_SECONDS = 2.0
state = st.session_state


@contextmanager
def bringing_back() -> Iterator[None]:
    """Put words that the browser has kept into the inputs of the page that is run inside.

    The browser sends what its inputs show along with each of its wishes, and words that a run has not shown yet lose
    against that. So they are put in until a run has drawn its inputs to the end, not overtaken by the next.
    """
    state.update(state.get("kept_words", {}))
    overtaken = False
    try:
        yield
    except RerunException:
        overtaken = True
        raise
    finally:
        if not overtaken:
            state.pop("kept_words", None)


def keep() -> None:
    """Draw nothing, and have the browser keep what this run has. Call it at the very end of a run."""
    state.setdefault("kept_by", secrets.token_hex(8))
    # The files of a batch are stored one by one, and its name is typed, without a run of the whole page.
    is_batch = "batch_draft" in state and state.get("page_shown") == "Batch"

    @st.fragment(run_every=KEEP_SECONDS if is_batch else None)
    @protected(quiet=True)
    def tell() -> None:
        if state.pop("kept_is_back", False):
            st.rerun()
        data = {
            "visit": state.kept_by,
            "restored": state.get("kept_restored"),
            "entered": _entered().model_dump(exclude_none=True),
            "secrets": list(kept.SECRETS),
        }
        _COMPONENT(key="keeping", data=data, on_told_change=_restore)

    tell()


def say_lost(page: str) -> None:
    """The files that could not come back, said on the page on which that was found out, until it is left."""
    lost: tuple[str, list[str]] | None = state.get("files_lost")
    if lost is None:
        return
    shown_on, names = lost
    if shown_on in ("", page):
        state.files_lost = page, names
        st.warning(literal(kept.lost_words(names), limit=1000), icon=":material/upload_file:")
    else:
        del state.files_lost


def _entered() -> Kept:
    paper = state.get("for_custom")
    draft: Draft | None = state.get("batch_draft")
    return Kept(
        words=kept.entered({name: state[name] for name in kept.NAMES if name in state}),
        paper=(paper.width, paper.height, paper.unit) if paper else None,
        upscale=_looked(state.get("source"), state.get("looked_at")),
        planner=_looked(state.get("print_source"), state.get("print_looked_at")),
        files=_files(draft) if draft else [],
        choices=dict(draft.choices) if draft else {},
    )


def _looked(source: Source | None, looked_at: tuple[str, object] | None) -> Looked | None:
    if source is None or looked_at is None:
        return None
    way, about = looked_at
    return Looked(picture=KeptPicture.of(source), way=way, words=about if isinstance(about, str) else None)


def _files(draft: Draft) -> list[File]:
    """The files of the draft. Those that were looked at are stored; nothing is of those still to come."""
    found = [File(name=name) for name, _ in draft.lists]
    for line in draft.lines:
        if line.wanted and line.wanted.kind == "upload":
            look = draft.looks.of(line.wanted)
            sources = look.sources if look else ()
            found.append(File(name=line.text, picture=KeptPicture.of(sources[0]) if sources else None))
    return found


@acting
def _restore() -> None:
    """Take back what the browser has kept for a server that has forgotten this tab."""
    told = state.keeping.told
    if not isinstance(told, dict) or told.get("visit") == state.get("kept_restored"):
        return
    state.kept_restored, state.kept_is_back = told.get("visit"), True
    entered = kept.read(told.get("entered"))
    # An empty field may have words by now that are typed, but not sent yet.
    state.kept_words = {name: words for name, words in entered.words.items() if words != ""}
    lost = [*_restore_upscale(entered), *_restore_planner(entered), *_restore_batch(entered)]
    if lost:
        state.files_lost = "", lost


def _restore_upscale(entered: Kept) -> list[str]:
    """Returns the name of an upload that is gone."""
    if entered.paper:
        width, height, unit = entered.paper
        try:
            state.for_custom = printing.custom_paper(width, height, _unit(unit))
        except ValueError:
            state.for_custom = None
    looked = entered.upscale
    if looked is None:
        return []
    # Nothing that is proposed for a picture takes the place of what was chosen for it.
    state.scale_is_meant = entered.words.get("for_paper", NO_PAPER) != NO_PAPER
    state.network_is_meant = True
    if looked.way == "task" and looked.picture.index:
        state.picked = looked.picture.index  # the other pictures of its grid are looked at with it
        return []
    return _found(looked, "source", "looked_at")


def _restore_planner(entered: Kept) -> list[str]:
    return _found(entered.planner, "print_source", "print_looked_at") if entered.planner else []


def _found(looked: Looked, source: str, looked_at: str) -> list[str]:
    """Put a picture back into a form. Returns the name of an upload that is gone; others are looked at once more."""
    try:
        state[source] = looked.picture.found(workspace().intake)
    except JourneyError:
        return [looked.picture.name] if looked.way == "upload" else []
    state[looked_at] = looked.way, looked.words
    return []


def _restore_batch(entered: Kept) -> list[str]:
    """Returns the names of files that are gone."""
    if not entered.files and not entered.choices:
        return []
    draft = the_draft()
    draft.choices.update({key: choice for key, choice in entered.choices.items() if choice in (0, 2, 4, 8, 16)})  # type: ignore[misc]
    lost = []
    for place, file in enumerate(entered.files):
        if file.picture is None:
            lost.append(file.name)
            continue
        wanted = Wanted("upload", f"{place} kept {file.picture.key}")
        draft.uploads[wanted] = partial(_again, tab(), file.picture)
        draft.lines.append(Line(f"File {len(draft.uploads)}", file.name, wanted))
    return lost


def _again(asker: str, picture: KeptPicture) -> tuple[Source]:
    return (picture.found(workspace().intake.asked_by(asker)),)


def _unit(text: str) -> Unit:
    return text if text in ("in", "cm", "mm") else "mm"  # type: ignore[return-value]
