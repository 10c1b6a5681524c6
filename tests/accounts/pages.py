"""Readers of the account pages: the errors of a form, and the page that shows a recovery code."""

from typing import Any

from django.test import Client

from tests.page import read
from tests.people import BY_SCRIPT

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def list_errors(answer: Any) -> list[str]:
    """Return the errors that a page shows beside its fields."""
    return read(answer).texts("p.field-error")


def get_shown_code(answer: Any) -> str:
    """Return the recovery code that a page shows."""
    return "-".join(read(answer).texts("[data-recovery-code] span"))


def list_requested_groups(answer: Any) -> list[int]:
    """Return the indices of the code's groups that a page asks for, in the order of the page."""
    labels = [label.split() for label in read(answer).texts("label")]
    return [ORDINALS.index(words[0].lower()) for words in labels if words[1:] == ["group"]]


def confirm_code(client: Client, page: Any, *, script: bool = False, **typed: str) -> Any:
    """Submit the requested groups of a recovery code, or other values given as fields."""
    groups = get_shown_code(page).split("-")
    asked = (groups[index] for index in list_requested_groups(page))
    right = dict(zip(("group_a", "group_b"), asked, strict=True))
    fields = {
        field.get("name"): field.get("value")
        for field in read(page).all('input[type="hidden"]')
        if field.get("name") in ("owner", "carried")
    }
    headers = BY_SCRIPT if script else {}
    return client.post("/recovery-kept/", {**fields, **right, **typed}, headers=headers)
