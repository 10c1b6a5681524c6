"""Tests of the page that shows a recovery code and asks for two of its groups."""

from typing import Any

import pytest
from django.test import Client

from accounts.auth.services import recovery_confirmation
from accounts.auth.services.recovery_confirmation import PendingCode, create_token, open_token
from accounts.errors import RecoveryCodeExpired
from llamora.crypto import new_recovery_code
from tests.accounts.pages import confirm_code, get_shown_code, list_errors, list_requested_groups
from tests.page import read
from tests.people import NEW_PASSWORD, PASSWORD, SESSION, Resident

JOINING = {"name": "Nora", "password": PASSWORD, "password_again": PASSWORD}
RENEWED = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


@pytest.fixture(autouse=True)
def _allow_registration(settings: Any) -> None:
    settings.REGISTRATION = "open"


@pytest.fixture
def page(administrator: Resident, stranger: Client) -> Any:
    """The page of a person who has just registered in this browser."""
    return stranger.post("/register/", JOINING)


def get_hidden_field(page: Any) -> str:
    return read(page).one('[name="carried"]').get("value")


def test_the_page_asks_for_two_of_the_nine_groups(page: Any) -> None:
    assert len(set(list_requested_groups(page))) == 2
    assert page.content.decode().count("Continue") == 1


def test_both_groups_lead_on(page: Any, stranger: Client) -> None:
    answer = confirm_code(stranger, page)

    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("typed", [{"group_a": ""}, {"group_b": "  "}, {"group_a": "", "group_b": ""}])
def test_nobody_goes_on_without_typing_them(page: Any, stranger: Client, typed: dict[str, str]) -> None:
    answer = confirm_code(stranger, page, **typed)

    assert answer.status_code == 422
    assert get_shown_code(answer) == get_shown_code(page)
    assert [said[:9] for said in list_errors(answer)] == ["Type the "] * len(typed)


def test_groups_are_read_as_people_write_them(administrator: Resident) -> None:
    for number in range(12):
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        page = client.post("/register/", {**JOINING, "name": f"Nora {number}"})
        first, second = (get_shown_code(page).split("-")[index] for index in list_requested_groups(page))
        lookalike = first.lower().replace("0", "o").replace("1", "l")

        answer = confirm_code(
            client, page, group_a=f" {lookalike[:2]} {lookalike[2:]}–", group_b=second.lower()
        )

        assert answer.status_code == 302


def test_a_wrong_group_is_named_beside_its_field_and_nothing_is_lost(page: Any, stranger: Client) -> None:
    answer = confirm_code(stranger, page, group_b="UUUU")

    shown = read(answer)
    right = get_shown_code(page).split("-")[list_requested_groups(page)[0]]
    assert answer.status_code == 422
    assert (get_shown_code(answer), list_requested_groups(answer)) == (
        get_shown_code(page),
        list_requested_groups(page),
    )
    assert len(list_errors(answer)) == 1
    assert "This is not the" in list_errors(answer)[0]
    assert shown.one('[name="group_a"]').get("value") == right
    refused = shown.one('[name="group_b"]')
    assert (refused.get("value"), refused.get("aria-invalid")) == ("UUUU", "true")
    assert refused.get("aria-describedby") == shown.one("p.field-error").get("id") != ""
    assert "autofocus" in refused.attributes
    assert len(shown.all("[autofocus]")) == 1
    assert confirm_code(stranger, answer).status_code == 302


def test_the_groups_in_each_others_place_are_both_wrong(page: Any, stranger: Client) -> None:
    groups = get_shown_code(page).split("-")
    first, second = (groups[index] for index in list_requested_groups(page))

    answer = confirm_code(stranger, page, group_a=second, group_b=first)

    assert len(list_errors(answer)) == 2
    assert answer.content.decode().count("autofocus") == 1


def test_a_page_with_script_gets_only_its_form_again(page: Any, stranger: Client) -> None:
    wrong = confirm_code(stranger, page, script=True, group_a="UUUU")
    right = confirm_code(stranger, page, script=True)

    assert wrong.status_code == 422
    assert 'id="recovery-confirm"' in wrong.content.decode()
    assert "data-recovery-code" not in wrong.content.decode()
    assert (right.status_code, right["HX-Redirect"]) == (204, "/")


