"""Form, queue, live progress, result."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from journey.api.models import CREDITS_PER_UPSCALE, ID_LIMIT, URL_LIMIT
from journey.errors import JourneyError
from journey.history import EngineName
from journey.history.kinship import Pair, Variant, find_kin, pair_id, pairs
from journey.printing import Plan
from journey.studio.intake import ParentTask, Source, new_entry
from journey.views.words import balance_problem, cost_words, duration, literal
from journey.workspace import LABELS, EngineStatus, workspace
from pages import _parts, _upscale_picture
from pages._print_plan import paper_name

TITLE = "Upscale"
SHOWN_TASKS = 3
WAYS = {"url": "Image URL", "task": "Task ID", "upload": "Upload"}
NO_PICTURE = {
    "url": "Enter the address of a picture first, or pick a sample.",
    "task": "Enter the ID of a finished task first, or pick the sample grid.",
    "upload": "Choose a picture file first, or pick a sample.",
}
DEFAULTS = _upscale_picture.DEFAULTS | {
    "way": "url",
    "image_url": "",
    "task_id": "",
    "source": None,
    "parent": None,
    "looked_at": None,
    "problem": None,
    "scale": 4,
    "engine": None,
    "network": None,
    "pair": None,
    "webhook_url": "",
    "webhook_secret": "",
}

space = workspace()
state = st.session_state
for name, value in DEFAULTS.items():
    state.setdefault(name, value)


@dataclass(frozen=True)
class Wish:
    """What is chosen in the form besides the picture."""

    way: str
    variant: Variant
    scale: int
    webhook: tuple[str, str]


def take_address() -> None:
    """What a card, or the address (`?again=ENTRY`, `?task_id=ID`), wants in the form, once for each visit with it."""
    asked = st.query_params.get("again"), st.query_params.get("task_id")
    arrives = state.get("page_shown") != TITLE or asked != state.get("asked")
    clicked, state.asked = state.pop("use_again", None), asked
    if again := clicked or (asked[0] if arrives else None):
        with st.spinner("Looking at the picture…"):
            use_again(again)
    elif arrives and asked[1]:
        state.way, state.task_id = "task", asked[1].strip()[:ID_LIMIT]


def use_again(entry_id: str) -> None:
    """Fill the form with the picture and the settings of an earlier task."""
    entry = space.history.get(entry_id)
    forget(("again", entry_id))
    if entry is None:
        state.problem = "There is no task with this address, so nothing of it can be used again."
        return
    state.engine, state.network, state.scale = entry.engine, entry.model, entry.scale
    state.webhook_url, state.webhook_secret = entry.webhook_url or "", ""
    state.scale_is_meant = True
    try:
        source = space.sources.from_entry(entry)
    except JourneyError as error:
        state.problem = str(error)
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
    secret = " A webhook's secret is not kept; type it in again." if entry.webhook_url else ""
    st.toast(f"Picture and settings of **{literal(entry.name, limit=80)}** are in the form.{secret}")


def forget(looked_at: tuple[str, object] | None = None) -> None:
    state.looked_at, state.source, state.parent, state.problem = looked_at, None, None, None


def look(way: str, given: object) -> None:
    """Turn what was entered into a checked source, once for each thing entered; keep the sentence when it fails."""
    about = (way, given.file_id if way == "upload" else given)  # type: ignore[attr-defined]
    if state.looked_at == about:
        return
    forget(about)
    try:
        if way == "url":
            state.source = space.sources.from_url(str(given))
        elif way == "task":
            # The first click may belong to either engine; the one that is chosen is asked first.
            names = sorted(space.clients, key=lambda name: name != state.engine)
            parent = space.sources.from_task(str(given), names)
            state.parent, state.source = parent, None if parent.is_grid else parent.sources[0]
        else:
            state.source = space.sources.from_upload(given.name, given.getvalue())  # type: ignore[attr-defined]
    except JourneyError as error:
        state.problem = str(error)


def use(source: Source) -> None:
    """Take a picture that is known already: a sample, one of a grid, one of an earlier task."""
    state.source, state.problem = source, None


def use_sample(source: Source) -> None:
    forget(("sample", source.key))
    state.way, state.image_url = "url", ""
    use(source)


def use_sample_grid() -> None:
    state.way, state.task_id = "task", "sample-grid"


def upload_changed() -> None:
    """A file that was taken out is not to be upscaled; the uploader of a page that is opened anew is just empty."""
    if state.upload is None and state.looked_at and state.looked_at[0] == "upload":
        forget()


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
                persist_state="session",
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
                persist_state="session",
            ).strip()
            or None
        )
    return st.file_uploader(
        "Picture file",
        type=["png", "jpg", "jpeg", "webp"],
        key="upload",
        max_upload_size=max(1, space.settings.max_bytes // 2**20),
        on_change=upload_changed,
    )


def show_parent() -> None:
    """The task that was found: what it is, where and with what it was made, and its pictures when they are many."""
    parent: ParentTask | None = state.parent
    if parent is None:
        return
    facts = (parent.contents, LABELS[parent.engine], parent.model, parent.task_type)
    st.caption("Found: " + literal(" · ".join(fact for fact in facts if fact)))
    if parent.is_grid:
        pick_from_grid(parent)


def parent_of_form() -> tuple[str, str | None] | tuple[()]:
    """The task, and the picture of a grid, that the picture in the form comes from."""
    if state.source is not None:
        return (state.source.parent_task_id, state.source.index) if state.source.parent_task_id else ()
    return (state.parent.task_id, None) if state.parent is not None and state.way == "task" else ()


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


def choose_settings(engines: list[EngineStatus], plan: Plan | None) -> tuple[Variant, int]:
    """Engine, network and multiplier."""
    suggest(plan)
    scale = st.segmented_control(
        "Enlarge", [2, 4], required=True, format_func=lambda value: f"{value}x", key="scale", persist_state="session"
    )
    if plan is not None:
        bleed = f" with {plan.bleed_mm:g} mm bleed" if plan.bleed_mm else ""
        st.caption(f"For {literal(paper_name(plan.paper))} at {plan.dpi:g} DPI{bleed}: {literal(plan.verdict)}")
    names: list[EngineName] = [engine.name for engine in engines]
    if state.engine not in names:
        state.engine = names[0] if names else "embedded"
    if len(names) > 1:
        st.segmented_control(
            "Engine",
            names,
            required=True,
            format_func=lambda name: f"{LABELS[name]} · {cost_words(name)}",
            key="engine",
            persist_state="session",
        )
    networks = space.networks()
    if state.network not in networks:
        state.network = next(iter(networks), None)
    if state.engine != "embedded" or not networks:
        return Variant(state.engine), scale
    st.segmented_control(
        "Network",
        list(networks),
        required=True,
        format_func=lambda name: " · ".join([literal(networks[name]).capitalize(), *about(Variant("embedded", name))]),
        key="network",
        help="Fast gives clean edges. Detail takes far longer and gives natural texture.",
        persist_state="session",
    )
    return Variant(state.engine, state.network), scale


def about(variant: Variant) -> list[str]:
    """How long the chosen picture takes this way, in words; nothing when that is not known."""
    if state.source is None:
        return []
    size = state.source.width, state.source.height
    seconds = space.usual_seconds(variant.engine, state.scale, size=size, network=variant.network)
    return [] if seconds is None else [f"about {duration(max(1, seconds))}"]


def suggest(plan: Plan | None) -> None:
    """Preselect what the paper needs, once for each picture and paper: a person may choose otherwise."""
    concerns = plan and (state.source.key, plan.paper, plan.fit, plan.dpi)
    if plan is None or concerns == state.get("suggested_for"):
        return
    state.suggested_for = concerns
    if not state.pop("scale_is_meant", False):
        state.scale = 2 if plan.recommended == 1 else plan.recommended or 4


def enter_webhook() -> tuple[str, str]:
    with st.expander("Webhook (optional)", icon=":material/webhook:"):
        url = st.text_input(
            "Webhook URL",
            key="webhook_url",
            max_chars=URL_LIMIT,
            placeholder="https://example.com/hooks/upscaled",
            persist_state="session",
        )
        secret = st.text_input(
            "Webhook secret",
            key="webhook_secret",
            type="password",
            max_chars=500,
            help="Sent as the header x-webhook-secret, and kept only until the call is sent.",
            persist_state="session",
        )
    return url.strip(), secret


def submit_buttons(wish: Wish, engines: list[EngineStatus]) -> str | None:
    """Upscale, and beside it A/B with its small menu; the sentence to show when what was clicked is not possible."""
    engine = wish.variant.engine
    known = pairs([each.name for each in engines], list(space.networks()))
    if known and state.pair not in known:
        state.pair = next(iter(known))
    pair = known.get(state.pair)
    with st.container(horizontal=True, vertical_alignment="center"):
        clicked = st.button(
            f"Upscale · {cost_words(engine)}",
            key="submit",
            type="primary",
            icon=":material/auto_awesome:",
            width="stretch",
        )
        both = pair is not None and st.button(
            f"A/B · {cost_words('journeyapi' if any(each.engine == 'journeyapi' for each in pair) else 'embedded')}",
            key="submit_pair",
            icon=":material/compare:",
        )
    st.caption(
        f"{CREDITS_PER_UPSCALE} credits are charged by JourneyAPI when it accepts the call."
        if engine == "journeyapi"
        else "Runs on this machine's processors: no key, no credits, nothing leaves it."
    )
    if pair is not None:
        choose_pair(known)
        times = [f"{variant.network or LABELS[variant.engine]} {words}" for variant in pair for words in about(variant)]
        took = f": {literal(', '.join(times))}" if times else ""
        st.caption(f"A/B enlarges it both ways, {literal(state.pair)}, to compare them{took}.")
    if clicked:
        return submit(wish)
    return submit(wish, pair) if both else None


def choose_pair(known: dict[str, Pair]) -> None:
    """Which two ways A/B compares; nothing to choose when there are only two."""
    if len(known) > 1:
        st.selectbox(
            "A/B compares",
            list(known),
            format_func=lambda pair: pair[:1].upper() + pair[1:],
            key="pair",
            persist_state="session",
        )


def warnings(wish: Wish) -> list[str]:
    """What stands in the way of a click on Upscale, said before it."""
    engine, source = wish.variant.engine, state.source
    found: list[str | None] = []
    if wish.way == "upload" and (source is None or source.kind != "upload"):
        found.append(space.sources.upload_problem(engine))
    if source is not None:
        # Judged once for each choice: it may resolve a name.
        choice = source.key, source.image_url, engine, wish.scale
        if state.get("judged", (None,))[0] != choice:
            state.judged = choice, space.sources.problem(source, engine=engine, scale=wish.scale)
        if state.judged[1] not in found:
            found.append(state.judged[1])
    if engine == "journeyapi":
        budget, account = space.budget(), space.balance()
        found.append(budget.sentence if budget is not None and budget.is_used_up else None)
        found.append(balance_problem(CREDITS_PER_UPSCALE, account.credits if account else None))
    return [sentence for sentence in found if sentence]


def submit(wish: Wish, pair: Pair | None = None) -> str | None:
    """Queue the upscale, or both of a pair; the sentence to show when that is not possible. Nothing is sent here."""
    source: Source | None = state.source
    if source is None:
        if state.problem:
            return None  # it is on the page already
        return "Pick one picture of the grid first." if state.parent and wish.way == "task" else NO_PICTURE[wish.way]
    if not space.engines():
        return "There is no engine to upscale with."
    variants = pair or (wish.variant,)
    for variant in variants:
        if problem := space.sources.problem(source, engine=variant.engine, scale=wish.scale):
            return problem
    try:
        if wish.webhook[0]:
            space.sources.check_webhook(*wish.webhook)
    except JourneyError as error:
        return str(error)
    batch = pair_id(source.digest, wish.scale, pair, _parts.person()) if pair else None
    wanted = [
        new_entry(
            source,
            engine=variant.engine,
            scale=wish.scale,
            model=variant.network,
            webhook_url=wish.webhook[0],
            webhook_secret=wish.webhook[1],
            person=_parts.person(),
            batch=batch,
        )
        for variant in variants
    ]
    queued = space.submit_pair(wanted) if pair else [space.submit(wanted[0])]
    _parts.expect(*queued)
    state.newest = queued[0].id
    if any(entry.batch not in (None, batch) for entry in queued if pair):
        st.toast("One of the two is under way in a batch already. Choose both in Compare when they are finished.")
    return None


take_address()
_parts.header(TITLE, "Enlarge a picture 2x or 4x with AI, and know beforehand how large it prints.")
engines = space.engines()
form, view = st.columns([5, 6], gap="large")
with form:
    way = st.segmented_control(
        "Picture from", list(WAYS), required=True, format_func=WAYS.__getitem__, key="way", persist_state="session"
    )
    given = entered(way)
    if given is not None:
        with st.spinner("Looking at the picture…"):
            look(way, given)
    elif way != "upload" and state.looked_at and state.looked_at[0] == way:
        forget()
    if state.problem:
        _parts.say_error(state.problem)
    if way == "task":
        show_parent()
    lineage = st.container()
    plan, no_plan = _upscale_picture.plan_for(state.source)
    variant, scale = choose_settings(engines, plan)
    wish = Wish(way, variant, scale, enter_webhook())
    messages = st.container()
    refused = submit_buttons(wish, engines)
    with messages:
        if refused:
            _parts.say_error(refused)
        else:
            for sentence in warnings(wish):
                st.warning(literal(sentence), icon=":material/info:")
with view:
    if state.source is not None:
        _upscale_picture.show_picture(state.source, plan, no_plan)
    else:
        _upscale_picture.show_samples(use_sample, use_sample_grid)

# After the form, so that what was queued by this very click is among them.
latest = space.history.latest(limit=SHOWN_TASKS)
origin = parent_of_form()
kin = find_kin(space.history, latest, task_ids=origin[:1])
if origin:
    with lineage:
        _parts.came_from(*origin, kin)
if latest:
    st.header("Latest tasks", anchor=False)
for place, entry in enumerate(latest):
    _parts.task_card(entry, full=place == 0 or entry.id == state.get("newest"), kin=kin, fills_form=True)
_parts.watch(latest, limit=SHOWN_TASKS, kin=kin)
