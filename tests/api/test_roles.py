"""Tests of every call in every role of a program: who gets a result, and who gets which error.

none       no token                     other     a token of a housemate, with every scope
cookie     no token, a browser's cookie locked    an ordinary token whose owner's diary is locked
wrong      a token with a wrong secret  away      a token that works while its owner is away, and they are
drop       a token that only sends      scopeless a valid token without the scope of the call
full       a token with every scope
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, get_args, get_origin
from uuid import UUID, uuid4

import msgspec
import pytest
from django.db import transaction
from django.urls import URLPattern

from diary.models import Origin
from diary.notes.services import save_note
from llamora.api.endpoints import Endpoint, endpoints
from llamora.api.urls import patterns_below, urlpatterns
from llamora.crypto import SCOPES, TokenKind, new_token
from search.index import workers
from search.models import Question
from tests import tokens
from tests.api.program import Program, read_refusal
from tests.people import Resident, register_resident
from tests.traces.tagging import add_traces
from traces.facts.fact_body import FactText
from traces.facts.services import FactOrigin, add_fact

ALL_SCOPES = tuple(sorted(SCOPES.keys() - {"drop"}))
DAY = date(2026, 3, 5)
CALLS = [call for call in endpoints.list_all() if not call.is_public]
NEED_INDEX = ("/api/chat", "/api/memory/reindex", "/api/memory/search")
ROLES = ("none", "cookie", "wrong", "locked", "away", "drop", "scopeless", "full", "other")


@dataclass(kw_only=True)
class Household:
    """Three people (Olive unlocked, May away, Humphrey a housemate), with a program for each role."""

    olive: Resident
    may: Resident
    programs: dict[str, Program] = field(repr=False)
    # By the beginning of the path that they stand in.
    ids: dict[str, UUID]


@pytest.fixture(autouse=True)
def forget_tokens() -> None:
    """Nothing is forgotten between these tests, which share a household."""


@pytest.fixture(scope="module")
def household(django_db_setup: None, django_db_blocker: Any) -> Iterator[Household]:
    with (
        django_db_blocker.unblock(),
        transaction.atomic(),
        tokens.forgotten_afterwards(),
        pytest.MonkeyPatch.context() as patch,
    ):
        # The thread that opens an index would see nothing of this transaction: none becomes ready.
        patch.setattr(workers.opening_worker, "submit", lambda *_, **__: None)
        olive, may, humphrey = (
            register_resident(name, signed_in=True) for name in ("Olive", "May", "Humphrey")
        )
        entry = olive.write("An entry", day=DAY)
        (trace,) = add_traces(olive, entry, "weir")
        with olive.unlocked():
            note = save_note(olive.open_keyring(), "knowledge/geese.md", "Geese", origin=Origin.OWN)
            fact = add_fact(owner_id=olive.id, text=FactText.create("You like geese"), where=FactOrigin())
        programs = {
            "none": Program(token=""),
            "cookie": Program(token="", client=olive.client),
            "wrong": Program(token=new_token(uuid4()).encode()),
            "locked": Program.create(may, *ALL_SCOPES, writes_own_text=True),
            "away": Program.create(may, *ALL_SCOPES, kind=TokenKind.AWAY, writes_own_text=True),
            "drop": Program.create(olive, "drop"),
            "full": Program.create(olive, *ALL_SCOPES, writes_own_text=True),
            "other": Program.create(humphrey, *ALL_SCOPES, writes_own_text=True),
        }
        may.lock()
        with olive.unlocked():
            question = Question.objects.create(
                owner_id=olive.id, session_id=uuid4(), text="A question?", answer="", sources=[], state="done"
            )
        ids = {
            "/api/v1/entries/": entry.id,
            "/api/v1/memory/": fact.id,
            "/api/v1/traces/": trace.id,
            "/api/v1/notes/": note.id,
            "/api/sessions/": question.session_id,
        }
        yield Household(olive=olive, may=may, programs=programs, ids=ids)
        transaction.set_rollback(True)


def test_every_url_is_that_of_a_call_or_of_the_description() -> None:
    pages = {"description", "docs", "docs_elsewhere", "redoc", "unknown"}
    names = {pattern.name for pattern in [*patterns_below, *urlpatterns] if isinstance(pattern, URLPattern)}

    assert names == {call.path for call in endpoints.list_all()} | pages


def build_path(call: Endpoint, household: Household) -> str:
    beginning, _, _ = call.path.partition("{")
    path = call.path.format(day=DAY, id=household.ids.get(beginning))
    return f"{path}?query=geese" if call.query and "query" in list_names(call.query) else path


def list_names(struct: type[msgspec.Struct]) -> set[str]:
    return {each.encode_name for each in msgspec.structs.fields(struct)}


def build_body(call: Endpoint) -> dict[str, Any] | None:
    """Return the smallest body that a call takes."""
    if call.body is None:
        return None
    values: dict[str, Any] = {}
    # Of these one or another is needed, so that none is required.
    alternatives = {"query", "message"} | ({"category", "text"} if call.method == "PATCH" else set())
    for each in msgspec.structs.fields(call.body):
        if each.required or each.encode_name in alternatives:
            values[each.encode_name] = {int: 1, bool: False}.get(get_plain_type(each.type), "Geese")
    return values


def get_plain_type(annotated: Any) -> Any:
    return get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated


def find_scopeless(call: Endpoint, household: Household) -> Program | None:
    others = [scope for scope in ALL_SCOPES if scope not in call.scopes]
    return Program.create(household.olive, *others) if call.scopes else None


def expect(call: Endpoint, role: str) -> set[tuple[int, str]] | None:
    """Return the refusals that fit, or None where the call succeeds."""
    if role in ("none", "cookie", "wrong"):
        return {(401, "invalid_token")}
    if role == "locked":
        return {(423, "locked")}
    if role == "drop":
        return None if not call.scopes or "drop" in call.scopes else {(403, "missing_scope")}
    if role == "scopeless":
        return {(403, "missing_scope")}
    if role in ("other", "away") and "id" in call.path_types:
        return {(404, "not_found")}
    if call.path.startswith(NEED_INDEX):
        # `test_chat` has the answers.
        is_question = call.path.startswith("/api/chat")
        return {(423, "locked")} if role == "away" else {(503, "starting")} if is_question else None
    if role == "away":
        # Search works in the index, which is open while its owner is.
        return {(0, ""), (423, "locked"), (423, "search_locked")}
    return None


@pytest.fixture
def undone(household: Household, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Household]:
    """What a call changes is taken back, so that the next one finds the same."""
    for place in ("search.ask.retrieval", "search.programs.services"):
        monkeypatch.setattr(f"{place}.OPENING_WAIT_SECONDS", 0.01)
    tokens.call_limits.clear()
    point = transaction.savepoint()
    yield household
    transaction.savepoint_rollback(point)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_each_role_gets_its_answer(undone: Household, call: Endpoint, role: str) -> None:
    program = find_scopeless(call, undone) if role == "scopeless" else undone.programs[role]
    if program is None:
        return
    answer = program.send(call.method, build_path(call, undone), build_body(call))
    if answer.streaming:
        # Nobody reads it to its end. Its own `close` would close the database of the test.
        for close in answer._resource_closers:
            close()

    expected = expect(call, role)
    if answer.status_code < 300:
        assert expected is None or (0, "") in expected, answer.status_code
        return
    assert expected is not None, answer.content
    assert read_refusal(answer) in expected
