"""Tests of the client's address behind a proxy: only headers of trusted proxies are used."""

import re
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from websockets.exceptions import InvalidStatus

from accounts.throttling.throttle import PAIR
from llamora.ops.server.proxies import find_client, strip_proxy_headers
from tests.browser.served_household import ServedHouse, run_household
from tests.browser_client import Visitor
from tests.fakes.waiting import PATIENCE

PROXY, OUTSIDE = "10.8.0.1", "203.0.113.9"
TRUSTED = [ip_network("10.8.0.0/24"), ip_network("fd00::/64"), ip_network("127.0.0.1")]


def address(*forwarded: str, peer: str = PROXY) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return find_client(peer, headers, trusted=TRUSTED).address


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["203.0.113.9"], OUTSIDE),
        (["6.6.6.6, 203.0.113.9"], OUTSIDE),
        (["6.6.6.6", "203.0.113.9"], OUTSIDE),
        (["6.6.6.6, 203.0.113.9, 10.8.0.7"], OUTSIDE),
        (["203.0.113.9, fd00::7,127.0.0.1"], OUTSIDE),
        (["203.0.113.9:41000"], OUTSIDE),
        (["::ffff:203.0.113.9"], OUTSIDE),
        (["[2001:db8::9]:41000"], "2001:db8::9"),
        (["2001:db8::9"], "2001:db8::9"),
        (["10.8.0.7"], "10.8.0.7"),
        ([], PROXY),
        ([""], PROXY),
        (["unknown"], PROXY),
        (["6.6.6.6, _hidden, 10.8.0.7"], "10.8.0.7"),
        (["6.6.6.6, "], PROXY),
        (["1.2.3.4\x00"], PROXY),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(forwarded: list[str], client: str) -> None:
    assert address(*forwarded) == client


@pytest.mark.parametrize("peer", [OUTSIDE, "10.8.1.1", "::1", "", "a socket"])
def test_nobody_else_is_believed(peer: str) -> None:
    headers = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-proto", b"https")]

    client = find_client(peer, headers, trusted=TRUSTED)

    assert (client.address, client.is_secure) == (peer, False)


def test_a_proxy_reached_over_ipv6_with_an_ipv4_address_is_the_same_proxy() -> None:
    assert address("203.0.113.9", peer="::ffff:10.8.0.1") == OUTSIDE


@pytest.mark.parametrize(
    ("said", "is_secure"),
    [
        ([b"https"], True),
        ([b"HTTPS"], True),
        ([b"http"], False),
        ([b"https, http"], False),
        ([b"https", b"http"], False),
        ([b"http, https"], True),
        ([b""], False),
        ([], False),
    ],
)
def test_the_nearest_proxy_says_whether_it_is_https(said: list[bytes], is_secure: bool) -> None:
    headers = [(b"x-forwarded-proto", value) for value in said]

    assert find_client(PROXY, headers, trusted=TRUSTED).is_secure is is_secure


def test_the_standard_header_is_not_read() -> None:
    """A proxy that sets one kind passes the other on as it came: whoever read both would believe anybody."""
    client = find_client(PROXY, [(b"forwarded", b"for=6.6.6.6;proto=https")], trusted=TRUSTED)

    assert (client.address, client.is_secure) == (PROXY, False)


def test_the_application_sees_none_of_these_headers() -> None:
    told = [
        (b"X-Forwarded-For", b"1"),
        (b"forwarded", b"2"),
        (b"x-real-ip", b"3"),
        (b"x-forwarded-host", b"4"),
    ]

    assert strip_proxy_headers([*told, (b"host", b"diary.home")]) == [(b"host", b"diary.home")]


# --- On a real server, without and with a trusted proxy --------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHouse]:
    extra = {"LLAMORA_TRUSTED_PROXIES": "127.0.66.0/24"}
    with run_household(tmp_path_factory.mktemp("household"), **extra) as house:
        yield house


PROXY_HERE = "127.0.66.1"
HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": OUTSIDE}


def sign_in_through(house: ServedHouse, peer: str, headers: dict[str, str]) -> Visitor:
    """Sign in from an address with headers as of a proxy; the last response is that to the form."""
    browser = house.new_member().another()
    browser.source_address, browser.more_headers = peer, headers
    browser.sign_in()
    return browser


def test_headers_of_a_trusted_proxy_make_the_cookies_secure(house: ServedHouse) -> None:
    origin = f"https://127.0.0.1:{house.server.port}"
    browser = sign_in_through(house, PROXY_HERE, HTTPS | {"Origin": origin})

    assert browser.responses[-1].status == 302
    assert "__Host-llamora_session" in browser.cookies
    assert "llamora_session" not in browser.cookies
    assert all("; secure" in line.lower() for line in browser.responses[-1].set_cookies)
    with browser.socket(origin=origin) as socket:
        assert socket.ping().wait(PATIENCE)
    with pytest.raises(InvalidStatus), browser.socket():
        pass


def test_headers_from_outside_change_nothing(house: ServedHouse) -> None:
    browser = sign_in_through(house, "127.0.67.1", HTTPS | {"Origin": house.server.base_url})

    assert browser.responses[-1].status == 302
    assert "llamora_session" in browser.cookies
    assert not any("secure" in line.lower() for line in browser.responses[-1].set_cookies)
    with browser.socket() as socket:
        assert socket.ping().wait(PATIENCE)


TRIES = PAIR.free + 8


def guess(house: ServedHouse, peer: str, forwarded: str) -> int:
    """Sign in with a wrong password; return the status."""
    browser = Visitor(server=house.server, source_address=peer, more_headers={"X-Forwarded-For": forwarded})
    browser.get("/sign-in/")
    return browser.submit("/sign-in/", {"name": "Nobody of this name", "password": "wrong"}).status


def test_guesses_are_counted_by_the_address_that_the_proxy_names(house: ServedHouse) -> None:
    # Each makes the next wait longer, so no more than it takes.
    is_refused = any(guess(house, PROXY_HERE, "6.6.6.6, 203.0.113.7") == 429 for _ in range(TRIES))
    another = guess(house, PROXY_HERE, "6.6.6.6, 203.0.113.8")

    assert is_refused
    assert another == 422
    assert re.search(r"POST /sign-in/ 4\d\d .* from 203\.0\.113\.7$", house.server.log(), re.MULTILINE)
    assert "6.6.6.6" not in house.server.log()


def test_a_guesser_cannot_change_their_address_by_a_header(house: ServedHouse) -> None:
    is_refused = any(guess(house, "127.0.67.2", f"6.6.6.{n}") == 429 for n in range(TRIES))

    assert is_refused
    assert "6.6.6." not in house.server.log()


def test_a_path_prefix_from_outside_changes_nothing(house: ServedHouse) -> None:
    browser = Visitor(server=house.server)

    page = browser.request("GET", "/sign-in/", headers={"Daphne-Root-Path": "/elsewhere"})

    assert page.status == 200
    assert "elsewhere" not in page.body
