"""Tests of the origin check of sockets."""

from typing import Any

import pytest

from llamora.routing import is_same_origin


def handshake(
    *, origin: str | None, host: str = "llamora.localhost:8765", scheme: str = "ws"
) -> dict[str, Any]:
    headers = [(b"host", host.encode())]
    headers += [] if origin is None else [(b"origin", origin.encode())]
    return {"scheme": scheme, "headers": headers}


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("llamora.localhost:8765", "http://llamora.localhost:8765"),
        ("127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("[::1]:8765", "http://[::1]:8765"),
        ("localhost", "http://localhost"),
    ],
)
def test_a_page_of_ours_may_open_a_socket(host: str, origin: str) -> None:
    assert is_same_origin(handshake(origin=origin, host=host))


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://elsewhere.example",
        "http://llamora.localhost:9999",
        "http://llamora.localhost",
        "http://llamora.localhost:8765.elsewhere.example",
        "http://elsewhere.example@llamora.localhost:8765",
        "file://llamora.localhost:8765",
        "http://[broken",
    ],
)
def test_any_other_page_and_no_page_at_all_may_not(origin: str | None) -> None:
    assert not is_same_origin(handshake(origin=origin))


def test_behind_a_proxy_with_https_only_its_pages_may() -> None:
    secure, plain = "https://llamora.localhost:8765", "http://llamora.localhost:8765"

    assert is_same_origin(handshake(origin=secure, scheme="wss"))
    assert not is_same_origin(handshake(origin=plain, scheme="wss"))
    assert not is_same_origin(handshake(origin=secure))


def test_a_name_that_is_not_ours_may_not_even_agree_with_itself() -> None:
    """DNS rebinding: a foreign name resolves to this machine, so Host and Origin match."""
    assert not is_same_origin(
        handshake(origin="http://elsewhere.example:8765", host="elsewhere.example:8765")
    )


def test_an_address_the_administrator_trusts_may(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://diary.example"]

    assert is_same_origin(handshake(origin="https://diary.example", host="internal:80"))
