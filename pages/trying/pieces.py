"""A piece of the picture in the form, enlarged with every network before anything is queued."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from journey.errors import FileMissing, JourneyError
from journey.studio import PROVIDERS, Source, Variant
from journey.views import trying
from journey.workspace import workspace
from pages.forms.settings import use_network
from pages.frame.protection import protected, say_error
from pages.frame.watching import refreshes

LOOK_SECONDS = 0.4
state = st.session_state


def _part(ending: str) -> str:
    return Path(__file__).with_suffix(f".{ending}").read_text(encoding="utf-8")


_COMPONENT = st.components.v2.component("try_pieces", html=_part("html"), css=_part("css"), js=_part("js"))


@dataclass(frozen=True)
class _Try:
    """What is being made of one place; `original` is the place without a network."""

    about: tuple[object, ...]
    box: tuple[int, int, int, int]
    original: Future[Any]
    pieces: dict[str, Future[Any]]

    @property
    def is_over(self) -> bool:
        return self.original.done() and all(piece.done() for piece in self.pieces.values())


def offer_a_piece(variant: Variant | None) -> None:
    """The switch below the networks, and what it does. Nothing where no engine runs."""
    engine = workspace().engine
    if engine is not None:
        st.toggle(
            "Try a piece first",
            key="trying",
            persist_state="session",
            on_change=_switched,
            help=trying.offer(engine.piece_seconds(_names(variant))),
        )


def show_pieces(source: Source, scale: int, variant: Variant | None) -> None:
    """The picture with a frame, and what each network makes of the place in it, as far as it is done."""
    engine = workspace().engine
    if engine is None or not state.get("trying"):
        return
    st.header("A piece of it, enlarged", anchor=False)
    names = _names(variant)
    st.caption(trying.offer(engine.piece_seconds(names)))
    try:
        tried = _tried(source, scale, names)
    except FileMissing:
        say_error("This picture is no longer stored here, so no piece of it can be tried. Choose it again.")
        return

    was_over, is_refresh = tried.is_over, refreshes()

    @st.fragment(run_every=None if was_over else LOOK_SECONDS)
    @protected()
    def pieces() -> None:
        shown = _tried(source, scale, names)
        # Another place or network was chosen, or everything is done and there is nothing to wait for.
        is_news = shown is not tried or state.pop("piece_was_chosen", False) or (shown.is_over and not was_over)
        if is_refresh() and is_news:
            st.rerun()
        _draw(source, shown, variant)

    pieces()


def _switched() -> None:
    state.try_arrivals = state.get("try_arrivals", 0) + int(state.trying)


def _names(variant: Variant | None) -> list[str]:
    """The quickest first, and a blend that is chosen last."""
    networks = workspace().networks()
    order = sorted(networks, key=lambda name: workspace().usual_seconds(_here(name), 4, size=(512, 512)) or 0)
    chosen = variant.network if variant and variant.network else None
    return [*order, chosen] if chosen and chosen not in order else order


def _here(network: str) -> Variant:
    return Variant(next(provider for provider in PROVIDERS.values() if provider.is_here), network)


def _tried(source: Source, scale: int, names: list[str]) -> _Try:
    """What is being made of the chosen place, or of the most detailed one; begun when it is another than before."""
    engine = workspace().engine
    assert engine is not None  # noqa: S101 - both callers look first
    pieces, picture = engine.pieces, source.stored
    place = state.get("try_place", {}).get(picture.key) or pieces.most_detailed(picture)
    box = pieces.box(picture.size, *place)
    about = (picture.key, scale, box, *names)
    before: _Try | None = state.get("tried")
    if before is not None and before.about == about:
        return before
    if before is not None:
        for future in (before.original, *before.pieces.values()):
            future.cancel()
    original = pieces.original(picture, scale, box)
    made = {name: pieces.make(picture, name, scale, box) for name in names}
    state.tried = _Try(about, (box.left, box.top, box.right, box.bottom), original, made)
    return state.tried  # type: ignore[no-any-return]  # the session holds anything


def _draw(source: Source, tried: _Try, variant: Variant | None) -> None:
    panels = [_panel(name, future, variant) for name, future in tried.pieces.items()]
    original = _panel("", tried.original, None).png
    _COMPONENT(
        key="try_pieces",
        data=trying.data(
            source.stored, source.name, tried.box, original, panels, arrivals=state.get("try_arrivals", 0)
        ),
        on_spot_change=lambda: _moved(source),
        on_choice_change=_chosen,
    )


def _panel(name: str, future: Future[Any], variant: Variant | None) -> trying.Panel:
    is_chosen = variant is not None and variant.network == name
    if not future.done():
        return trying.Panel(name, is_chosen=is_chosen)
    try:
        return trying.Panel(name, future.result().png, is_chosen=is_chosen)
    except JourneyError as error:
        return trying.Panel(name, problem=str(error), is_chosen=is_chosen)
    except (CancelledError, OSError):
        return trying.Panel(name, problem="This piece was given up. Choose the place again.", is_chosen=is_chosen)


def _moved(source: Source) -> None:
    spot = state.try_pieces.spot
    if spot:
        x, y = (min(1.0, max(0.0, float(part))) for part in spot[:2])
        state.setdefault("try_place", {})[source.stored.key] = (x, y)


def _chosen() -> None:
    name = state.try_pieces.choice
    if name:
        state.provider = _here(str(name)).provider.name
        use_network(str(name))
        state.piece_was_chosen = True
