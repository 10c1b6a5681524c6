"""Tests of every URL of the resolver in five roles: expected responses; "not yours" equals "not found"."""

import math
import re
import time
from collections.abc import Iterator
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver

from search.index import workers
from tests.fakes.waiting import PATIENCE
from tests.leaks.url_table import (
    ROLES,
    Cast,
    Route,
    create_cast,
    describe_answer,
    list_routes,
    read_answers,
)

ROUTES = list_routes()
EXPECTED = read_answers()
WITH_IDS = [(route, parameter) for route in ROUTES for parameter in route.owned]
# Answers that say no, whatever a page is asked by.
REFUSED = {"sign-in", "unlock", "login", "401", "403", "404", "405", "410"}
# Whoever asks for these is sent elsewhere; a script is told that it is done, and goes there itself. What was
# typed on a locked page is saved for a script, which does not leave the page.
ANSWERS_SCRIPTS_OTHERWISE = {"sign_out", "lock", "unlock", "draft", "admin:login", "admin:logout"}
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MERRY")
# In a statement: what belongs to this request and not to its kind.
VALUES = re.compile(r"'[^']*'|\bs\d+_x\d+\b|\b[0-9a-f]{32}\b|\b\d+\b")

pytestmark = pytest.mark.django_db


def get_name(route: Route) -> str:
    return route.name


@pytest.fixture(scope="module")
def shared_cast(django_db_setup: None, django_db_blocker: Any) -> Iterator[Cast]:
    """One household for all tests here: what a request does is taken back, in `send_and_undo`."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield create_cast()
        transaction.set_rollback(True)


@pytest.fixture
def cast(shared_cast: Cast, db: None) -> Cast:
    return shared_cast


def send_and_undo(cast: Cast, role: str, method: str, path: str, **options: Any) -> Any:
    """Send a request, and take back what it did, so that the next role finds the same."""
    who = getattr(cast, role)
    client = getattr(who, "client", who)
    cookies, point = dict(client.cookies), transaction.savepoint()
    try:
        return cast.send(role, method, path, **options)
    finally:
        transaction.savepoint_rollback(point)
        client.cookies.clear()
        client.cookies.update(cookies)


def test_every_url_has_its_answers_and_nothing_else_has() -> None:
    names = [route.name for route in ROUTES]

    assert sorted(EXPECTED) == sorted(names)
    assert len(names) > 100


def test_only_the_admin_has_urls_without_a_name() -> None:
    def find(patterns: list[Any], namespace: str | None) -> Iterator[str | None]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from find(pattern.url_patterns, pattern.namespace or namespace)
            elif not pattern.name:
                yield namespace

    assert set(find(get_resolver().url_patterns, None)) == {"admin"}


def test_every_id_in_a_url_is_known_to_belong_to_somebody() -> None:
    """A new converter's ids have to be added to `OWNED`, or to `PLACES` where they are nobody's."""
    ids = {name for route in ROUTES if not route.name.startswith("admin:") for name in route.parameters}

    assert {name for name in ids if name.endswith("_id") or name == "others"} == {
        name for _, name in WITH_IDS
    }


@pytest.mark.parametrize("route", ROUTES, ids=get_name)
def test_each_role_gets_its_answer(cast: Cast, route: Route) -> None:
    path = route.build_path(cast.ids["Olive"])

    for method, roles in EXPECTED[route.name].items():
        found = {role: describe_answer(send_and_undo(cast, role, method, path)) for role in ROLES}
        assert found == roles, method
        for role, expected in roles.items():
            by_script = describe_answer(send_and_undo(cast, role, method, path, script=True))
            if route.name in ANSWERS_SCRIPTS_OTHERWISE:
                assert by_script in REFUSED | {"200", "204", "422", "moved"}, (method, role)
            elif expected in ("sign-in", "unlock"):
                assert by_script == "401", (method, role)
            elif expected in REFUSED:
                assert by_script == expected, (method, role)
            else:
                assert by_script not in REFUSED, (method, role)


def list_methods(route: Route, role: str) -> tuple[str, ...]:
    """Return one of the other methods, and of the owner two, so that each URL gets each by some role."""
    place = ROUTES.index(route) + ROLES.index(role)
    further = [OTHER_METHODS[(ROUTES.index(route) + len(ROLES)) % 6]] if role == "owner" else []
    return OTHER_METHODS[place % 6], *further


@pytest.mark.parametrize("every_method", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("route", ROUTES, ids=get_name)
def test_no_other_method_does_anything(cast: Cast, route: Route, every_method: bool) -> None:
    path = route.build_path(cast.ids["Olive"])

    for role in ROLES:
        link = EXPECTED[route.name]["GET"][role]
        assert describe_answer(send_and_undo(cast, role, "HEAD", path)) in (link, "405")
        for method in OTHER_METHODS if every_method else list_methods(route, role):
            with CaptureQueriesContext(connection) as queries:
                answer = describe_answer(send_and_undo(cast, role, method, path))
            assert answer in REFUSED | {link, "200", "409"}, method
            assert int(answer) < 500 if answer.isdigit() else True
            # The time of the last activity may be written by any request.
            written = [
                query["sql"] for query in queries if re.match("INSERT|UPDATE|DELETE|REPLACE", query["sql"])
            ]
            assert [sql for sql in written if "last_active" not in sql] == [], method


# --- Not yours, and not there ----------------------------------------------------------------------------


def send_captured(cast: Cast, role: str, method: str, path: str, *, script: bool) -> tuple[object, ...]:
    """Everything of a response that its receiver sees, and the kind and number of statements that it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = send_and_undo(cast, role, method, path, script=script)
    headers = {name: value for name, value in answer.headers.items() if name not in ("Date", "Location")}
    location = answer.headers.get("Location", "")
    return (
        answer.status_code,
        headers,
        sorted(answer.cookies),
        len(answer.content),
        answer.content,
        VALUES.sub("?", re.sub(r"[0-9a-f-]{36}", "?", location)),
        [VALUES.sub("?", query["sql"]) for query in queries],
    )


