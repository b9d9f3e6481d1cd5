"""This month in figures: what was spent, what the budget leaves, and what the accounts hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from journey.studio import Line, Provider
from journey.views import spending as words
from journey.workspace import workspace
from pages.frame.watching import wait_until


def show_month(lines: Sequence[Line], month: str, paid: Sequence[Provider]) -> None:
    """This month in figures: spent, budget, and what the account has."""
    space = workspace()
    of_month = [line for line in lines if line.month == month]
    with st.container(horizontal=True):
        for label, number, meaning in words.month_figures(of_month):
            st.metric(label, f"{number:,}", border=True, help=meaning)
        for provider in paid:
            account = space.balance(provider)
            known = account.credits if account else None
            shown = "–" if known is None else f"{known:,}"
            st.metric("Balance", shown, border=True, help=f"Credits at {provider.label}.")
    for provider in paid:
        st.caption(words.balance_words(provider, space.balance_at(provider), st.context.timezone))
        if space.balance_at(provider) is None:
            wait_until(partial(_is_told, provider))
    _show_budget(month, paid)


def _is_told(provider: Provider) -> bool:
    return workspace().balance(provider) is not None


def _show_budget(month: str, paid: Sequence[Provider]) -> None:
    space = workspace()
    budget = space.budget()
    if budget is not None:
        st.progress(budget.share, text=words.budget_words(budget, month))
        st.caption(words.budget_meaning(budget, paid, goes_on_here=space.engine is not None))
    elif paid:
        st.caption("No budget is set. If you set JOURNEY_MONTHLY_CREDITS, paid tasks wait before they go over it.")
