"""Form, queue, live progress, result."""

from __future__ import annotations

import streamlit as st

from journey import printing
from journey.errors import InvalidRequest, JourneyError
from journey.models import CREDITS_PER_UPSCALE, ID_LIMIT, URL_LIMIT
from journey.printing import Plan
from journey.sources import ParentTask, Source, new_entry
from journey.wording import cost_words, duration, literal, pixels
from journey.workspace import LABELS, workspace
from pages import _parts, _print_plan
from pages._print_plan import paper_name

SHOWN_TASKS = 3
WAYS = {"url": "Image URL", "task": "Task ID", "upload": "Upload"}
NO_PICTURE = {
    "url": "Enter the address of a picture first, or pick a sample.",
    "task": "Enter the ID of a finished task first, or pick the sample grid.",
    "upload": "Choose a picture file first, or pick a sample.",
}

NO_PAPER = "none"
TURNS = {"auto": "As it fits", "portrait": "Portrait", "landscape": "Landscape"}
FITS = {"crop": "Crop", "contain": "Contain"}

space = workspace()
state = st.session_state
state.setdefault("way", "url")
state.setdefault("source", None)
state.setdefault("parent", None)
state.setdefault("looked_at", None)
state.setdefault("problem", None)
state.setdefault("scale", 4)
state.setdefault("for_paper", NO_PAPER)
state.setdefault("for_custom", None)
state.setdefault("for_turn", "auto")
state.setdefault("for_fit", "crop")
state.setdefault("for_dpi", 300)
state.setdefault("for_bleed", 0)


def look(way: str, given: object) -> None:
    """Turn what was entered into a checked source, once for each thing entered; keep the sentence when it fails."""
    if state.looked_at == (way, given):
        return
    state.looked_at, state.source, state.parent, state.problem = (way, given), None, None, None
    try:
        if way == "url":
            state.source = space.sources.from_url(str(given))
        elif way == "task":
            # The first click may belong to either engine; the one that is chosen is asked first.
            names = sorted(space.clients, key=lambda name: name != state.get("engine"))
            parent = space.sources.from_task(str(given), names)
            state.parent, state.source = parent, None if parent.is_grid else parent.sources[0]
        else:
            state.source = space.sources.from_upload(given.name, given.getvalue())  # type: ignore[attr-defined]
    except JourneyError as error:
        state.problem = str(error)


def use(source: Source) -> None:
    """Take a picture that is known already: a sample, or one of a grid."""
    state.source, state.problem = source, None


def use_sample(source: Source) -> None:
    state.way, state.looked_at, state.parent = "url", ("sample", source.key), None
    state.image_url = ""
    use(source)


def use_sample_grid() -> None:
    state.way, state.task_id = "task", "sample-grid"


