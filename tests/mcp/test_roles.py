"""Tests of every tool in every role of a program: who gets a result, and who gets which error.

none       no token                     other     a token of a housemate, with every scope
cookie     no token, a browser's cookie locked    an ordinary token whose owner's diary is locked
wrong      a token with a wrong secret  away      a token that works while its owner is away, and they are
drop       a token that only sends      scopeless a valid token without a scope of a tool
full       a token with every scope
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from diary.models import Entry, InboxBox, InboxItem, Origin
from diary.notes.services import save_note
from llamora.crypto import SCOPES, TokenKind, new_token
from llamora.mcp.tools import TOOLS
from tests import tokens
from tests.mcp.assistant import Assistant
from tests.mcp.exchange import build_headers, build_stateless
from tests.people import register_resident

ALL_SCOPES = tuple(sorted(SCOPES.keys() - {"drop"}))
DAY = date(2026, 3, 5)
ARGUMENTS = {
    "search_diary": {"query": "marsh"},
    "read_day": {"day": "2026-03-05"},
    "list_facts": {},
    "propose_fact": {"text": "You like geese"},
    "list_notes": {},
    "read_note": {"path": "knowledge/geese.md"},
    "write_entry": {"text": "Ice", "day": "2026-03-05"},
    "resolve_date": {"text": "5 March 2026"},
}
NO_TOKEN = dict.fromkeys(ARGUMENTS, "401")
EXPECTED: dict[str, dict[str, str]] = {
    "none": NO_TOKEN,
    "cookie": NO_TOKEN,
    "wrong": NO_TOKEN,
    "locked": dict.fromkeys(ARGUMENTS, "locked"),
    "away": {**dict.fromkeys(ARGUMENTS, "result"), "search_diary": "locked"},
    "drop": {**dict.fromkeys(ARGUMENTS, "-32602"), "write_entry": "result", "resolve_date": "result"},
    "scopeless": {**dict.fromkeys(ARGUMENTS, "-32602"), "resolve_date": "result"},
    "full": dict.fromkeys(ARGUMENTS, "result"),
    "other": {**dict.fromkeys(ARGUMENTS, "result"), "read_note": "failed"},
}


@pytest.fixture(autouse=True)
def forget_tokens() -> None:
    """Nothing is forgotten between these tests, which share a household."""


@pytest.fixture(scope="module")
def assistants(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Assistant]]:
    """An assistant for each role: Olive is unlocked, May is away, and Humphrey is the housemate."""
    with django_db_blocker.unblock(), transaction.atomic(), tokens.forgotten_afterwards():
        olive, may, humphrey = (
            register_resident(name, signed_in=True) for name in ("Olive", "May", "Humphrey")
        )
        for who in (olive, may):
            who.write("Geese over the marsh", day=DAY)
            save_note(who.open_keyring(), "knowledge/geese.md", "Geese", origin=Origin.OWN)
        found = {
            "none": Assistant(token=""),
            "cookie": Assistant(token="", client=olive.client),
            "wrong": Assistant(token=new_token(uuid4()).encode()),
            "locked": Assistant.create(may, *ALL_SCOPES, writes_own_text=True),
            "away": Assistant.create(may, *ALL_SCOPES, kind=TokenKind.AWAY, writes_own_text=True),
            "drop": Assistant.create(olive, "drop"),
            "scopeless": Assistant.create(olive, "export"),
            "full": Assistant.create(olive, *ALL_SCOPES, writes_own_text=True),
            "other": Assistant.create(humphrey, *ALL_SCOPES, writes_own_text=True),
        }
        may.lock()
        yield found
        transaction.set_rollback(True)


def describe(answer: Any) -> str:
    """Return what an answer is: a status without an answer, the code of an error, or a kind of result."""
    body = json.loads(answer.content)
    if "error" in body:
        return str(answer.status_code) if body["id"] is None else str(body["error"]["code"])
    result = body["result"]
    if not result["isError"]:
        return "result"
    return "locked" if "unlocks it in a browser" in result["content"][0]["text"] else "failed"


def test_every_tool_is_tried_in_every_role() -> None:
    assert [tool.name for tool in TOOLS] == list(ARGUMENTS)


@pytest.fixture
def undone(assistants: dict[str, Assistant], db: None) -> Iterator[dict[str, Assistant]]:
    """What a call changes is taken back, so that the next one finds the same."""
    tokens.call_limits.clear()
    point = transaction.savepoint()
    yield assistants
    transaction.savepoint_rollback(point)


@pytest.mark.every_case
@pytest.mark.parametrize("tool", ARGUMENTS)
@pytest.mark.parametrize("role", EXPECTED)
def test_each_role_gets_what_it_may(undone: dict[str, Assistant], role: str, tool: str) -> None:
    message = build_stateless("tools/call", name=tool, arguments=ARGUMENTS[tool])
    before = Entry.objects.count(), InboxItem.objects.count() + InboxBox.objects.count()

    answer = undone[role].post(message, **build_headers(message))

    entries, waiting = Entry.objects.count(), InboxItem.objects.count() + InboxBox.objects.count()
    said = describe(answer)
    assert said == EXPECTED[role][tool]
    assert entries == before[0]
    assert waiting - before[1] == (1 if tool == "write_entry" and said == "result" else 0)
    # Its own proposal is repeated to the one that may read it.
    if role not in ("full", "away") and tool != "propose_fact":
        assert b"Geese" not in answer.content
