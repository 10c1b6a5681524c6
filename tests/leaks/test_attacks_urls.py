"""Attacks on every URL: by a stranger, by a housemate with the owner's ids, and while locked."""

import os
import socket
import subprocess
import sys
from urllib.parse import urlencode

import pytest

from tests.browser_client import BrowserResponse, Visitor
from tests.leaks.addresses import ADDRESSES, OWNED, PRIVATE, READABLE, UNSAFE, Address, get_name, list_cases
from tests.leaks.household import DAY, AttackedHouse
from tests.leaks.rows import get_table_digests
from tests.server import ROOT

NOBODYS = {
    name: f"01930000-0000-7000-8000-00000000000{number}"
    for number, name in enumerate(
        ("entry", "reply", "version", "sign_in", "trace", "change", "token", "fact", "note", "note_version")
    )
}
# A locked page may hand in what was being typed, and say that its recovery code is kept.
DRAFTS = ("draft", "note_draft", "note_add_draft")
UNLOCKED = [address for address in PRIVATE if address.name not in (*DRAFTS, "confirm_recovery_code")]
OF_SOMEBODY = [address for address in UNSAFE if not address.is_public]
SECRET = "An entry of Olive."
_URLCONF = """
import django; django.setup()
from django.urls import get_resolver, URLResolver
def names(patterns):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            # Programs have roles of their own, in `tests/api` and `tests/mcp`.
            if pattern.app_name not in ("admin", "api", "mcp"):
                yield from names(pattern.url_patterns)
        else:
            yield pattern.name
print(*names(get_resolver().url_patterns))
"""


@pytest.fixture(scope="module", autouse=True)
def get_fingerprints(house: AttackedHouse) -> None:
    house.ids(house.owner)
    house.ids(house.housemate)


@pytest.fixture(scope="module")
def locked(house: AttackedHouse) -> Visitor:
    """The owner in a locked browser."""
    browser = house.owner.another()
    browser.sign_in()
    browser.post("/lock/")
    return browser


def request_all_ways(who: Visitor, address: Address, path: str) -> list[BrowserResponse]:
    """Request a URL by GET and POST, each plain and by script, if it accepts them."""
    answers = []
    if "GET" in address.takes:
        answers += [who.get(path), who.fetch(path)]
    if "POST" in address.takes:
        answers += [who.post(path, script=script, text="Planted.", revision="1") for script in (False, True)]
    return answers


def test_no_address_is_forgotten_here() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "llamora.settings"}
    command = [sys.executable, "-c", _URLCONF]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    assert sorted(done.stdout.split()) == sorted(address.name for address in ADDRESSES)


@pytest.mark.parametrize("address", list_cases(PRIVATE))
def test_a_stranger_is_sent_to_the_door_and_changes_nothing(house: AttackedHouse, address: Address) -> None:
    before, stranger = get_table_digests(house.server), house.stranger
    stranger.get("/sign-in/")

    for answer in request_all_ways(stranger, address, address.with_ids(house.ids(house.owner))):
        assert answer.status in (302, 401)
        assert answer.status != 302 or answer.headers["location"].startswith("/sign-in/")
        assert SECRET not in answer.body

    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", list_cases(UNLOCKED))
def test_somebody_locked_is_sent_to_unlock_and_changes_nothing(
    house: AttackedHouse, locked: Visitor, address: Address
) -> None:
    before = get_table_digests(house.server)

    for answer in request_all_ways(locked, address, address.with_ids(house.ids(house.owner))):
        assert answer.status in (302, 401)
        assert answer.status != 302 or answer.headers["location"].startswith("/unlock/")
        assert SECRET not in answer.body

    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", list_cases(OWNED))
@pytest.mark.parametrize("who", ["housemate", "administrator"])
def test_what_is_somebody_elses_is_like_what_is_not_there(
    house: AttackedHouse, address: Address, who: str
) -> None:
    other, before = getattr(house, who), get_table_digests(house.server)

    theirs = request_all_ways(other, address, address.with_ids(house.ids(house.owner)))
    nobodys = request_all_ways(other, address, address.with_ids(NOBODYS))

    assert [answer.status for answer in theirs] == [404] * len(theirs)
    assert [(a.status, a.body) for a in theirs] == [(a.status, a.body) for a in nobodys]
    assert get_table_digests(house.server) == before


def test_a_housemate_cannot_hang_a_draft_on_an_entry_of_the_owner(house: AttackedHouse) -> None:
    before = get_table_digests(house.server)

    answer = house.housemate.save_draft("Planted.", entry=house.ids(house.owner)["entry"])

    assert answer.status == 404
    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", OF_SOMEBODY, ids=get_name)
