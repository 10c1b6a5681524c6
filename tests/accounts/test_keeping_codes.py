"""The page with a recovery code: it goes on once two groups are typed back, and loses nothing before."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.auth.services import recovery_confirmation
from accounts.auth.services.recovery_confirmation import PendingCode, from_token, to_token
from accounts.errors import RecoveryCodeExpired
from llamora.crypto import new_recovery_code
from tests.accounts.cast import (
    NEW_PASSWORD,
    PASSWORD,
    SESSION,
    Member,
    asked_of,
    code_of,
    keeps,
    sentences_of,
)

JOINING = {"name": "Nora", "password": PASSWORD, "password_again": PASSWORD}
RENEWED = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


@pytest.fixture(autouse=True)
def _open_house(settings: Any) -> None:
    settings.REGISTRATION = "open"


@pytest.fixture
def page(keeper: Member, stranger: Client) -> Any:
    """The page of somebody who has just registered in this browser."""
    return stranger.post("/register/", JOINING)


def carried_by(page: Any) -> str:
    found = re.search(r'name="carried" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def test_the_page_asks_for_two_of_the_nine_groups(page: Any) -> None:
    assert len(set(asked_of(page))) == 2
    assert page.content.decode().count("I have kept it") == 1


def test_both_groups_lead_on(page: Any, stranger: Client) -> None:
    answer = keeps(stranger, page)

    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("typed", [{"group_a": ""}, {"group_b": "  "}, {"group_a": "", "group_b": ""}])
def test_nobody_goes_on_without_typing_them(page: Any, stranger: Client, typed: dict[str, str]) -> None:
    answer = keeps(stranger, page, **typed)

    assert answer.status_code == 422
    assert code_of(answer) == code_of(page)
    assert [said[:9] for said in sentences_of(answer)] == ["Type the "] * len(typed)


def test_groups_are_read_as_people_write_them(keeper: Member) -> None:
    for number in range(12):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        page = client.post("/register/", {**JOINING, "name": f"Nora {number}"})
        first, second = (code_of(page).split("-")[index] for index in asked_of(page))
        lookalike = first.lower().replace("0", "o").replace("1", "l")

        answer = keeps(client, page, group_a=f" {lookalike[:2]} {lookalike[2:]}–", group_b=second.lower())

        assert answer.status_code == 302


def test_a_wrong_group_is_named_beside_its_field_and_nothing_is_lost(page: Any, stranger: Client) -> None:
    answer = keeps(stranger, page, group_b="UUUU")

    shown = answer.content.decode()
    right = code_of(page).split("-")[asked_of(page)[0]]
    assert answer.status_code == 422
    assert (code_of(answer), asked_of(answer)) == (code_of(page), asked_of(page))
    assert len(sentences_of(answer)) == 1
    assert "This is not the" in sentences_of(answer)[0]
    assert f'name="group_a" value="{right}"' in shown
    refused = re.search(r'<input[^>]*name="group_b"[^>]*>', shown)
    assert refused
    assert all(words in refused[0] for words in ('value="UUUU"', 'aria-invalid="true"', "autofocus"))
    error_id = re.findall(r'<p class="field-error" id="([^"]+)">', shown)[0]
    assert f'aria-describedby="{error_id}"' in refused[0]
    assert shown.count("autofocus") == 1
    assert keeps(stranger, answer).status_code == 302


def test_the_groups_in_each_others_place_are_both_wrong(page: Any, stranger: Client) -> None:
    groups = code_of(page).split("-")
    first, second = (groups[index] for index in asked_of(page))

    answer = keeps(stranger, page, group_a=second, group_b=first)

    assert len(sentences_of(answer)) == 2
    assert answer.content.decode().count("autofocus") == 1


def test_a_page_with_script_gets_only_its_form_again(page: Any, stranger: Client) -> None:
    wrong = keeps(stranger, page, script=True, group_a="UUUU")
    right = keeps(stranger, page, script=True)

    assert wrong.status_code == 422
    assert 'id="recovery-confirm"' in wrong.content.decode()
    assert "data-recovery-code" not in wrong.content.decode()
    assert (right.status_code, right["HX-Redirect"]) == (204, "/")


def test_the_code_is_in_no_form_cookie_or_address(page: Any, stranger: Client) -> None:
    answer = keeps(stranger, page, group_a="UUUU")

    groups = code_of(page).split("-")
    for shown in (page, answer):
        form = shown.content.decode().partition("<form")[2]
        assert not any(group in carried_by(shown) for group in groups)
        assert code_of(page) not in form
        assert not any(code_of(page) in cookie.value for cookie in shown.cookies.values())
    assert keeps(stranger, page)["Location"] == "/"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("door", ["/settings/recovery-code/", "/settings/somebody-had-my-key/"])
@pytest.mark.django_db(transaction=True)
def test_every_new_code_insists(owner: Member, door: str) -> None:
    page = owner.post(door, current=PASSWORD, **RENEWED)

    assert keeps(owner.client, page, group_a="UUUU").status_code == 422
    assert keeps(owner.client, page)["Location"] == "/settings/"


def test_a_code_after_a_forgotten_password_insists(owner: Member, stranger: Client) -> None:
    page = stranger.post("/recover/", {"name": "olive ähre", "code": owner.code, **RENEWED})

    assert keeps(stranger, page, group_b="").status_code == 422
    assert keeps(stranger, page)["Location"] == "/"


def test_pressing_twice_is_answered_twice_and_later_not_at_all(
    page: Any, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [keeps(stranger, page).status_code for _ in range(2)] == [302, 302]

    late = recovery_confirmation.time.monotonic() + recovery_confirmation.LIFETIME_CONFIRMED
    monkeypatch.setattr(recovery_confirmation.time, "monotonic", lambda: late)
    answer = keeps(stranger, page, group_a="UUUU")

    assert answer.status_code == 410
    assert code_of(page).split("-")[8] not in answer.content.decode()


def test_after_a_restart_the_page_says_what_to_do(
    page: Any, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery_confirmation, "_keys", {})

    plain, by_script = keeps(stranger, page), keeps(stranger, page, script=True)

    assert (plain.status_code, by_script.status_code) == (410, 410)
    for answer in (plain, by_script):
        assert "make a new one under You" in answer.content.decode()


@pytest.mark.parametrize("carried", ["", ".", "é", "0" * 32, f"{'0' * 32}.AAAA", "x" * 100_000])
def test_what_no_page_brought_shows_nothing(owner: Member, carried: str) -> None:
    answer = owner.post("/recovery-kept/", carried=carried, group_a="ABCD", group_b="ABCD")

    assert answer.status_code == 410


def test_a_page_of_somebody_else_is_not_opened(owner: Member, housemate: Member) -> None:
    page = housemate.post("/settings/recovery-code/", current=PASSWORD)

    answer = owner.post("/recovery-kept/", carried=carried_by(page), group_a="", group_b="")

    assert answer.status_code == 410
    assert code_of(page).split("-")[0] not in answer.content.decode()


def test_a_stranger_with_the_page_is_sent_to_sign_in(page: Any, stranger: Client) -> None:
    del stranger.cookies[SESSION]

    assert keeps(stranger, page)["Location"].startswith("/sign-in/")


def test_what_was_changed_on_the_way_does_not_open(owner: Member) -> None:
    shown = PendingCode(code=new_recovery_code(), asked=[0, 8], following="/")
    carried = to_token(shown, owner=owner.id)

    assert from_token(carried, owner=owner.id) == shown
    for changed in (carried[:-8] + "AAAAAAAA", carried[:-4], carried + "????"):
        with pytest.raises(RecoveryCodeExpired):
            from_token(changed, owner=owner.id)


def test_keys_past_their_time_are_forgotten(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_confirmation, "_keys", {})
    shown = PendingCode(code=new_recovery_code(), asked=[0, 8], following="/")
    carried = to_token(shown, owner=owner.id)

    late = recovery_confirmation.time.monotonic() + recovery_confirmation.LIFETIME
    monkeypatch.setattr(recovery_confirmation.time, "monotonic", lambda: late)
    with pytest.raises(RecoveryCodeExpired):
        from_token(carried, owner=owner.id)
    to_token(shown, owner=owner.id)

    assert len(recovery_confirmation._keys) == 1
    assert shown.code not in repr(shown)
