"""Tests of the return address after signing in, which must stay on this site."""

import pytest
from django.test import Client

from accounts.http import next_url
from tests.people import PASSWORD, Resident

HOSTILE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/%2fevil.example",
    "/%2Fevil.example/",
    "%2f%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/settings/%0d%0aLocation:%20//evil.example",
    "http://evil.example/",
    "https:evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "settings/",
    "//[evil",
    "/settings/\u2028",
    "/settings/\x00",
    "/" + "a" * 3000,
    "/no-such-page/",
    "",
]
DOORS = ["/sign-in/", "/sign-out/", "/unlock/?next=/", "/lock/", "/register/", "/recover/", "/strength/"]
HOME_GROWN = ["/settings/", "/settings/?a=b", "/d/2026-11-20/", "/calendar/2026-11/", "/admin/"]


@pytest.mark.parametrize("address", HOSTILE + DOORS)
def test_what_leads_away_or_back_to_the_door_becomes_the_first_page(address: str) -> None:
    assert next_url.get_safe_url(address) == "/"


@pytest.mark.parametrize("address", HOME_GROWN)
def test_pages_of_this_site_are_gone_on_to(address: str) -> None:
    assert next_url.get_safe_url(address) == address


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "/%2fevil.example", "https://evil.example/"]
)
def test_signing_in_and_unlocking_stay_here(owner: Resident, address: str) -> None:
    in_form = Client().post("/sign-in/", {"name": "olive ähre", "password": PASSWORD, "next": address})
    in_link = owner.client.get("/sign-in/", {"next": address})
    owner.lock()
    unlocked = owner.post("/unlock/", password=PASSWORD, next=address)

    assert in_form["Location"] == in_link["Location"] == unlocked["Location"] == "/"


@pytest.mark.parametrize(
    ("referrer", "following"),
    [
        ("http://testserver/d/2026-11-20/", "/d/2026-11-20/"),
        ("http://testserver/settings/?x=1", "/settings/?x=1"),
        ("http://evil.example/settings/", "/"),
        ("http://testserver//evil.example", "/"),
        ("http://testserver.evil.example/settings/", "/"),
        ("http://[broken", "/"),
        ("", "/"),
    ],
)
def test_locking_remembers_only_a_page_of_ours(owner: Resident, referrer: str, following: str) -> None:
    answer = owner.client.post("/lock/", headers={"Referer": referrer} if referrer else {})

    assert (
        answer["Location"]
        == f"/unlock/?next={following.replace('/', '%2F').replace('?', '%3F').replace('=', '%3D')}"
    )