def entered(way: str) -> object | None:
    """The input of the chosen way; None while it is empty."""
    if way == "url":
        return (
            st.text_input(
                "Image URL",
                key="image_url",
                max_chars=URL_LIMIT,
                placeholder="https://cdn.midjourney.com/…/0_0.png",
                help="Any public picture: PNG, JPEG or WebP. Press Enter to see it.",
            ).strip()
            or None
        )
    if way == "task":
        return (
            st.text_input(
                "Task ID",
                key="task_id",
                max_chars=ID_LIMIT,
                placeholder="994c2844-…",
                help="A finished task: a grid lets you pick one of its pictures. `sample-grid` is there to try it.",
            ).strip()
            or None
        )
    return st.file_uploader(
        "Picture file",
        type=["png", "jpg", "jpeg", "webp"],
        key="upload",
        max_upload_size=max(1, space.settings.max_bytes // 2**20),
    )


def describe(parent: ParentTask) -> str:
    """What the task is: its kind, its model and where it was made."""
    facts = [parent.task_type, parent.model, LABELS[parent.engine]]
    return "Found: " + literal(" · ".join(fact for fact in facts if fact))


def pick_from_grid(parent: ParentTask) -> None:
    """The pictures of a grid as they are, to pick one by looking at it."""
    st.markdown("**Which picture of the grid?**")
    for row in (parent.sources[:2], parent.sources[2:]):
        for column, source in zip(st.columns(2), row, strict=False):
            with column:
                _parts.picture(source.key, alt=f"Picture {source.index} of the grid")
                picked = state.source is not None and state.source.key == source.key
                st.button(
                    f"Picture {source.index}" + (" · picked" if picked else ""),
                    key=f"pick_{source.index}",
                    type="primary" if picked else "secondary",
                    width="stretch",
                    on_click=use,
                    args=(source,),
                )


def choose_settings() -> tuple[str, int, str | None]:
    """Engine, multiplier and network."""
    plan = paper_plan()
    suggest(plan)
    scale = st.segmented_control("Enlarge", [2, 4], required=True, format_func=lambda value: f"{value}x", key="scale")
    if plan is not None:
        bleed = f" with {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
        st.caption(f"For {literal(paper_name(plan.paper))} at {plan.dpi:g} DPI{bleed}: {literal(plan.verdict)}")
    names = [engine.name for engine in space.engines()]
    engine = names[0] if names else "embedded"
    if len(names) > 1:
        engine = st.segmented_control(
            "Engine",
            names,
            default=names[0],
            required=True,
            format_func=lambda name: f"{LABELS[name]} · {cost_words(name)}",
            key="engine",
        )
    network = None
    if engine == "embedded" and (networks := space.networks()):
        network = st.segmented_control(
            "Network",
            list(networks),
            default=next(iter(networks)),
            required=True,
            format_func=lambda name: network_words(name, networks[name], scale),
            key="network",
            help="Fast gives clean edges. Detail takes far longer and gives natural texture.",
        )
    return engine, scale, network


def network_words(name: str, shown: str, scale: int) -> str:
    label = literal(shown).capitalize()
    if state.source is None:
        return label
    return f"{label} · about {duration(space.estimate_seconds(state.source, name, scale))}"


def paper_plan() -> Plan | None:
    """The picture on the chosen paper; None without either."""
    paper = printing.PAPERS.get(state.for_paper, state.for_custom)
    if state.source is None or state.for_paper == NO_PAPER or paper is None:
        return None
    try:
        return printing.plan(
            state.source.width,
            state.source.height,
            paper,
            state.for_dpi,
            fit=state.for_fit,
            bleed_mm=state.for_bleed if state.for_fit == "crop" else 0,
            orientation=state.for_turn,
        )
    except ValueError as error:
        _parts.say_error(str(error))
        return None


def suggest(plan: Plan | None) -> None:
    """Preselect what the paper needs, once for each picture and paper: a person may choose otherwise."""
    about = plan and (state.source.key, plan.paper, plan.fit, plan.dpi)
    if plan is None or about == state.get("suggested_for"):
        return
    state.suggested_for = about
    state.scale = 2 if plan.recommended == 1 else plan.recommended or 4


def enter_webhook() -> tuple[str, str]:
    with st.expander("Webhook (optional)", icon=":material/webhook:"):
        url = st.text_input(
            "Webhook URL", key="webhook_url", max_chars=URL_LIMIT, placeholder="https://example.com/hooks/upscaled"
        )
        secret = st.text_input(
            "Webhook secret",
            key="webhook_secret",
            type="password",
            max_chars=500,
            help="Sent as the header x-webhook-secret, and kept only until the call is sent.",
        )
    return url.strip(), secret


def submit(way: str, engine: str, scale: int, network: str | None, webhook: tuple[str, str]) -> str | None:
    """Queue the upscale; the sentence to show when that is not possible. Nothing is sent from here."""
    source: Source | None = state.source
    if source is None:
        if state.problem:
            return None  # it is on the page already
        return "Pick one picture of the grid first." if state.parent else NO_PICTURE[way]
    if not space.engines():
        return "There is no engine to upscale with."
    if problem := space.sources.problem(source, engine=engine, scale=scale):
        return problem
    try:
        if webhook[0]:
            space.sources.check_webhook(*webhook)
    except InvalidRequest as error:
        return str(error)
    entry = space.submit(
        new_entry(
            source,
            engine=engine,
            scale=scale,
            model=network,
            webhook_url=webhook[0],
            webhook_secret=webhook[1],
            person=_parts.person(),
        )
    )
    state.newest = entry.id
    return None


def show_picture(source: Source) -> None:
    """The picture with its pixels, and how large it prints now and enlarged."""
    _parts.picture(
        source.key, alt=f"Your picture: {source.name}", width=_parts.fitted_width(source.width, source.height)
    )
    st.text(f"{source.name} · {pixels(source.width, source.height)}")
    for note in source.notes:
        st.caption(literal(note))
    choose_paper()
    plan = paper_plan()
    if plan is None:
        show_print_sizes(source)
    else:
        show_on_paper(plan)


def choose_paper() -> None:
    """What the picture is to be printed on; none is a fine answer."""
    labels = {NO_PAPER: "No paper in mind"} | {name: paper.label for name, paper in printing.PAPERS.items()}
    if state.for_custom is not None:
        labels[state.for_custom.name] = state.for_custom.label
    if state.for_paper not in labels:
        state.for_paper = NO_PAPER
    with st.container(horizontal=True):
        st.selectbox(
            "For paper",
            list(labels),
            format_func=labels.__getitem__,
            key="for_paper",
            persist_state="session",
        )
        if state.for_paper != NO_PAPER:
            st.segmented_control(
                "Orientation",
                list(TURNS),
                required=True,
                format_func=TURNS.__getitem__,
                key="for_turn",
                persist_state="session",
            )
            st.segmented_control(
                "Fit", list(FITS), required=True, format_func=FITS.__getitem__, key="for_fit", persist_state="session"
            )


def show_on_paper(plan: Plan) -> None:
    """DPI and grade of each multiplier on the chosen paper, the cheapest that is enough marked."""
    for column, option in zip(st.columns(3), plan.options.values(), strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f"**{_print_plan.NAMES[option.multiplier]} · {option.dpi_shown} DPI**")
            st.badge(option.grade.word, color=_print_plan.COLOURS[option.grade.word])
            st.caption(option.grade.in_words.capitalize())
            if option.multiplier == plan.recommended:
                st.caption(":material/check: **Cheapest that is enough**")
    if plan.recommended is None:
        st.caption(
            f"{plan.dpi:g} DPI are out of reach on this paper. 4x reaches {plan.reached.dpi_shown} DPI, which looks "
            f"sharp from {printing.distance_text(plan.reached.sharp_from_cm)}."
        )


def show_print_sizes(source: Source) -> None:
    for column, multiplier in zip(st.columns(3), (1, 2, 4), strict=True):
        width, height = source.width * multiplier, source.height * multiplier
        size = printing.print_size(width, height, 300)
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{'Now' if multiplier == 1 else f'{multiplier}x'}** · {pixels(width, height)}")
            st.markdown(size.text("in"))
            st.caption(size.text("cm"))
    st.caption("Print sizes at 300 DPI, sharp in the hand.")


def show_samples() -> None:
    """No picture at hand: three samples and a grid, one click away."""
    if state.for_paper != NO_PAPER:
        st.info(f"Planned for {state.for_paper}, {state.scale}x. Now choose the picture.", icon=":material/print:")
    st.markdown("**No picture at hand? Try one of these**")
    samples = space.sample_sources()
    if samples is None:
        st.caption("The sample pictures are being drawn; this takes a few seconds, once.")
        wait_for_samples()
        return
    # Columns as wide as their pictures are, so that the pictures of a row are equally high.
    upper, lower = st.columns([2, 3]), st.columns([3, 2])
    for cell, source in zip((*upper, *lower), samples.values(), strict=False):
        with cell:
            _parts.picture(source.key, alt=f"Sample: {source.name}")
            st.button(source.name, key=f"sample_{source.key}", width="stretch", on_click=use_sample, args=(source,))
    if space.engine:
        with lower[1]:
            _parts.picture(space.sample_grid_key, alt="Sample grid: one tree in four seasons")
            st.button("Four seasons, a grid", key="sample_grid", width="stretch", on_click=use_sample_grid)


@st.fragment(run_every=1.0)
def wait_for_samples() -> None:
    if space.sample_sources() is not None:
        st.rerun()


_parts.header("Upscale", "Enlarge a picture 2x or 4x with AI, and know beforehand how large it prints.")
form, view = st.columns([5, 6], gap="large")
with form:
    way = st.segmented_control("Picture from", list(WAYS), required=True, format_func=WAYS.__getitem__, key="way")
    given = entered(way)
    if given is not None:
        with st.spinner("Looking at the picture…"):
            look(way, given)
    elif state.looked_at and state.looked_at[0] == way:
        state.looked_at, state.source, state.parent, state.problem = None, None, None, None
    if state.problem:
        _parts.say_error(state.problem)
    if state.parent is not None:
        st.caption(describe(state.parent))
        if state.parent.is_grid:
            pick_from_grid(state.parent)
    engine, scale, network = choose_settings()
    webhook = enter_webhook()
    if st.button(
        f"Upscale · {cost_words(engine)}",
        key="submit",
        type="primary",
        icon=":material/auto_awesome:",
        width="stretch",
    ) and (sentence := submit(way, engine, scale, network, webhook)):
        _parts.say_error(sentence)
    st.caption(
        f"{CREDITS_PER_UPSCALE} credits are charged by JourneyAPI when it accepts the call."
        if engine == "journeyapi"
        else "Runs on this machine's processors: no key, no credits, nothing leaves it."
    )
with view:
    if state.source is not None:
        show_picture(state.source)
    else:
        show_samples()

latest = space.history.latest(limit=SHOWN_TASKS)
if latest:
    st.subheader("Latest tasks", anchor=False)
for place, entry in enumerate(latest):
    _parts.task_card(entry, full=place == 0 or entry.id == state.get("newest"))
_parts.watch(latest, limit=SHOWN_TASKS)
