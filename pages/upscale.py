"""Form, queue, live progress, result."""

from __future__ import annotations

import streamlit as st

from journey.printing import STEPS
from journey.studio import find_kin
from journey.views import links
from journey.workspace import workspace
from pages.forms import paper, picture, settings, steps
from pages.forms.samples import show_samples
from pages.forms.submit import Wish, say_warnings, submit_buttons
from pages.frame.header import header
from pages.frame.protection import say_error
from pages.frame.watching import watch
from pages.task.card import came_from, task_card
from pages.trying.pieces import offer_a_piece, show_pieces

TITLE = "Upscale"
SHOWN_TASKS = 3

state = st.session_state
for name, value in (picture.DEFAULTS | settings.DEFAULTS | paper.DEFAULTS).items():
    state.setdefault(name, value)


def take_address() -> None:
    """Fill the form as a card or the address (`?again=ENTRY`, `?task_id=ID`) asks, once for each visit."""
    asked = links.asked_again(st.query_params), links.asked_task_id(st.query_params)
    arrives = state.get("page_shown") != TITLE or asked != state.get("asked")
    again, task_id = asked if arrives else (None, None)
    state.asked = asked
    if again:
        state.use_again = again
    if wanted := state.get("use_again"):
        picture.use_again(str(wanted))
        del state.use_again  # only now: this run may have ended while it looked at the picture
    elif task_id:
        state.way, state.task_id = "task", task_id


take_address()
header(TITLE, "Enlarge a picture 2x to 16x with AI, and know beforehand how large it will print.")
form, view = st.columns([5, 6], gap="large")
with form:
    way = picture.choose_picture()
    lineage = st.container()
    plan, no_plan = paper.plan_for(state.source)
    scale = settings.choose_scale(plan)
    variant = settings.choose_variant()
    then_network = steps.choose_second_network(variant, scale)
    offer_a_piece(variant)
    wish = Wish(way, variant, scale, then_network, settings.enter_webhook())
    messages = st.container()
    refused = submit_buttons(wish)
    with messages:
        if refused:
            say_error(refused)
        else:
            say_warnings(wish)
with view:
    if state.source is not None:
        paper.show_picture(state.source, plan, no_plan)
    else:
        show_samples()

if state.source is not None:
    show_pieces(state.source, STEPS[scale][0], variant)

# Read after the form, so that what this very click has queued is included.
latest = workspace().history.lists.latest(limit=SHOWN_TASKS, once=True)
origin = picture.came_from()
kin = find_kin(workspace().history.lists, latest, task_ids=origin[:1] if origin else ())
if origin:
    with lineage:
        came_from(*origin, kin)
if latest:
    st.header("Latest tasks", anchor=False)
for place, entry in enumerate(latest):
    task_card(entry, full=place == 0 or entry.id == state.get("newest"), kin=kin, fills_form=True)
watch(latest, limit=SHOWN_TASKS, kin=kin)
