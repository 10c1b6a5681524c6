"""Tests of the page on which a person makes, confirms and revokes access tokens."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.errors import InvalidToken
from accounts.keys.token_slots import suspend_tokens
from accounts.models import AccessToken
from tests import tokens
from tests.page import read
from tests.people import Resident
from tests.tokens import read_entries, use_token

PAGE = "/settings/programs/"
ORDINARY = {"name": "Kitchen tablet", "kind": "ordinary", "scopes": ["diary:read"], "lifetime_days": "90"}
AWAY = {**ORDINARY, "kind": "away"}
DROP = {"name": "Scanner", "kind": "drop", "lifetime_days": "0"}


@pytest.fixture(autouse=True)
def forget_tokens() -> Iterator[None]:
    with tokens.forgotten_afterwards():
        yield


@pytest.fixture
def olive(owner: Resident) -> Resident:
    owner.write_with(owner.open_keyring(), "The first snow")
    return owner.sign_in()


def make(who: Resident, **fields: Any) -> str:
    if fields["kind"] != "drop":
        fields["current"] = who.password
    answer = who.post(PAGE, **fields)
    assert answer.status_code == 200, answer.content
    (text,) = re.findall(r"llamora_[0-9a-z_]{86}", answer.content.decode())
    return text


def test_each_kind_is_made_and_shown_once(olive: Resident) -> None:
    texts = [make(olive, **ORDINARY), make(olive, **AWAY), make(olive, **DROP)]

    assert [read_entries(text) for text in texts[:2]] == [{"The first snow"}] * 2
    assert use_token(texts[2]).drop is not None
    page = olive.get(PAGE).content.decode()
    assert page.count("Kitchen tablet") >= 2
    assert "Scanner" in page
    assert not any(text in page for text in texts)


def test_what_was_ticked_is_what_the_token_may(olive: Resident) -> None:
    text = make(
        olive,
        **{**ORDINARY, "scopes": ["diary:read", "diary:write"], "lifetime_days": "30"},
        writes_own_text="on",
        reads_untrusted="on",
    )

    terms = use_token(text).terms

    assert terms.scopes == {"diary:read", "diary:write"}
    assert (terms.lifetime_days, terms.writes_own_text, terms.reads_untrusted) == (30, True, True)


@pytest.mark.parametrize(
    "fields",
    [
        {**ORDINARY, "name": " "},
        ORDINARY,
        {**ORDINARY, "scopes": []},
        {**ORDINARY, "scopes": ["vault"]},
        {**ORDINARY, "scopes": ["drop"]},
        {**ORDINARY, "kind": "passkey"},
        {**ORDINARY, "lifetime_days": "9999"},
        AWAY,
        {**AWAY, "current": "not the password"},
    ],
    ids=[
        "name",
        "no password",
        "no scope",
        "vault",
        "drop",
        "kind",
        "days",
        "away, no password",
        "wrong password",
    ],
)
def test_what_is_missing_or_wrong_makes_no_token(olive: Resident, fields: dict[str, Any]) -> None:
    answer = olive.post(PAGE, **fields)

    assert answer.status_code == 422
    assert read(answer).texts(".field-error")
    assert not AccessToken.objects.exists()


def test_a_token_is_revoked_at_once(olive: Resident) -> None:
    text = make(olive, **ORDINARY)
    row = tokens.get_row(text)

    assert olive.post(f"{PAGE}{row.id}/revoke/").status_code == 302

    with pytest.raises(InvalidToken):
        use_token(text)
    page = olive.get(PAGE).content.decode()
    assert "The token is revoked." in page
    assert "No program has a token." in page


@pytest.mark.usefixtures("transactional_db")
def test_a_token_that_holds_keys_is_revoked_with_a_new_key(olive: Resident) -> None:
    elsewhere = olive.sign_in_elsewhere()
    text = make(olive, **AWAY)
    row = tokens.get_row(text)

    assert olive.post(f"{PAGE}{row.id}/revoke/").status_code == 302

    assert olive.get_vault().epoch == 2
    assert "your diary has a new encryption key" in olive.get(PAGE).content.decode()
    assert not elsewhere.is_unlocked()
    with pytest.raises(InvalidToken):
        use_token(text)


def test_a_token_waits_after_a_restore_until_it_is_confirmed(olive: Resident) -> None:
    text = make(olive, **DROP)
    suspend_tokens()
    row = tokens.get_row(text)
    assert "waits for you" in olive.get(PAGE).content.decode()

    assert olive.post(f"{PAGE}{row.id}/confirm/").status_code == 302

    use_token(text)
    assert "waits for you" not in olive.get(PAGE).content.decode()


def test_a_token_that_was_changed_on_the_disk_is_not_confirmed(olive: Resident) -> None:
    row = tokens.get_row(make(olive, **ORDINARY))
    suspend_tokens()
    AccessToken.objects.update(lifetime_days=0)

    olive.post(f"{PAGE}{row.id}/confirm/")

    page = olive.get(PAGE).content.decode()
    assert "can't work again" in page.replace("&#x27;", "'").replace("&#39;", "'")
    assert AccessToken.objects.get().confirmation is None


def test_a_housemate_s_form_finds_nothing(olive: Resident, housemate: Resident) -> None:
    row = tokens.get_row(make(olive, **DROP))

    assert housemate.post(f"{PAGE}{row.id}/revoke/").status_code == 404
    assert housemate.post(f"{PAGE}{row.id}/confirm/").status_code == 404
    assert "Scanner" not in housemate.get(PAGE).content.decode()
    assert AccessToken.objects.count() == 1


def test_the_page_says_what_a_token_read(olive: Resident) -> None:
    make(olive, **ORDINARY)
    AccessToken.objects.update(read_count=12, read_days=3)

    assert "12 texts on 3 days" in olive.get(PAGE).content.decode()
    AccessToken.objects.update(read_count=1, read_days=1)
    assert "1 text on 1 day<" in olive.get(PAGE).content.decode()


def test_a_name_is_shown_as_text(olive: Resident) -> None:
    make(olive, **{**DROP, "name": "<b>Scanner</b>"})

    page = olive.get(PAGE).content.decode()
    assert "<b>Scanner</b>" not in page
    assert "&lt;b&gt;Scanner" in page


def test_the_administrator_sees_how_many_there_are_and_no_name(
    olive: Resident, administrator: Resident
) -> None:
    administrator.sign_in()
    path = f"/admin/accounts/person/{olive.id}/change/"
    text = make(olive, **DROP)
    assert "1, never used" in administrator.get(path).content.decode()

    use_token(text)

    page = administrator.get(path).content.decode()
    assert "1, last used" in page
    assert "Scanner" not in page
