"""The section of the Print size page that makes files for the print shop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from journey import printing
from journey.printing import Paper, Plan, inputs, shop
from journey.printing.shop import FileFormat, PrintSpec
from journey.studio import Source
from journey.views.planner import NUMBER_LIMIT, PRINT_FILES
from journey.views.plans import exact_words, panels_words, ratio_lines
from journey.views.words import counted, literal
from journey.workspace import workspace
from pages.forms.choosing import choose, type_in
from pages.frame.protection import say_error
from pages.planner import drawn
from pages.planner.cut import choose_cut
from pages.planner.shop_runs import Start, Started, begin, show_runs
from pages.planner.state import key, orientation, position, unit_of, value
from pages.planner.told import show_told


def shop_files(source: Source, plan: Plan | None) -> None:
    """Choose, make, watch, download. Without a plan (for screens), the pixels are kept."""
    st.header("Print-ready file", anchor=False)
    left, right = st.columns([5, 6], gap="large")
    with left:
        kind = choose("What to make", PRINT_FILES, key=key("make"), wrap=True) if plan else "keep"
        start = _keep(source, plan) if plan is None or kind == "keep" else _WAYS[kind](source, plan)
        if st.button("Make the file", key="make", type="primary", icon=":material/print:", disabled=start is None):
            begin(start)
        st.caption("A DPI tag adds no detail: it only tells programs how large to print the pixels that are there.")
    with right:
        show_runs()


def _keep(source: Source, plan: Plan | None) -> Start:
    dpi = plan.dpi if plan else 300
    st.markdown(
        f"The same pixels, with **{dpi:g} DPI** written into the file. PNG and JPEG are not encoded again, and what "
        "cameras and editors left in them is removed. "
        f"It will print at {literal(printing.print_size(*source.size, dpi).text('cm'))}."
    )
    return lambda: Started(
        f"{source.name}, {dpi:g} DPI",
        workspace().print_runs.make(shop.retag, source.stored, dpi=dpi, title=source.name),
        source.name,
    )


def _exact(source: Source, plan: Plan) -> Start | None:
    file_format = _choose_format()
    st.markdown(exact_words(plan))
    option = plan.options[1]
    if not option.enough:
        st.markdown(
            f":material/info: The picture itself has {option.dpi_shown} DPI on this paper ({option.grade.word}). "
            "Upscale it first for a sharper print."
        )
    spec = _checked(plan, plan.paper, file_format, flatten=_flatten(file_format))
    if spec is None:
        return None
    show_told(source, [spec])
    return lambda: Started(
        shop.file_name(source.name, spec),
        workspace().print_runs.make(shop.exact_size, source.stored, spec, title=source.name),
        source.name,
    )


def _several(source: Source, plan: Plan) -> Start | None:
    file_format = _choose_format()
    papers = workspace().papers
    own = plan.paper.name if plan.paper.name in papers else None
    names = st.multiselect(
        "Papers",
        list(papers),
        default=list(dict.fromkeys([*([own] if own else []), "A4", "8x10"])),
        format_func=partial(inputs.target_label, papers=papers),
        key="set_papers",
        persist_state="session",
        max_selections=shop.SET_LIMIT,
    )
    flatten = _flatten(file_format)
    st.markdown(f"One ZIP with a {file_format} for each paper and a list of what is in it, at {plan.dpi:g} DPI.")
    if not names:
        st.caption("Choose at least one paper.")
    ready: list[PrintSpec] = []
    for name in names:
        spec = _checked(plan, papers[name], file_format, flatten=flatten)
        if spec is None:
            return None
        ready.append(spec)
    if not ready:
        return None
    show_told(source, ready)
    return lambda: Started(
        f"{source.name}, {counted(len(ready), 'paper')}",
        workspace().print_runs.make(shop.print_set, source.stored, ready, title=source.name),
        source.name,
    )


def _by_ratio(source: Source, plan: Plan) -> Start | None:
    st.markdown(
        f"As sellers deliver a picture: a ZIP with the largest paper of each ratio that it fills at {plan.dpi:g} DPI."
    )
    chosen = st.pills(
        "Ratios",
        _RATIOS,
        selection_mode="multi",
        default=list(_RATIOS),
        key="set_ratios",
        persist_state="session",
    )
    ratios = [ratio for name, ratio in _RATIOS.items() if name in chosen]
    file_format = _choose_format()
    wanted = _checked(plan, printing.PAPERS["A6"], file_format, flatten=_flatten(file_format))
    if wanted is None:
        return None
    try:
        specs = shop.ratio_specs(*source.size, wanted, ratios)
        st.markdown("  \n".join(ratio_lines(source.size, specs, [ratio.name for ratio in ratios], plan.dpi)))
    except ValueError as error:
        say_error(str(error))
        return None
    if not specs:
        st.caption("Choose a ratio." if not ratios else "Upscale the picture first, or choose a lower DPI.")
        return None
    ready = list(specs.values())
    show_told(source, ready)
    return lambda: Started(
        f"{source.name}, {counted(len(ready), 'ratio')}",
        workspace().print_runs.make(shop.print_set, source.stored, ready, title=source.name),
        source.name,
    )


def _proof(source: Source, plan: Plan) -> Start | None:
    file_format = _choose_format()
    st.markdown(
        f"The most detailed part of the {literal(plan.paper.name)} print at its true size, on a 10 × 15 cm photo. "
        "Print it at home at 100 % and look at it before you order."
    )
    spec = _checked(plan, plan.paper, file_format)
    if spec is None:
        return None
    return lambda: Started(
        f"{source.name}, proof",
        workspace().print_runs.make(shop.proof, source.stored, spec, title=source.name),
        source.name,
    )


def _panels(source: Source, plan: Plan) -> Start | None:
    st.markdown("The print in pieces, for a home printer or a wall of panels.")
    cut = choose_cut()
    spec = _checked(plan, plan.paper, "PDF")
    if cut is None or spec is None:
        return None
    try:
        panels = printing.cut_into_panels(*plan.needed, plan.dpi, cut)
    except ValueError as error:
        say_error(str(error))
        return None
    st.markdown(panels_words(panels, plan.paper))
    drawn.cut_up(plan, panels, drawn.small_copy(source), unit_of("unit"))
    return lambda: Started(
        f"{source.name}, {counted(len(panels.each), 'sheet')}",
        workspace().print_runs.make(shop.panels, source.stored, spec, cut, title=source.name),
        source.name,
    )


_RATIOS = {ratio.name: ratio for ratio in printing.RATIOS}
_WAYS: dict[str, Callable[[Source, Plan], Start | None]] = {
    "exact": _exact,
    "set": _several,
    "ratios": _by_ratio,
    "proof": _proof,
    "panels": _panels,
}


def _choose_format() -> FileFormat:
    labels = {name: f"{name} · {each.used_for}" for name, each in shop.FORMATS.items()}
    chosen = st.selectbox(
        "Format", list(labels), format_func=labels.__getitem__, key=key("format"), persist_state="session"
    )
    if chosen == "JPEG":
        type_in(
            "At most, in MB",
            key=key("most"),
            limit=NUMBER_LIMIT,
            placeholder="no limit",
            help="The quality is lowered as far as it has to be. Etsy, for example, takes files of up to 20 MB.",
        )
    return chosen


def _flatten(file_format: FileFormat) -> bool:
    """Whether white takes the place of transparency, where a format can have it."""
    return shop.FORMATS[file_format].is_transparent and st.checkbox(
        "White instead of transparency", key="ready_flat", persist_state="session"
    )


def _checked(plan: Plan, paper: Paper, file_format: FileFormat, *, flatten: bool = False) -> PrintSpec | None:
    """The spec; None when there can be none, and the page says why."""
    most = value("most").strip() if file_format == "JPEG" else ""
    try:
        return PrintSpec(
            paper,
            plan.dpi,
            file_format,
            fit=plan.fit,
            bleed_mm=plan.bleed_mm,
            orientation=orientation(),
            position=position(),
            flatten=flatten,
            at_most_mb=inputs.megabytes(most, "most MB") if most else None,
        )
    except ValueError as error:
        say_error(str(error))
        return None
