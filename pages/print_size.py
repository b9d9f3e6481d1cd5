"""Print planning: from a picture or a paper to the multiplier it takes, and to the file for the print shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from PIL import Image

from journey import printing
from journey.api.models import URL_LIMIT
from journey.errors import FileMissing, JourneyError
from journey.history import Entry, State
from journey.printing import Paper, Plan, Screen, Unit
from journey.printing import inputs as print_inputs
from journey.studio.intake import Source
from journey.views.words import cost_words, literal, moment, pixels
from journey.workspace import workspace
from pages import _address, _parts, _print_plan, _print_ready, _print_tables

TASKS = 100
NUMBER_LIMIT = 40
QUESTIONS = {"picture": "What can I print?", "paper": "What do I need?"}
WAYS = {"pixels": "Pixels", "url": "Image URL", "upload": "Upload", "task": "A task", "sample": "Sample"}
SIDES = {"result": "Result", "original": "Original"}
TURNS = {"auto": "As it fits", "portrait": "Portrait", "landscape": "Landscape"}
FITS = {"crop": "Crop", "contain": "Contain"}
UNITS = {unit: unit for unit in ("cm", "mm", "in")}
PAPERS = {name: name[:1].upper() + name[1:] for name in ("all", *printing.FAMILIES)}
LINKS_KEPT = 20

space = workspace()
state = st.session_state


@dataclass(frozen=True)
class Field:
    """An input of this page as it stands in the address. Without choices any text is kept, and judged when used."""

    default: str
    choices: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    """The ways to give a picture that it belongs to; it is left out of the address for others."""


SAMPLES = ("fjord", "koi", "city")
FIELDS = {
    "ask": Field("picture", tuple(QUESTIONS)),
    "from": Field("pixels", tuple(WAYS)),
    "w": Field("1024", ways=("pixels",)),
    "h": Field("1024", ways=("pixels",)),
    "url": Field("", ways=("url",)),
    "task": Field("", ways=("task",)),
    "side": Field("result", tuple(SIDES), ways=("task",)),
    "sample": Field("fjord", SAMPLES, ways=("sample",)),
    "paper": Field("A3", print_inputs.TARGETS),
    "pw": Field("30"),
    "ph": Field("40"),
    "pu": Field("cm", tuple(UNITS)),
    "turn": Field("auto", tuple(TURNS)),
    "fit": Field("crop", tuple(FITS)),
    "bleed": Field("0"),
    "dpi": Field("300"),
    "unit": Field("cm", tuple(UNITS)),
    "at": Field("50"),
}


def key(name: str) -> str:
    return f"print_{name}"


def value(name: str) -> str:
    return str(state[key(name)])


def take_address() -> bool:
    """Take the inputs from the address and say so, when a link (or the Back button) led here."""
    for name, field in FIELDS.items():
        state.setdefault(key(name), field.default)
    state.setdefault(key("family"), "all")
    given = st.query_params.to_dict()
    if not given or given == state.get("print_address") or _address.is_late(given):
        return False
    # The Back button leads to an address as it was linked to, and to all that was set when it was.
    given = state.get("print_links", {}).get(frozenset(given.items()), given)
    problems = []
    for name in FIELDS.keys() & given.keys():
        field, text = FIELDS[name], given[name]
        known = {choice.lower(): choice for choice in field.choices}
        if not field.choices:
            state[key(name)] = text[:URL_LIMIT]
        elif text.lower() in known:
            state[key(name)] = known[text.lower()]
        else:
            state[key(name)] = field.default
            problems.append(
                f"The link asks for {name}={text[:NUMBER_LIMIT]}, which there is not; {field.default} is taken instead."
            )
    if "from" not in given and (way := next((name for name in ("task", "url", "sample") if name in given), None)):
        state[key("from")] = way
    if not is_place(value("at")):
        state[key("at")] = FIELDS["at"].default
        problems.append("The link's at= must be a whole number from 0 to 100: where the crop lies.")
    state.print_link_problems = problems
    return True


def give_address(arrived: bool) -> None:
    """Write all inputs that matter into the address, so that it can be shared.

    A fresh page keeps a plain one, and a link stays as it is until a person changes something: each address that is
    written costs one more click on Back.
    """
    matter = {
        name: value(name)
        for name, field in FIELDS.items()
        if (not field.ways or (value("from") in field.ways and value("ask") == "picture"))
        and (name not in ("pw", "ph", "pu") or value("paper") == print_inputs.CUSTOM)
    }
    fresh = all(text == FIELDS[name].default for name, text in matter.items())
    address = {} if fresh else {name: text for name, text in matter.items() if text}
    given = st.query_params.to_dict()
    is_as_shown, state.print_shown = address == state.get("print_shown"), address
    if arrived:
        links = {**state.get("print_links", {}), frozenset(given.items()): address}
        state.print_links = dict([*links.items()][-LINKS_KEPT:])
        state.print_address = given
        return
    if not is_as_shown:
        state.print_link_problems = []
    elif given == state.get("print_address"):
        return
    if given != address:
        _address.leave(given, state.get("print_address", given))
        st.query_params.from_dict(address)
    state.print_address = address


def is_place(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= 100


def choose_picture() -> tuple[int, int] | None:
    """Its pixels; the picture itself is in `state.print_source` when there is one. Says what is wrong in place."""
    way = choose("Picture from", "from", WAYS, wrap=True)
    if way == "pixels":
        state.print_source = None
        with st.container(horizontal=True):
            text("Width in pixels", "w")
            text("Height in pixels", "h")
        try:
            return print_inputs.whole(value("w"), "width"), print_inputs.whole(value("h"), "height")
        except ValueError as error:
            _parts.say_error(str(error))
            return None
    given = {"url": given_url, "upload": given_upload, "task": given_task, "sample": given_sample}[way]()
    look(way, given)
    if state.get("print_problem"):
        _parts.say_error(state.print_problem)
    source: Source | None = state.print_source
    if source is None:
        return None
    st.text(f"{source.name} · {pixels(source.width, source.height)}")
    for note in source.notes:
        st.caption(literal(note))
    return source.width, source.height


def text(label: str, name: str, **more: str) -> str:
    return st.text_input(label, key=key(name), max_chars=NUMBER_LIMIT, persist_state="session", **more)


def choose(label: str, name: str, choices: Mapping[str, str], **more: Any) -> str:
    """One of a few, all of them in sight."""
    return st.segmented_control(
        label,
        list(choices),
        required=True,
        format_func=choices.__getitem__,
        key=key(name),
        persist_state="session",
        **more,
    )


def given_url() -> object:
    entered = st.text_input(
        "Image URL",
        key=key("url"),
        max_chars=URL_LIMIT,
        placeholder="https://cdn.midjourney.com/…/0_0.png",
        help="Any public picture: PNG, JPEG or WebP. Press Enter to see it.",
        persist_state="session",
    )
    return entered.strip() or None


def given_upload() -> object:
    return st.file_uploader(
        "Picture file",
        type=["png", "jpg", "jpeg", "webp"],
        key="print_upload",
        max_upload_size=max(1, space.settings.max_bytes // 2**20),
    )


def given_task() -> object:
    finished = {entry.id: entry for entry in space.history.latest(limit=TASKS, states=[State.FINISHED])}
    wanted = value("task")
    if wanted and wanted not in finished:
        linked = space.history.get(wanted)
        if linked is None or linked.state is not State.FINISHED:
            _parts.say_error("There is no finished task with this address. Choose one from the list.")
        else:
            finished[linked.id] = linked
    if not finished:
        st.info("No finished tasks yet. Upscale a picture, or use a sample.", icon=":material/history:")
        return None
    if wanted not in finished:
        state[key("task")] = next(iter(finished))
    st.selectbox(
        "Task",
        list(finished),
        format_func=lambda each: (
            f"{finished[each].name} · {finished[each].type} · {moment(finished[each].finished_at, st.context.timezone)}"
        ),
        key=key("task"),
        persist_state="session",
    )
    choose("Which picture", "side", SIDES)
    return finished[value("task")], value("side")


def given_sample() -> object:
    samples = _parts.sample_sources()
    if samples is None:
        return None
    choose("Sample", "sample", {name: samples[name].name for name in SAMPLES})
    return samples[value("sample")]


def look(way: str, given: object) -> None:
    """Turn what was given into a checked source, once for each; keep the sentence when that fails."""
    if state.get("print_looked_at") == (way, given) and (given is None or state.get("print_source")):
        return
    state.print_looked_at, state.print_source, state.print_problem = (way, given), None, None
    if given is None:
        return
    try:
        with st.spinner("Looking at the picture…"):
            state.print_source = source_from(way, given)
    except FileMissing:
        state.print_problem = "This picture is no longer stored. Choose another one."
    except JourneyError as error:
        state.print_problem = str(error)


def source_from(way: str, given: object) -> Source:
    if isinstance(given, Source):
        return given
    if way == "url":
        return space.sources.from_url(str(given))
    if way == "upload":
        return space.sources.from_upload(given.name, given.getvalue())  # type: ignore[attr-defined]
    entry, side = given  # type: ignore[misc]
    return from_entry(entry, side)


def from_entry(entry: Entry, side: str) -> Source:
    """The stored picture of a finished task; its result can be upscaled on by the engine that made it."""
    if side == "original":
        return space.sources.from_stored(str(entry.source_key), str(entry.source_file), name=entry.name, kind="task")
    result = space.sources.from_stored(str(entry.result_key), str(entry.result_file), name=entry.name, kind="task")
    return replace(result, parent_task_id=entry.task_id, task_engine=entry.engine)


def choose_target() -> tuple[Paper | Screen, float, float] | None:
    """Paper or screen, DPI and bleed in mm. Says what is wrong in place."""
    st.selectbox(
        "Paper or screen",
        list(print_inputs.TARGETS),
        format_func=print_inputs.target_label,
        key=key("paper"),
        persist_state="session",
        help="Type to search: A3, 24, square, screen …",
    )
    if value("paper") == print_inputs.CUSTOM:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text("Paper width", "pw")
            text("Paper height", "ph")
            choose("Measured in", "pu", UNITS, label_visibility="collapsed")
    is_screen = value("paper") in printing.SCREENS
    with st.container(horizontal=True):
        choose("Orientation", "turn", TURNS)
        choose(
            "Fit",
            "fit",
            FITS,
            help="Crop fills the paper and cuts the overhang. Contain shows all of the picture, with margins.",
        )
    if not is_screen:
        with st.container(horizontal=True):
            text("DPI", "dpi", help="300 is sharp in the hand, 200 is fine for most prints, 150 on a wall.")
            if value("fit") == "crop":
                text("Bleed in mm", "bleed", help="Added on every side and trimmed off: usually 3 mm, or 0.")
            choose("Unit", "unit", UNITS)
    try:
        target = print_inputs.target(value("paper"), value("pw"), value("ph"), unit_of("pu"))
        if is_screen:
            return target, 300, 0
        dpi = print_inputs.number(value("dpi"), "DPI")
        bleed = print_inputs.number(value("bleed"), "bleed") if value("fit") == "crop" else 0
        if isinstance(target, Paper):
            printing.pixels_needed(target, dpi, bleed)
    except ValueError as error:
        _parts.say_error(str(error))
        return None
    return target, dpi, bleed


def unit_of(name: str) -> Unit:
    return value(name)  # type: ignore[return-value]


def small_copy(source: Source | None) -> Image.Image | None:
    try:
        return _print_plan.small_copy(source.key) if source else None
    except FileMissing:
        return None


def show_plan(sizes: tuple[int, int], paper: Paper, dpi: float, bleed: float) -> Plan | None:
    """Verdict, drawing and crop; the plan as it is drawn."""
    source: Source | None = state.print_source
    try:
        plan = printing.plan(
            *sizes,
            paper,
            dpi,
            fit=value("fit"),  # type: ignore[arg-type]
            bleed_mm=bleed,
            orientation=value("turn"),  # type: ignore[arg-type]
            position=int(value("at")) / 100,
        )
    except ValueError as error:
        _parts.say_error(str(error))
        return None
    _print_plan.verdict(plan)
    offer_upscale(plan, source)
    seen, cards = st.columns([3, 2])
    with seen:
        _print_plan.drawing(plan, small_copy(source), unit_of("unit"), what=source.name if source else pixels(*sizes))
        place_crop(plan)
    with cards:
        _print_plan.options(plan)
    return plan


def place_crop(plan: Plan) -> None:
    """One slider for the one axis along which a crop can be moved; none when nothing is cut."""
    axis = print_inputs.free_axis(plan)
    if axis is None:
        return
    ends = ("left", "right") if axis == "across" else ("top", "bottom")
    state[key("place")] = int(value("at"))
    st.slider(
        f"Crop: from {ends[0]} to {ends[1]}",
        0,
        100,
        key=key("place"),
        format="%d %%",
        on_change=lambda: state.update({key("at"): str(state[key("place")])}),
    )


def offer_upscale(plan: Plan, source: Source | None) -> None:
    """One click carries picture, paper and multiplier to Upscale."""
    if plan.recommended == 1:
        if source is not None:
            st.caption("The file for the print shop is made below.")
        return
    multiplier = plan.recommended or 4
    engines = {engine.name: engine.label for engine in space.engines()}
    costs = " · ".join(f"{label}: {cost_words(name)}" for name, label in engines.items())
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            f"Upscale {multiplier}x for {_print_plan.paper_name(plan.paper)}",
            key="carry",
            type="primary",
            icon=":material/photo_size_select_large:",
        )
        st.caption(costs, width="content")
    if clicked:
        _parts.carry_to_upscale(source, multiplier, plan)


def show_screen(sizes: tuple[int, int], screen: Screen) -> None:
    source: Source | None = state.print_source
    fit, turn = value("fit"), value("turn")
    try:
        judged = printing.screen_plan(*sizes, screen, fit=fit, orientation=turn)  # type: ignore[arg-type]
        # A screen drawn as a sheet of 100 pixels an inch.
        sheet = printing.custom_paper(screen.width / 100, screen.height / 100, "in")
        plan = printing.plan(
            *sizes,
            sheet,
            100,
            fit=fit,  # type: ignore[arg-type]
            orientation=turn,  # type: ignore[arg-type]
            position=int(value("at")) / 100,
        )
    except ValueError as error:
        _parts.say_error(str(error))
        return
    _print_plan.screen_verdict(judged)
    across, down = (round(side * 100) for side in (plan.paper.width, plan.paper.height))
    seen, cards = st.columns([3, 2])
    with seen:
        what = source.name if source else pixels(*sizes)
        _print_plan.screen_drawing(plan, small_copy(source), (f"{across} px", f"{down} px"), what=what)
        place_crop(plan)
    with cards:
        for multiplier, size in judged.sizes.items():
            with st.container(border=True, gap="xsmall"):
                st.markdown(f"**{_print_plan.NAMES[multiplier]}** · {pixels(*size)}")
                fills = judged.pixel_for_pixel is not None and multiplier >= judged.pixel_for_pixel
                st.caption("Fills it pixel for pixel" if fills else "Smaller than the screen")


def show_need(paper: Paper, dpi: float, bleed: float) -> None:
    """From a paper to the pixels it takes, and to what gets there."""
    if value("turn") != "auto":
        paper = printing.turn(paper, 1, 1, value("turn"))  # type: ignore[arg-type]
    needed = printing.pixels_needed(paper, dpi, bleed)
    with_bleed = f" with {bleed:g} mm bleed" if bleed else ""
    st.info(
        f"**{pixels(*needed)}** ({needed[0] * needed[1] / 1e6:.1f} megapixels) for {literal(paper.label)} at {dpi:g} "
        f"DPI{with_bleed}.",
        icon=":material/straighten:",
    )
    near, far = (printing.distance_text(cm) for cm in printing.usual_distance_cm(paper))
    at_near = printing.dpi_for_distance(printing.usual_distance_cm(paper)[0])
    st.caption(f"People usually look at this size from {near} to {far}. From {near}, {at_near:.0f} DPI look sharp.")
    _print_plan.paper_drawing(paper, needed, bleed, unit_of("unit"))
    st.markdown("**Which Midjourney pictures get there**")
    _print_tables.need_table(paper, dpi, value("fit"), bleed)  # type: ignore[arg-type]


def show_papers(sizes: tuple[int, int], dpi: float, bleed: float) -> None:
    """All papers × 1x, 2x and 4x, and which of them the picture can serve."""
    st.header("On other papers", anchor=False)
    fit = value("fit")
    family = choose("Papers", "family", PAPERS, wrap=True, label_visibility="collapsed")
    shown = [paper for paper in printing.PAPERS.values() if family in ("all", paper.family)]
    names = {paper.name: _print_plan.paper_name(paper) for paper in shown}
    served = print_inputs.served(
        {
            multiplier: [
                names[paper.name]
                for paper in printing.papers_for(
                    *sizes,
                    dpi,
                    fit=fit,  # type: ignore[arg-type]
                    multiplier=multiplier,
                )
                if paper.name in names
            ]
            for multiplier in printing.MULTIPLIERS
        }
    )
    st.caption(f"At {dpi:g} DPI this picture fills: {served}.")
    _print_tables.paper_table(sizes, shown, dpi, fit, bleed, unit_of("unit"))  # type: ignore[arg-type]


state.setdefault("print_source", None)
arrived = take_address()
_parts.header("Print size", "Will it be sharp on that paper, and what is the cheapest way to get there?")
remarks = st.container()
form, view = st.columns([5, 6], gap="large")
with form:
    question = choose("Question", "ask", QUESTIONS, label_visibility="collapsed")
    sizes = choose_picture() if question == "picture" else None
    chosen = choose_target()
give_address(arrived)
for problem in state.get("print_link_problems", []):
    remarks.warning(literal(problem), icon=":material/link_off:")

plan = None
if chosen is not None:
    target, dpi, bleed = chosen
    with view:
        if question == "paper" and isinstance(target, Screen):
            st.info(
                f"**{pixels(target.width, target.height)}** for {literal(target.name)}.", icon=":material/computer:"
            )
        elif question == "paper" and isinstance(target, Paper):
            show_need(target, dpi, bleed)
        elif sizes is None:
            words = "Type the pixels" if value("from") == "pixels" else "Choose a picture"
            st.info(f"{words}, and the verdict will be here.", icon=":material/image:")
        elif isinstance(target, Screen):
            show_screen(sizes, target)
        else:
            plan = show_plan(sizes, target, dpi, bleed)
    if question == "picture" and state.print_source is not None and (plan or isinstance(target, Screen)):
        _print_ready.section(state.print_source, plan, int(value("at")) / 100, value("turn"))  # type: ignore[arg-type]
    if plan is not None and sizes is not None:
        table, curve = st.columns([6, 5], gap="large")
        with table:
            show_papers(sizes, dpi, bleed)
        with curve:
            st.header("How large can it get", anchor=False)
            _print_tables.chart(plan, unit_of("unit"))
            st.caption(
                f"On paper of this shape, {'cropped' if plan.fit == 'crop' else 'with margins'}. "
                f"The dashed line is {literal(_print_plan.paper_name(plan.paper))}."
            )
