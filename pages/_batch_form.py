"""What goes into a batch, and the table of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
import streamlit as st

from journey import printing
from journey.history import EngineName
from journey.pictures.previews import THUMBNAIL
from journey.printing import inputs as print_inputs
from journey.storage.files import file_url
from journey.studio.batches import inputs, looks, rows
from journey.studio.batches.inputs import Line, Table, Wanted
from journey.studio.batches.looks import Looks
from journey.studio.batches.rows import SKIP, Choice, Row, Target, Totals
from journey.studio.intake import Source, new_entry
from journey.views import batches as words
from journey.views.words import cost_words, counted, duration, literal, pixels
from journey.workspace import LABELS, workspace
from pages import _parts
from pages._batch_view import ROW_HEIGHT, SECONDS_EACH, table_height

REFRESH_SECONDS = 1.0
SHOWN_PROBLEMS = 8
NO_PAPER = "none"
TURNS = {"auto": "As it fits", "portrait": "Portrait", "landscape": "Landscape"}
FITS = {"crop": "Crop", "contain": "Contain"}
FOR_ALL: dict[str, Choice | None] = {"As suggested": None, "2x": 2, "4x": 4}
CHOICES: dict[str, Choice] = {"4x": 4, "2x": 2, "skip": SKIP}
CHOICE_NAMES = {value: name for name, value in CHOICES.items()}
NOT_A_TABLE = -1
state = st.session_state


@dataclass(frozen=True)
class Settings:
    """What holds for the whole batch."""

    engine: EngineName
    network: str | None
    target: Target | None
    for_all: Choice | None


@dataclass
class Draft:
    """What one person has given so far. It stays when the page is left, until it is queued or cleared.

    `revision` tells tables with other rows apart, whose edits must not be mixed up.
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


def show() -> None:
    draft = the_draft()
    take_history(draft)
    given = inputs.merged([*entered(draft), *draft.lines])
    if not given:
        st.info(
            "Paste addresses or task IDs, or drop files. You see each picture and its price before anything is queued.",
            icon=":material/stacks:",
        )
        return
    if sentence := inputs.too_many(len(given)):
        _parts.say_error(sentence)
        return
    settings = choose_settings()
    if settings is None:
        return
    go_on(draft, given, settings)
    waiting = not all(row.is_looked_at for row in table_of(draft, given, settings))

    @st.fragment(run_every=REFRESH_SECONDS if waiting else None)
    @_parts.protected()
    def review() -> None:
        go_on(draft, given, settings)
        table = table_of(draft, given, settings)
        if waiting and all(row.is_looked_at for row in table):
            st.rerun()
        draw(draft, table, settings)

    review()


def the_draft() -> Draft:
    state.setdefault("batch_text", "")
    state.setdefault("batch_paper", NO_PAPER)
    state.setdefault("batch_turn", "auto")
    state.setdefault("batch_fit", "crop")
    state.setdefault("batch_dpi", "300")
    state.setdefault("batch_all", "As suggested")
    if "batch_next_text" in state:
        state.batch_text, state.batch_name = state.pop("batch_next_text"), ""
    if "batch_draft" not in state:
        state.batch_draft = Draft(Looks(workspace().looking))
    return state.batch_draft  # type: ignore[no-any-return]


def take_history(draft: Draft) -> None:
    """`?from=ID,ID`: finished tasks of the history, whose results are enlarged further."""
    asked = st.query_params.get("from")
    if asked is None or asked == state.get("batch_from"):
        return
    state.batch_from = asked
    draft.lines = [line for line in draft.lines if line.wanted is None or line.wanted.kind != "entry"]
    for place, entry_id in enumerate(filter(None, asked.replace(",", " ").split()), start=1):
        draft.lines.append(Line(f"Task {place} of History", entry_id[:80], Wanted("entry", entry_id[:80])))


