"""A batch before anything is spent: the table of its pictures, what is wrong with it, what it costs, and one button."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from journey.printing import STEPS
from journey.studio import HERE, Order, Source, Variant
from journey.studio.batches import lines, looks, rows
from journey.studio.batches.lines import Line
from journey.studio.batches.rows import Row, Totals
from journey.views import batches as words
from journey.views import links
from journey.views.words import counted
from journey.workspace import workspace
from pages.batches.draft import Draft, enter, take_history, the_draft
from pages.batches.settings import Settings, choose_settings
from pages.batches.table import ROW_HEIGHT, table_height
from pages.frame.protection import protected, say_error
from pages.frame.sign_in import tab
from pages.frame.visitor import expect, person
from pages.frame.watching import refreshes

REFRESH_SECONDS = 1.0
SHOWN_PROBLEMS = 8
state = st.session_state


def batch_form() -> None:
    """Enter, choose, review, queue."""
    draft = the_draft()
    take_history(draft)
    given = enter(draft)
    if given is None:
        return
    if not given:
        st.info(
            "Paste addresses or task IDs, or drop files. You see each picture and its price before anything is queued.",
            icon=":material/stacks:",
        )
        return
    if sentence := lines.too_many(len(given)):
        say_error(sentence)
        return
    settings = choose_settings()
    if settings is None:
        return
    _go_on(draft, given, settings)
    waiting = not all(row.is_looked_at for row in _table(draft, given, settings))

    is_refresh = refreshes()

    @st.fragment(run_every=REFRESH_SECONDS if waiting else None)
    @protected()
    def review() -> None:
        _go_on(draft, given, settings)
        table = _table(draft, given, settings)
        if is_refresh() and waiting and all(row.is_looked_at for row in table):
            st.rerun()
        _review(draft, table, settings)

    review()


def _go_on(draft: Draft, given: Sequence[Line], settings: Settings) -> None:
    """In the background, look at pictures that nobody has looked at yet."""
    space = workspace()
    # A task may belong to any provider; the one that is chosen is asked first.
    providers = sorted(space.clients, key=lambda provider: provider != settings.variant.provider)
    intake = space.intake.asked_by(tab())
    draft.looks.ahead(
        (
            line.wanted,
            draft.uploads.get(line.wanted) or partial(looks.take, line.wanted, intake, space.history, providers),
        )
        for line in given
        if line.wanted
    )
    looked_at = [look for line in given if line.wanted and (look := draft.looks.of(line.wanted))]
    intake.shown(*(source for look in looked_at for source in look.sources))
    for wanted in [wanted for wanted in draft.uploads if draft.looks.of(wanted)]:
        draft.uploads[wanted] = tuple  # its bytes are stored by now


def _table(draft: Draft, given: Sequence[Line], settings: Settings) -> list[Row]:
    provider, orders = settings.variant.provider, workspace().orders

    def problem(source: Source, scale: int) -> str | None:
        ask = partial(orders.problem, source, provider=provider, scale=scale)
        if provider.is_here or source.image_url is None:
            return ask()
        return draft.looks.problem((source.image_url, provider, scale), ask)

    return rows.rows(
        given,
        lambda line: draft.looks.of(line.wanted) if line.wanted else None,
        target=settings.target,
        for_all=settings.for_all,
        choices=draft.choices,
        problem=problem,
    )


def _review(draft: Draft, table: list[Row], settings: Settings) -> None:
    total = rows.totals(table, settings.variant.provider, _seconds_per_pixel(settings.variant))
    if total.looking:
        done = len(table) - total.looking
        st.progress(done / len(table), text=f"Looking at the pictures: {done:,} of {len(table):,}")
    else:
        st.markdown(f"**{words.totals(total)}**")
    _draw_table(draft, table, settings)
    _say_problems(draft, table)
    _submit(draft, table, total, settings)


def _draw_table(draft: Draft, table: list[Row], settings: Settings) -> None:
    keys = tuple(row.key for row in table)
    if keys != draft.shown:
        draft.shown, draft.revision = keys, draft.revision + 1
    key = f"batch_table_{draft.revision}"
    provider, for_paper = settings.variant.provider, settings.target is not None
    way_problem = workspace().orders.way_problem
    shown = pd.DataFrame([words.cells(row, provider, for_paper=for_paper, way_problem=way_problem) for row in table])
    st.data_editor(
        shown,
        key=key,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=table_height(len(table)),
        placeholder="",
        disabled=[name for name in shown.columns if name != "Enlarge"],
        on_change=_take_choices,
        args=(draft, key),
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Enlarge": st.column_config.SelectboxColumn(options=list(words.CHOICES), width=90),
            "Name": st.column_config.TextColumn(width=150),
            "On paper": st.column_config.TextColumn(width=320),
            "Result": st.column_config.TextColumn(width=190),
            "Note": st.column_config.TextColumn(width="medium"),
        },
        alt="The pictures of this batch, and what is done with each",
    )


def _take_choices(draft: Draft, key: str) -> None:
    for place, changes in state[key]["edited_rows"].items():
        if changes.get("Enlarge") in words.CHOICES:
            draft.choices[draft.shown[int(place)]] = words.CHOICES[changes["Enlarge"]]


def _say_problems(draft: Draft, table: Sequence[Row]) -> None:
    """Every line that cannot be used, in full: a cell of the table may be too narrow for its sentence."""
    bad = [row for row in table if row.problem]
    title = words.problems(table)
    if title is None:
        return
    with st.expander(title, expanded=len(bad) <= SHOWN_PROBLEMS, icon=":material/error:"):
        for row in bad:
            st.text(f"{row.line.place} · {row.name}\n{row.problem}")
        wanted = [row.line.wanted for row in bad if row.line.wanted and row.source is None]
        again = [each for each in wanted if each.kind != "upload"]
        if again and st.button("Look at these again", key="batch_again", icon=":material/refresh:"):
            draft.looks.forget(again)
            st.rerun()


def _seconds_per_pixel(variant: Variant) -> dict[int, float]:
    """The time here, by multiplier: of the second step alone when the first runs elsewhere."""
    known: dict[int, float | None] = {}
    for scale, (first, *following) in STEPS.items():
        size = 1000, 1000
        if variant.provider.is_here:
            known[scale] = workspace().usual_seconds(variant, scale, size=size)
        elif following:
            here = Variant(HERE)
            known[scale] = workspace().usual_seconds(here, following[0], size=(size[0] * first, size[1] * first))
    return {scale: seconds / 1e6 for scale, seconds in known.items() if seconds is not None}


def _submit(draft: Draft, table: Sequence[Row], total: Totals, settings: Settings) -> None:
    provider = settings.variant.provider
    cost = "free"
    if provider.is_paid:
        account, budget = workspace().balance(provider), workspace().budget()
        balance = account.credits if account else None
        st.markdown(f"**{words.price(total.credits, balance)}**")
        if sentence := words.shortfall(provider, total.credits, balance, budget.left if budget else None):
            st.warning(sentence, icon=":material/account_balance_wallet:")
        cost = counted(total.credits, "credit")
        if remark := words.second_steps(table, total):
            st.markdown(remark)
    else:
        st.markdown(words.free(total))
    name = st.text_input(
        "Name of the batch (optional)", key="batch_name", max_chars=80, persist_state="session", width=320
    )
    clicked = st.button(
        f"Upscale {counted(total.runs, 'picture')} · {cost}",
        key="batch_submit",
        type="primary",
        icon=":material/auto_awesome:",
        disabled=not total.runs,
    )
    if remark := words.still_looking(total):
        st.caption(remark)
    if clicked:
        _queue(draft, table, settings, name.strip())


def _queue(draft: Draft, table: Sequence[Row], settings: Settings, name: str) -> None:
    """All rows to enlarge become entries, once: a second click has the same batch id."""
    wanted = [
        Order(
            source=row.source,
            variant=settings.variant,
            scale=row.choice,
            then_network=next(iter(workspace().networks()), None),
            person=person(),
        )
        for row in table
        if row.runs and row.source
    ]
    paper = f" for {settings.target.paper.name}" if settings.target else ""
    batch = workspace().orders.place_batch(
        draft.batch_id, wanted, name=name or counted(len(wanted), "picture") + paper, person=person()
    )
    expect(*(item.entry for item in workspace().batches.items(batch.id)))
    left = [row.line for row in table if row.problem or not row.is_looked_at]
    text = [line.text for line in left if line.wanted is None or line.wanted.kind in ("url", "task")]
    state.batch_draft = Draft(
        draft.looks,
        lines=[line for line in left if line.wanted and line.wanted.kind in ("upload", "entry", "copy")],
        uploads=draft.uploads,
        given=draft.given + 1,
    )
    state.batch_next_text, state.batch_queued = "\n".join(dict.fromkeys(text)), links.batch(batch.id)
    state.batch_left = batch.id, len(left)
    state.pop("batch_from", None)
    st.rerun()