def test_a_page_of_the_owner_writes_nothing_into_the_diary_of_a_housemate(
    house: AttackedHouse, address: Address
) -> None:
    """The page belongs to the owner, the cookie to the housemate."""
    before = get_table_digests(house.server)

    for script in (False, True):
        answer = house.housemate.post(
            address.with_ids(house.ids(house.housemate)),
            script=script,
            owner=house.owner.owner,
            text="Strayed.",
        )

        assert answer.status == 409
        assert "another person" in answer.body

    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", list_cases(READABLE))
def test_looking_changes_nothing(house: AttackedHouse, address: Address) -> None:
    people = (house.owner, house.housemate, house.administrator, house.stranger)
    before = get_table_digests(house.server)

    for who in people:
        for method in ("GET", "HEAD", "OPTIONS"):
            for headers in ({}, {"HX-Request": "true"}):
                path = address.with_ids(house.ids(house.owner))
                assert who.request(method, path, headers=headers).status < 500

    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", list_cases(ADDRESSES))
def test_methods_that_no_page_uses_change_nothing(house: AttackedHouse, address: Address) -> None:
    before = get_table_digests(house.server)
    headers = {"X-CSRFToken": house.owner.cookies["llamora_csrf"]}

    for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "MERRY"):
        path = address.with_ids(house.ids(house.owner))
        assert house.owner.request(method, path, b"text=Planted.", headers).status < 500, method

    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", list_cases(a for a in ADDRESSES if a.takes == "POST"))
def test_what_takes_a_form_is_not_reached_by_a_link(house: AttackedHouse, address: Address) -> None:
    assert house.owner.get(address.with_ids(house.ids(house.owner))).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/static/../llamora/settings.py",
        "/static/..%2f..%2fllamora/settings.py",
        "/static/%2e%2e/%2e%2e/data/secrets/secret_key",
        "/static/....//secrets/secret_key",
        "/static//etc/passwd",
        "/static/%00",
        "/data/secrets/secret_key",
        "/llamora.sqlite3",
        "/.env",
        "/d/2026-02-30/",
        "/d/2026-13-01/",
        "/d/0000-01-01/",
        "/d/10000-01-01/",
        "/d/２０２６-01-01/".encode().decode("latin-1"),
        "/d/2026-1-1/",
        "/d/2026-03-05",
        "/d/2026-03-05/../../admin/",
        "/calendar/2026-13/",
        "/calendar/0000-01/",
        "/entries/42/",
        "/entries/not-an-id/",
        "/entries/%00/",
        "/%ff%fe/",
        "/" + "a" * 5000,
        "//elsewhere.example/",
        "/d/2026-03-05/;/",
        "/d//2026-03-05/",
        "/admin/../d/2026-03-05/",
        "/D/2026-03-05/",
    ],
)
def test_tricks_with_paths_lead_nowhere(house: AttackedHouse, path: str) -> None:
    for who in (house.stranger, house.owner):
        status, body = raw_get(who, path)

        assert status in (301, 302, 400, 404)
        assert "SECRET_KEY" not in body
        assert SECRET not in body
        assert "root:" not in body


def raw_get(who: Visitor, path: str) -> tuple[int, str]:
    """Send a GET with exactly this path, which client libraries would normalize."""
    cookie = "; ".join(f"{name}={value}" for name, value in who.cookies.items())
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", who.server.port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1"))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "following",
    [
        "//elsewhere.example/",
        "///elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\n/elsewhere.example",
        "/%09/elsewhere.example",
        "/%2f/elsewhere.example",
        "/%5celsewhere.example",
        "http://elsewhere.example/",
        "https:elsewhere.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://127.0.0.1@elsewhere.example/",
        " //elsewhere.example",
        "/\x00//elsewhere.example",
        "/d/2026-03-05/\r\nSet-Cookie: planted=1",
        "/d/2026-03-05/%0d%0aSet-Cookie:%20planted=1",
        "/sign-out/",
    ],
)
def test_no_return_address_leads_away_or_writes_a_header(house: AttackedHouse, following: str) -> None:
    owner = house.owner

    answers = [
        owner.post("/recovery-kept/", next=following, carried=following),
        owner.request("GET", f"/sign-in/?{quote(following)}"),
        owner.request("GET", f"/unlock/?{quote(following)}"),
        owner.request("GET", f"/admin/login/?{quote(following)}"),
    ]

    for answer in answers:
        assert answer.status in (302, 404, 410)
        assert answer.headers.get("location", "/") == "/"
        assert not any("planted" in line for line in answer.set_cookies)


def quote(following: str) -> str:
    return urlencode({"next": following})


def test_the_day_is_still_as_its_owner_left_it(house: AttackedHouse) -> None:
    assert house.owner.list_texts(day=DAY) == [SECRET]
