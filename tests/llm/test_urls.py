"""Tests that URLs of models must be on this machine unless allowed, checked without a name lookup."""

import pytest

from llamora.llm.client import ModelServer, is_loopback_url, normalize_base_url
from llamora.llm.errors import RemoteNotAllowed, WrongAddress


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://localhost:1",
        "http://[::1]:8080/v1",
        "http://127.9.9.9",
        "http://a.localhost",
    ],
)
def test_loopback_addresses_are_this_machine(url: str) -> None:
    assert is_loopback_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.4:8080",
        "https://api.example.org/v1",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@example.org/",
        "http://0.0.0.0:8080",
        "http://127.1",
        "http://2130706433",
    ],
)
def test_others_are_refused_unless_allowed(url: str) -> None:
    with pytest.raises(RemoteNotAllowed):
        ModelServer(url)

    assert ModelServer(url, allow_remote=True).is_remote


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "file:///etc/passwd",
        "http://127.0.0.1:99999",
        "http://[::1",
    ],
)
def test_what_is_no_web_address_is_a_wrong_address(url: str) -> None:
    with pytest.raises(WrongAddress):
        ModelServer(url)


def test_an_address_may_be_pasted_with_or_without_its_version() -> None:
    addresses = [
        "http://127.0.0.1:1/v1",
        "http://127.0.0.1:1/v1/",
        "http://127.0.0.1:1/",
        " http://127.0.0.1:1",
    ]

    assert {normalize_base_url(address) for address in addresses} == {"http://127.0.0.1:1"}
