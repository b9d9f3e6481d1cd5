"""Print planning: from a picture or a paper to the multiplier it takes, and to the file for the print shop."""

from __future__ import annotations

import streamlit as st

from journey.printing import Plan, Screen
from journey.views.planner import QUESTIONS, families
from journey.views.words import literal
from journey.workspace import workspace
from pages.forms.choosing import choose
from pages.frame.header import header
from pages.planner import verdict
from pages.planner.picture import choose_picture
from pages.planner.shop_files import shop_files
from pages.planner.state import give_address, key, take_address, value
from pages.planner.target import choose_target
from pages.planner.ways import say_arrived, take_result

state = st.session_state
arrived = take_address()
take_result()
header("Print size", "Will it be sharp on that paper, and what is the cheapest way to get there?")
say_arrived()
remarks = st.container()
form, view = st.columns([5, 6], gap="large")
with form:
    question = choose("Question", QUESTIONS, key=key("ask"), label_visibility="collapsed")
    size = choose_picture() if question == "picture" else None
    target = choose_target()
give_address(arrived)
for problem in state.get("print_link_problems", []):
    remarks.warning(literal(problem), icon=":material/link_off:")

plan: Plan | None = None
if target is None:
    st.stop()
with view:
    if question == "paper":
        verdict.show_need(target)
    elif size is None:
        words = "Type the pixels" if value("from") == "pixels" else "Choose a picture"
        st.info(f"{words}, and the verdict will appear here.", icon=":material/image:")
    elif isinstance(target.on, Screen):
        verdict.show_screen(size, target.on)
    else:
        plan = verdict.show_plan(size, target.on, target)
if question == "picture" and state.print_source is not None and (plan or isinstance(target.on, Screen)):
    shop_files(state.print_source, plan)
if plan is not None and size is not None:
    table, curve = st.columns([6, 5], gap="large")
    with table:
        st.header("On other papers", anchor=False)
        family = choose(
            "Papers", families(workspace().papers), key=key("family"), wrap=True, label_visibility="collapsed"
        )
        verdict.show_others(size, plan, family)
    with curve:
        st.header("How large can it get?", anchor=False)
        verdict.show_curve(plan)