def entered(draft: Draft) -> list[Line]:
    """The text and the dropped tables as lines; dropped pictures join the draft."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        text = st.text_area(
            "Addresses or task IDs, one per line, or a CSV",
            key="batch_text",
            height=190,
            persist_state="session",
            placeholder="https://example.com/picture.png\n994c2844-…\n994c2844-… 3",
            help="A task ID brings all four pictures of a grid; “ID 3” only the third. "
            "Press Ctrl + Enter, or click outside, to see the pictures.",
        )
    with right:
        st.file_uploader(
            "Pictures, or a CSV",
            type=["png", "jpg", "jpeg", "webp", "csv", "txt"],
            accept_multiple_files=True,
            key=f"batch_files_{draft.given}",
            on_change=take_files,
            args=(draft,),
            max_upload_size=max(1, workspace().settings.max_bytes // 2**20),
        )
        if text or draft.tables or draft.lines:
            st.button("Clear all", key="batch_clear", icon=":material/delete_sweep:", on_click=clear, args=(draft,))
    table = inputs.table(text)
    lines = inputs.lines(text) if table is None else cells("the text", table, "batch_column", may_be_list=True)
    if lines is None:
        lines = inputs.lines(text)
    for place, (name, dropped) in enumerate(draft.tables):
        lines += cells(name, dropped, f"batch_column_{draft.given}_{place}") or []
    return lines


def cells(name: str, table: Table, key: str, *, may_be_list: bool = False) -> list[Line] | None:
    """The lines of the column that was found, or is chosen here; None when it shall be read as a plain list."""
    choices = [*range(len(table.names)), *([NOT_A_TABLE] if may_be_list else [])]
    column = st.selectbox(
        f"Column of the addresses in {literal(name)}",
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
        _parts.say_error(
            f"None of the columns in {name} holds addresses. Choose the one with addresses or task IDs, "
            "or drop another file."
        )
        return []
    return table.lines(column)


def take_files(draft: Draft) -> None:
    """What was dropped moves into the draft, so that it stays when the page is left."""
    for file in state[f"batch_files_{draft.given}"]:
        if file.name.lower().endswith((".csv", ".txt")):
            text = inputs.decode(file.getvalue())
            if table := inputs.table(text, is_file=True):
                draft.tables.append((file.name, table))
            else:
                draft.lines += inputs.lines(text)
            continue
        wanted = Wanted("upload", f"{len(draft.lines)} {draft.given} {file.name}")
        draft.uploads[wanted] = partial(take_upload, file.name, file.getvalue())
        draft.lines.append(Line(f"File {len(draft.uploads)}", file.name, wanted))
    draft.given += 1


def take_upload(name: str, data: bytes) -> tuple[Source]:
    return (workspace().sources.from_upload(name, data),)


def clear(draft: Draft) -> None:
    state.batch_next_text = ""
    state.pop("batch_from", None)
    state.batch_draft = Draft(draft.looks, given=draft.given + 1)
    st.query_params.clear()


def choose_settings() -> Settings | None:
    """Paper, multiplier and engine of the whole batch; None while something is wrong with them."""
    labels = {NO_PAPER: "No paper in mind"} | {name: print_inputs.target_label(name) for name in printing.PAPERS}
    with st.container(horizontal=True):
        st.selectbox(
            "For paper",
            list(labels),
            format_func=labels.__getitem__,
            key="batch_paper",
            persist_state="session",
            width=300,
        )
        if state.batch_paper != NO_PAPER:
            choice("Orientation", TURNS, "batch_turn")
            choice("Fit", FITS, "batch_fit")
            st.text_input("DPI", key="batch_dpi", max_chars=20, persist_state="session", width=90)
    with st.container(horizontal=True):
        st.segmented_control(
            "Enlarge all",
            list(FOR_ALL),
            required=True,
            key="batch_all",
            persist_state="session",
            on_change=forget_choices,
            help="As suggested: the smallest that is enough for the paper, and 4x without one.",
        )
        names = [engine.name for engine in workspace().engines()]
        if not names:
            return None
        engine: EngineName = names[0]
        if len(names) > 1:
            state.setdefault("batch_engine", names[0])
            labels = {name: f"{LABELS[name]} · {cost_words(name)}" for name in names}
            engine = choice("Engine", labels, "batch_engine")  # type: ignore[assignment]
        networks = workspace().networks() if engine == "embedded" else {}
        network = None
        if networks:
            state.setdefault("batch_network", next(iter(networks)))
            network = choice(
                "Network", {name: literal(shown).capitalize() for name, shown in networks.items()}, "batch_network"
            )
    target = None
    if state.batch_paper != NO_PAPER:
        try:
            dpi = print_inputs.number(state.batch_dpi, "DPI")
            target = Target(printing.PAPERS[state.batch_paper], dpi, state.batch_fit, state.batch_turn)
        except ValueError as error:
            _parts.say_error(str(error))
            return None
    return Settings(engine, network, target, FOR_ALL[state.batch_all])


def choice(label: str, options: dict[str, str], key: str) -> str:
    return str(
        st.segmented_control(
            label, list(options), required=True, format_func=options.__getitem__, key=key, persist_state="session"
        )
    )


def forget_choices() -> None:
    """A multiplier for all replaces those of single rows."""
    draft = the_draft()
    draft.choices.clear()
    draft.revision += 1


def go_on(draft: Draft, given: Sequence[Line], settings: Settings) -> None:
    """Look at what nobody has looked at yet, in the background."""
    space = workspace()
    # A task may belong to either engine; the one that is chosen is asked first.
    engines = sorted(space.clients, key=lambda name: name != settings.engine)
    draft.looks.ahead(
        (
            line.wanted,
            draft.uploads.get(line.wanted) or partial(looks.take, line.wanted, space.sources, space.history, engines),
        )
        for line in given
        if line.wanted
    )
    for wanted in [wanted for wanted in draft.uploads if draft.looks.of(wanted)]:
        draft.uploads[wanted] = tuple  # its bytes are stored by now


def table_of(draft: Draft, given: Sequence[Line], settings: Settings) -> list[Row]:
    sources = workspace().sources

    def problem(source: Source, scale: int) -> str | None:
        ask = partial(sources.problem, source, engine=settings.engine, scale=scale)
        if settings.engine == "embedded" or source.image_url is None:
            return ask()
        return draft.looks.problem((source.image_url, settings.engine, scale), ask)

    return rows.rows(
        given,
        lambda line: draft.looks.of(line.wanted) if line.wanted else None,
        target=settings.target,
        for_all=settings.for_all,
        choices=draft.choices,
        problem=problem,
    )


def draw(draft: Draft, table: list[Row], settings: Settings) -> None:
    """The table, what is wrong with it, what it costs, and the one button."""
    total = rows.totals(table, settings.engine, seconds_per_pixel(settings))
    if total.looking:
        st.progress(
            1 - total.looking / len(table),
            text=f"Looking at the pictures: {len(table) - total.looking:,} of {len(table):,}",
        )
    else:
        st.markdown(f"**{words.totals(total)}**")
    keys = tuple(row.key for row in table)
    if keys != draft.shown:
        draft.shown, draft.revision = keys, draft.revision + 1
    key = f"batch_table_{draft.revision}"
    st.data_editor(
        pd.DataFrame([cells_of(row, settings) for row in table]),
        key=key,
        hide_index=True,
        row_height=ROW_HEIGHT,
        height=table_height(len(table)),
        placeholder="",
        disabled=["Picture", "Name", "Pixels", "On paper", "Result", "Cost", "Note"],
        on_change=take_choices,
        args=(draft, key),
        column_config={
            "Picture": st.column_config.ImageColumn(width="small"),
            "Enlarge": st.column_config.SelectboxColumn(options=list(CHOICES), width=90),
            "Name": st.column_config.TextColumn(width=150),
            "On paper": st.column_config.TextColumn(width=320),
            "Result": st.column_config.TextColumn(width=190),
            "Note": st.column_config.TextColumn(width="medium"),
        },
        alt="The pictures of this batch, and what is done with each",
    )
    say_problems(draft, table)
    submit(draft, table, total, settings)


def cells_of(row: Row, settings: Settings) -> dict[str, object]:
    source, plan = row.source, row.plan
    option = plan.options[row.choice] if plan and row.runs else None
    shown = {
        "Picture": file_url("", source.key, THUMBNAIL) if source else None,
        "Enlarge": CHOICE_NAMES[row.choice] if source and row.is_looked_at else None,
        "Name": row.name,
        "Pixels": pixels(source.width, source.height) if source else "–",
        "On paper": plan.verdict if plan else None,
        "Result": (pixels(*row.result) + (f" · {option.dpi_shown} DPI" if option else "")) if row.result else "–",
        "Cost": (f"{row.credits(settings.engine)} credits" if row.credits(settings.engine) else "free")
        if row.runs
        else "–",
        "Note": " ".join(filter(None, (row.problem, *row.notes)))
        if row.is_looked_at
        else " ".join(("Being looked at.", *row.notes)),
    }
    if settings.target is None:
        del shown["On paper"]
    return shown


def take_choices(draft: Draft, key: str) -> None:
    for place, changes in state[key]["edited_rows"].items():
        if changes.get("Enlarge") in CHOICES:
            draft.choices[draft.shown[int(place)]] = CHOICES[changes["Enlarge"]]


def say_problems(draft: Draft, table: Sequence[Row]) -> None:
    """Every line that cannot be used, in full: a cell of the table may be too narrow for its sentence."""
    bad = [row for row in table if row.problem]
    if not bad:
        return
    title = f"{counted(len(bad), 'line')} cannot be used" + (", the others can" if len(bad) < len(table) else "")
    with st.expander(title, expanded=len(bad) <= SHOWN_PROBLEMS, icon=":material/error:"):
        for row in bad:
            st.text(f"{row.line.place} · {row.name}\n{row.problem}")
        wanted = [row.line.wanted for row in bad if row.line.wanted and row.source is None]
        again = [each for each in wanted if each.kind != "upload"]
        if again and st.button("Look at these again", key="batch_again", icon=":material/refresh:"):
            draft.looks.forget(again)
            st.rerun()


def seconds_per_pixel(settings: Settings) -> dict[int, float]:
    engine = workspace().engine
    if settings.engine != "embedded" or engine is None or settings.network is None:
        return {}
    return {scale: engine.estimate_seconds(1000, 1000, settings.network, scale) / 1e6 for scale in (2, 4)}


def submit(draft: Draft, table: Sequence[Row], total: Totals, settings: Settings) -> None:
    space = workspace()
    if settings.engine == "journeyapi":
        account, budget = space.balance(), space.budget()
        balance = account.credits if account else None
        st.markdown(f"**{words.price(total.credits, balance)}**")
        if sentence := words.shortfall(total.credits, balance, budget.left if budget else None):
            st.warning(sentence, icon=":material/account_balance_wallet:")
        cost = f"{total.credits:,} credits"
    else:
        seconds = total.seconds + SECONDS_EACH * total.runs
        st.markdown(f"**Free** · about {duration(seconds)} on this machine" if total.runs else "**Free**")
        cost = "free"
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
    if total.looking and total.runs:
        st.caption(f"{counted(total.looking, 'picture')} still being looked at will stay here for a next batch.")
    elif not total.runs and not total.looking:
        st.caption("There is nothing to enlarge: choose 2x or 4x for a picture.")
    if clicked:
        queue(draft, table, settings, name.strip())


def queue(draft: Draft, table: Sequence[Row], settings: Settings, name: str) -> None:
    """All rows that run become entries, once: the batch's id is the same for a second click."""
    space = workspace()
    wanted = [
        new_entry(
            row.source,
            engine=settings.engine,
            scale=row.choice,
            model=settings.network,
            person=_parts.person(),
            batch=draft.batch_id,
        )
        for row in table
        if row.runs and row.source
    ]
    paper = f" for {settings.target.paper.name}" if settings.target else ""
    batch = space.batches.queue(
        draft.batch_id, wanted, name=name or counted(len(wanted), "picture") + paper, person=_parts.person()
    )
    space.wake()
    # The frame tells this browser when they have ended.
    _parts.expect(*(item.entry for item in space.batches.items(batch.id)))
    left = [row.line for row in table if row.problem or not row.is_looked_at]
    text = [line.text for line in left if line.wanted is None or line.wanted.kind in ("url", "task")]
    state.batch_draft = Draft(
        draft.looks,
        lines=[line for line in left if line.wanted and line.wanted.kind in ("upload", "entry")],
        uploads=draft.uploads,
        given=draft.given + 1,
    )
    state.batch_next_text, state.batch_queued = "\n".join(dict.fromkeys(text)), batch.id
    state.batch_left = batch.id, len(left)
    state.pop("batch_from", None)
    st.rerun()