@pytest.mark.parametrize(
    ("route", "parameter"), WITH_IDS, ids=[f"{route.name}-{parameter}" for route, parameter in WITH_IDS]
)
@pytest.mark.parametrize("role", ["housemate", "administrator"])
def test_what_is_not_yours_is_like_what_is_not_there(
    cast: Cast, route: Route, parameter: str, role: str
) -> None:
    """One id is the owner's or nobody's; the other ids in the URL are this person's own."""
    own = cast.ids[getattr(cast, role).person.name]
    absent: Any = [uuid4()] if parameter == "others" else uuid4()
    not_yours = route.build_path(own | {parameter: cast.ids["Olive"][parameter]})
    not_there = route.build_path(own | {parameter: absent})

    for method in ("GET", "HEAD", "POST"):
        for script in (False, True):
            theirs = send_captured(cast, role, method, not_yours, script=script)
            nobodys = send_captured(cast, role, method, not_there, script=script)
            assert theirs == nobodys, (method, script)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/d/2026-03-05/draft/", "entry"),
        ("/d/2026-03-05/draft/", "key"),
        ("/d/2026-03-05/", "key"),
        ("/entries/{entry_id}/respond/", "kind"),
        ("/entries/{entry_id}/traces/keep/", "trace"),
        ("/entries/{entry_id}/traces/dismiss/", "trace"),
        ("/traces/{trace_id}/merge/", "into"),
        ("/traces/{trace_id}/rename/", "into"),
        ("/search/", "trace"),
        ("/traces/", "trace"),
    ],
)
def test_an_id_in_a_form_is_not_more_than_one_in_a_url(cast: Cast, path: str, field: str) -> None:
    own = cast.ids["Humphrey"]
    named = {"trace": "trace_id", "into": "trace_id", "kind": "kind_id"}.get(field, "entry_id")
    theirs, path = cast.ids["Olive"][named], path.format(**own)

    for script in (False, True):
        seen = []
        for value in (uuid4(), theirs, uuid4()):
            # A page of search says how far its index is.
            for worker in (workers.opening_worker, workers.embedding_worker):
                assert worker.wait_idle(timeout=PATIENCE)
            with CaptureQueriesContext(connection) as queries:
                answer = send_and_undo(cast, "housemate", "POST", path, script=script, **{field: str(value)})
            # Tokens, ids and revisions are new each time.
            body = re.sub(r"[\w+/=-]{16,}|\d{5,}", "?", answer.content.decode())
            seen.append((answer.status_code, body, [VALUES.sub("?", query["sql"]) for query in queries]))
        assert seen[1] == seen[2]


def test_a_difference_would_be_seen(cast: Cast) -> None:
    """What is one's own differs in every respect that the tests above compare; those must be able to fail."""
    (route,) = (route for route in ROUTES if route.name == "versions")

    own, nobodys = (
        send_captured(cast, "owner", "GET", route.build_path(ids), script=True)
        for ids in (cast.ids["Olive"], {"entry_id": uuid4()})
    )

    assert own[0] != nobodys[0]
    assert own[3] != nobodys[3]
    assert own[6] != nobodys[6]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["entry", "entry_edit", "trace", "reply", "versions", "trace_rename"])
def test_the_time_of_not_yours_is_that_of_not_there(cast: Cast, name: str) -> None:
    """By ranks (Mann and Whitney): of 400 pairs, neither is slower more often than chance has it."""
    route = next(route for route in ROUTES if route.name == name)
    (parameter,) = route.owned
    not_yours = route.build_path(cast.ids["Olive"])
    times: dict[str, list[float]] = {"yours": [], "there": []}
    for number in range(800):
        kind = ("yours", "there")[number % 2]
        path = not_yours if kind == "yours" else route.build_path({parameter: uuid4()})
        began = time.thread_time_ns()
        cast.send("housemate", "GET", path)
        times[kind].append(float(time.thread_time_ns() - began))

    yours, there = times["yours"][50:], times["there"][50:]
    wins = sum((a > b) + (a == b) / 2 for a in yours for b in there)
    expected = len(yours) * len(there) / 2
    deviation = math.sqrt(len(yours) * len(there) * (len(yours) + len(there) + 1) / 12)
    assert abs(wins - expected) / deviation < 4
    assert abs(median(yours) - median(there)) < 0.05 * median(there)
