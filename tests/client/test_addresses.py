"""Tests of server addresses: which are valid, and to which a token may be sent."""

import pytest

from llamora.client import AddressRefused, Llamora
from llamora.client.addresses import parse_address
from tests.client.scripted_api import TOKEN, ScriptedApi


@pytest.mark.parametrize(
    "url",
    [
        "https://diary.home",
        "https://diary.home:8443/",
        "HTTPS://Diary.Home",
        "http://127.0.0.1:8765",
        "http://127.8.9.10:8765",
        "http://[::1]:8765",
        "http://[::ffff:127.0.0.1]:8765",
        "http://localhost:8765",
        "http://llamora.localhost:8765",
    ],
)
def test_an_address_to_which_a_token_may_go(url: str) -> None:
    assert parse_address(url).build_url("/health").endswith("/health")


@pytest.mark.parametrize(
    "url",
    [
        "http://diary.home",
        "http://192.168.1.7:8765",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://localhost@example.org",
        "http://[fe80::1]:8765",
        "http://2130706433",
        "http://0.0.0.0:8765",
    ],
)
def test_a_token_crosses_no_network_unencrypted(url: str) -> None:
    with pytest.raises(AddressRefused):
        Llamora(url, token=TOKEN)


def test_plain_http_can_be_allowed() -> None:
    assert parse_address("http://192.168.1.7:8765", allow_plain_http=True).base == "http://192.168.1.7:8765"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "diary.home",
        "ftp://diary.home",
        "https://",
        "https://diary.home:port",
        "https://diary.home:99999",
        "https://[::1",
        "https://name:word@diary.home",
        "https://diary.home/prefix",
        "https://diary.home?x=1",
        "https://diary.home#x",
        "https://\x00",
        "https://" + "a" * 300 + ".example",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        Llamora(url, token=TOKEN, allow_plain_http=True)

    assert "word" not in str(caught.value)


def test_a_name_under_localhost_is_this_machine_on_every_machine(api: ScriptedApi) -> None:
    with Llamora(f"http://llamora.localhost:{api.port}", token=TOKEN) as diary:
        assert diary.get_status().unlocked

    assert api.requests[0].headers["host"] == f"llamora.localhost:{api.port}"


def test_proxies_of_the_environment_are_not_used(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedApi() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with Llamora(api.url, token=TOKEN) as diary:
            assert diary.get_status().unlocked

        assert proxy.requests == []
