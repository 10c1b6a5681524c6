"""Attacks with forms of other sites and foreign host names: nothing is written."""

import itertools
from urllib.parse import urlencode

import pytest

from tests.browser_client import FORM_TYPE, BrowserResponse
from tests.leaks.addresses import ADDRESSES, UNSAFE, Address, get_name, list_cases
from tests.leaks.household import AttackedHouse
from tests.leaks.rows import get_table_digests

SHORT = "Typed for a long time & <kept>"


@pytest.fixture(scope="module", autouse=True)
def get_fingerprints(house: AttackedHouse) -> None:
    house.ids(house.owner)


def send(house: AttackedHouse, address: Address, **headers: str) -> BrowserResponse:
    """Post a form from the owner's browser with an attacker's headers."""
    body = urlencode({"owner": house.owner.owner, "text": SHORT, "revision": "1", "password": "x"})
    path = address.with_ids(house.ids(house.owner))
    return house.owner.copy().request("POST", path, body.encode(), {"Content-Type": FORM_TYPE, **headers})


@pytest.mark.parametrize("address", UNSAFE, ids=get_name)
def test_a_form_without_the_token_or_with_a_made_up_one_is_refused(
    house: AttackedHouse, address: Address
) -> None:
    before = get_table_digests(house.server)

    for headers in ({}, {"X-CSRFToken": "a" * 32}, {"X-CSRFToken": "a" * 64}, {"X-CSRFToken": "ä"}):
        answer = send(house, address, **headers)

        assert answer.status == 403
        assert "Typed for a long time &amp; &lt;kept&gt;" in answer.body

    assert get_table_digests(house.server) == before


@pytest.mark.parametrize("address", list_cases(UNSAFE))
def test_a_form_of_another_site_is_refused_even_with_the_token(
    house: AttackedHouse, address: Address
) -> None:
    before, token = get_table_digests(house.server), house.owner.cookies["llamora_csrf"]

    for origin in (
        "https://elsewhere.example",
        "null",
        # Cookies ignore ports: another program of this machine has them too.
        f"http://127.0.0.1:{house.server.port + 1}",
        f"http://localhost:{house.server.port}",
        f"https://127.0.0.1:{house.server.port}",
        f"http://127.0.0.1:{house.server.port}.elsewhere.example",
    ):
        assert send(house, address, **{"X-CSRFToken": token, "Origin": origin}).status == 403, origin

    assert get_table_digests(house.server) == before


def test_a_form_of_this_very_page_is_taken(house: AttackedHouse) -> None:
    """A control for the two tests above: the same request succeeds with valid values."""
    token = house.owner.cookies["llamora_csrf"]
    origin = house.server.base_url

    answer = send(house, Address("draft", "/d/2026-04-01/draft/"), **{"X-CSRFToken": token, "Origin": origin})

    assert answer.status in (200, 409)


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1.elsewhere.example", "llamora.localhost@evil", "a b", ""]
)
def test_another_name_for_this_host_is_not_answered(house: AttackedHouse, host: str) -> None:
    browser = house.owner.copy()
    paths = [address.with_ids(house.ids(house.owner)) for address in ADDRESSES]

    for method, path in itertools.product(("GET", "POST"), [*paths, "/admin/", "/nowhere/"]):
        answer = browser.request(method, path, b"" if method == "POST" else None, {"Host": host})

        assert answer.status in (400, 403), path
        assert "An entry of Olive" not in answer.body
        assert "elsewhere.example" not in answer.body


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"]
)
def test_what_a_proxy_would_say_is_not_believed(house: AttackedHouse, name: str) -> None:
    answer = house.stranger.get("/", **{name: "elsewhere.example"})

    assert answer.status == 302
    assert answer.headers["location"] == "/sign-in/?next=%2F"


def test_a_plain_connection_cannot_say_that_it_is_secure(house: AttackedHouse) -> None:
    browser = house.owner.another()
    browser.get("/sign-in/")

    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on"}
    body = urlencode({"name": "x", "password": "y"}).encode()
    token = {"X-CSRFToken": browser.cookies["llamora_csrf"], "Content-Type": FORM_TYPE}
    answer = browser.request("POST", "/sign-in/", body, {**headers, **token})

    assert answer.status == 422
    assert not any("__Host-" in line for line in answer.set_cookies)


@pytest.mark.parametrize(
    "name",
    [
        "Olive\r\nSet-Cookie: planted=1",
        "Olive\nX-Planted: 1",
        "Olive\x00",
        "Olive\u2028X-Planted: 1",
        "<b>Olive</b>",
    ],
)
def test_no_field_writes_a_header_or_markup(house: AttackedHouse, name: str) -> None:
    who = house.housemate
    answers = [
        who.post("/settings/", shown_name=name, time_zone="UTC", week_start="0", theme="system"),
        who.get("/"),
        who.post("/strength/", password=name, name=name),
        house.stranger.post("/sign-in/", name=name, password=name),
    ]
    for answer in answers:
        assert answer.status in (200, 302, 403, 422)
        assert "x-planted" not in answer.headers
        assert not any("planted" in line for line in answer.set_cookies)
        assert "<b>Olive" not in answer.body


def test_every_page_tells_the_browser_what_it_may_not_do(house: AttackedHouse) -> None:
    for who, path in (
        (house.owner, "/"),
        (house.stranger, "/sign-in/"),
        (house.owner, "/nowhere/"),
        (house.administrator, "/admin/"),
        (house.owner, "/d/2021-01-01/"),
        (house.owner, "/calendar/2021-01/"),
        (house.owner, "/settings/"),
        (house.stranger, "/recover/"),
        (house.stranger, "/healthz/"),
    ):
        answer = who.get(path)
        policy = answer.headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store" or path == "/admin/", path
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


def test_what_people_write_runs_nothing(house: AttackedHouse) -> None:
    """Markup in texts is shown as text."""
    for text in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[link](javascript:alert(1))",
        "![picture](http://elsewhere.example/pixel.png)",
        "<style>body{background:url(http://elsewhere.example)}</style>",
        "<iframe src=http://elsewhere.example></iframe>",
        "</textarea><script>alert(1)</script>",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<a href='jAvAsCrIpT:alert(1)' autofocus onfocus=alert(1)>x</a>",
    ):
        house.housemate.write(text, day="2026-04-02")
    house.housemate.save_draft("</textarea><script>alert(1)</script>", day="2026-04-02")

    page = house.housemate.get("/d/2026-04-02/").body

    for bad in (
        "<script>",
        "<img",
        "<iframe",
        "<style",
        'href="javascript',
        "<a href='java",
        'href="data:',
        "onfocus=alert(1)>",
    ):
        assert bad not in page.lower(), bad