def test_the_code_is_in_no_form_cookie_or_address(page: Any, stranger: Client) -> None:
    answer = confirm_code(stranger, page, group_a="UUUU")

    groups = get_shown_code(page).split("-")
    for shown in (page, answer):
        assert not any(group in get_hidden_field(shown) for group in groups)
        assert not any(get_shown_code(page) in form.html for form in read(shown).all("form"))
        assert not any(get_shown_code(page) in cookie.value for cookie in shown.cookies.values())
    assert confirm_code(stranger, page)["Location"] == "/"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("door", ["/settings/recovery-code/", "/settings/somebody-had-my-key/"])
@pytest.mark.django_db(transaction=True)
def test_every_new_code_insists(owner: Resident, door: str) -> None:
    page = owner.post(door, current=PASSWORD, **RENEWED)

    assert confirm_code(owner.client, page, group_a="UUUU").status_code == 422
    assert confirm_code(owner.client, page)["Location"] == "/settings/"


def test_a_code_after_a_forgotten_password_insists(owner: Resident, stranger: Client) -> None:
    page = stranger.post("/recover/", {"name": "olive ähre", "code": owner.recovery_code, **RENEWED})

    assert confirm_code(stranger, page, group_b="").status_code == 422
    assert confirm_code(stranger, page)["Location"] == "/"


def test_pressing_twice_is_answered_twice_and_later_not_at_all(
    page: Any, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [confirm_code(stranger, page).status_code for _ in range(2)] == [302, 302]

    late = recovery_confirmation.time.monotonic() + recovery_confirmation.LIFETIME_CONFIRMED
    monkeypatch.setattr(recovery_confirmation.time, "monotonic", lambda: late)
    answer = confirm_code(stranger, page, group_a="UUUU")

    assert answer.status_code == 410
    assert get_shown_code(page).split("-")[8] not in answer.content.decode()


def test_after_a_restart_the_page_says_what_to_do(
    page: Any, stranger: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery_confirmation, "_keys", {})

    plain, by_script = confirm_code(stranger, page), confirm_code(stranger, page, script=True)

    assert (plain.status_code, by_script.status_code) == (410, 410)
    for answer in (plain, by_script):
        assert "create a new one in Settings" in answer.content.decode()


@pytest.mark.parametrize("carried", ["", ".", "é", "0" * 32, f"{'0' * 32}.AAAA", "x" * 100_000])
def test_what_no_page_brought_shows_nothing(owner: Resident, carried: str) -> None:
    answer = owner.post("/recovery-kept/", carried=carried, group_a="ABCD", group_b="ABCD")

    assert answer.status_code == 410


def test_a_page_of_somebody_else_is_not_opened(owner: Resident, housemate: Resident) -> None:
    page = housemate.post("/settings/recovery-code/", current=PASSWORD)

    answer = owner.post("/recovery-kept/", carried=get_hidden_field(page), group_a="", group_b="")

    assert answer.status_code == 410
    assert get_shown_code(page).split("-")[0] not in answer.content.decode()


def test_a_stranger_with_the_page_is_sent_to_sign_in(page: Any, stranger: Client) -> None:
    del stranger.cookies[SESSION]

    assert confirm_code(stranger, page)["Location"].startswith("/sign-in/")


def test_what_was_changed_on_the_way_does_not_open(owner: Resident) -> None:
    shown = PendingCode(code=new_recovery_code(), asked=[0, 8], following="/")
    carried = create_token(shown, owner=owner.id)

    assert open_token(carried, owner=owner.id) == shown
    for changed in (carried[:-8] + "AAAAAAAA", carried[:-4], carried + "????"):
        with pytest.raises(RecoveryCodeExpired):
            open_token(changed, owner=owner.id)


def test_keys_past_their_time_are_forgotten(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_confirmation, "_keys", {})
    shown = PendingCode(code=new_recovery_code(), asked=[0, 8], following="/")
    carried = create_token(shown, owner=owner.id)

    late = recovery_confirmation.time.monotonic() + recovery_confirmation.LIFETIME
    monkeypatch.setattr(recovery_confirmation.time, "monotonic", lambda: late)
    with pytest.raises(RecoveryCodeExpired):
        open_token(carried, owner=owner.id)
    create_token(shown, owner=owner.id)

    assert len(recovery_confirmation._keys) == 1
    assert shown.code not in repr(shown)
