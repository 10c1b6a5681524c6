"""What the account pages show: the errors of a form, and a recovery code that has to be confirmed."""

from typing import Any

from django.test import Client

from tests.page import read
from tests.people import BY_SCRIPT

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def list_errors(answer: Any) -> list[str]:
    """Return the errors a page shows beside its fields."""
    return read(answer).texts("p.field-error")


def shown_code(answer: Any) -> str:
    """Return the recovery code a page shows."""
    return "-".join(read(answer).texts("[data-recovery-code] span"))


def requested_groups(answer: Any) -> list[int]:
    """Return which groups of its code a page asks for, in its order and counted from nought."""
    labels = [label.split() for label in read(answer).texts("label")]
    return [ORDINALS.index(words[0].lower()) for words in labels if words[1:] == ["group"]]


def confirm_code(client: Client, page: Any, *, script: bool = False, **typed: str) -> Any:
    """Type back what the page of a code asks for, or something else, with the page's own fields."""
    groups = shown_code(page).split("-")
    asked = (groups[index] for index in requested_groups(page))
    right = dict(zip(("group_a", "group_b"), asked, strict=True))
    fields = {
        field.get("name"): field.get("value")
        for field in read(page).all('input[type="hidden"]')
        if field.get("name") in ("owner", "carried")
    }
    headers = BY_SCRIPT if script else {}
    return client.post("/recovery-kept/", {**fields, **right, **typed}, headers=headers)
