"""Tests of recognising a browser before its request is handled."""

from typing import Any
from urllib.parse import urlencode

import pytest

from accounts.sessions.scope import find_recognised_browser
from tests.people import Resident


def build_request(who: Resident, *, name: str = "olive ähre") -> tuple[dict[str, Any], bytes]:
    """Return the scope and the body of a sign-in with the cookies of a browser."""
    cookies = "; ".join(f"{key}={morsel.value}" for key, morsel in who.client.cookies.items())
    scope = {"headers": [(b"cookie", cookies.encode())], "scheme": "http"}
    return scope, urlencode({"name": name, "password": "anything"}).encode()


def test_a_signed_in_browser_is_recognised_also_when_it_is_locked(owner: Resident) -> None:
    unlocked = find_recognised_browser(*build_request(owner))
    owner.lock()

    assert unlocked == f"person {owner.id}"
    assert find_recognised_browser(*build_request(owner)) == unlocked


def test_a_browser_that_was_signed_in_is_recognised_with_that_name_only(
    owner: Resident, housemate: Resident
) -> None:
    owner.sign_in(keep=True).post("/sign-out/")

    assert find_recognised_browser(*build_request(owner)).startswith("browser ")
    assert find_recognised_browser(*build_request(owner, name="Humphrey")) == ""
    assert find_recognised_browser(*build_request(owner, name="nobody")) == ""


@pytest.mark.parametrize(
    "cookie",
    [
        *("", "llamora_session=junk", f"llamora_session={'A' * 64}"),
        *("llamora_known=junk", "llamora_known=a.b", "é=ü"),
    ],
)
def test_nobody_else_is_recognised(owner: Resident, cookie: str) -> None:
    scope = {"headers": [(b"cookie", cookie.encode())], "scheme": "http"}

    assert find_recognised_browser(scope, b"name=olive") == ""


def test_a_body_that_is_no_form_is_nobodys(owner: Resident, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    owner.sign_in(keep=True).post("/sign-out/")
    scope, _ = build_request(owner)

    assert find_recognised_browser(scope, b"&".join(b"a=b" for _ in range(20))) == ""
    assert find_recognised_browser(scope, b"\xff\xfe\x00") == ""
