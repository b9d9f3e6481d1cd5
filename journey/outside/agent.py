"""What every request says about who sends it."""

from __future__ import annotations

import re

from journey.errors import InvalidRequest

VERSION = "0.1.0"
CONTACT_LIMIT = 200


def user_agent(contact: str | None = None) -> str:
    """The User-Agent of all requests: `journey-print-studio/0.1.0 (+contact)`.

    `contact` is an address or a page where the operators of other servers find whoever runs this one. Raises
    InvalidRequest when no header can hold it.
    """
    if contact and (problem := contact_problem(contact)):
        raise InvalidRequest(f"contact: {problem}")
    return f"journey-print-studio/{VERSION}" + (f" (+{contact})" if contact else "")


def contact_problem(contact: str) -> str | None:
    """Why this cannot stand in the header, as the end of a sentence; None when it can."""
    if re.fullmatch(rf"[!-'*-\[\]-~](?:[ -'*-\[\]-~]{{0,{CONTACT_LIMIT - 2}}}[!-'*-\[\]-~])?", contact):
        return None
    return f"must be an address or a page in plain ASCII, without brackets, of at most {CONTACT_LIMIT} characters"
