"""Tests of signing in, and that failed attempts reveal nothing."""

from typing import Any

import pytest
from django.conf import settings as live_settings
from django.test import Client

from accounts.models import KeySlot, Person, SignIn, SlotKind
from accounts.rotation.epoch_change import begin_rotation
from accounts.usernames import fold_username
from llamora.crypto import Cost
from llamora.fields import new_id
from llamora.ops.doctor import household
from tests.accounts.conftest import CountingQueue
from tests.accounts.pages import list_errors
from tests.people import NEW_PASSWORD, PASSWORD, SESSION, Resident, register_resident


def sign_in(client: Client, name: str, password: str = PASSWORD, **fields: str) -> Any:
    return client.post("/sign-in/", {"name": name, "password": password, **fields})


@pytest.mark.parametrize(
    "name", ["Olive Ähre", "olive ähre", "OLIVE ÄHRE", "Olive A\u0308hre", "  Olive   Ähre "]
)
def test_a_name_is_known_however_it_is_typed(owner: Resident, stranger: Client, name: str) -> None:
    assert sign_in(stranger, name)["Location"] == "/"
    assert stranger.get("/settings/").status_code == 200


def test_a_password_is_known_composed_or_not(administrator: Resident, stranger: Client) -> None:
    begin_rotation(administrator.open_slot(), new_secrets={SlotKind.PASSWORD: "Ärger über Öl"})

    assert sign_in(stranger, "karin", "A\u0308rger u\u0308ber O\u0308l").status_code == 302


def test_unknown_names_and_wrong_passwords_get_the_same_words_and_the_same_work(
    owner: Resident, derivations: CountingQueue
) -> None:
    Person.objects.create(name="No Vault")

    answers = [
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{n}"), name, "wrong all the same")
        for n, name in enumerate(["Olive Ähre", "nobody here", "No Vault"])
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert len({tuple(list_errors(answer)) for answer in answers}) == 1
    assert len(derivations.costs) == 3
    assert len(set(derivations.costs)) == 1


def test_a_wrong_password_is_not_given_back(owner: Resident, stranger: Client) -> None:
    answer = sign_in(stranger, "olive ähre", "my secret guess")

    assert "my secret guess" not in answer.content.decode()
    assert "olive ähre" in answer.content.decode()


def test_another_persons_password_opens_nothing(owner: Resident, stranger: Client) -> None:
    other = register_resident("Otto")
    slot = KeySlot.objects.get(owner=other.person, kind=SlotKind.PASSWORD)
    # Somebody who can write to the database gives their own slot to the owner.
    KeySlot.objects.filter(owner=owner.person, kind=SlotKind.PASSWORD).delete()
    slot.id, slot.owner_id = new_id(), owner.id
    slot.save(force_insert=True)

    assert sign_in(stranger, "olive ähre").status_code == 422


def test_a_forged_slot_is_refused_after_the_right_password(owner: Resident, stranger: Client) -> None:
    planted = KeySlot.objects.get(owner=register_resident("Otto").person, kind=SlotKind.PASSWORD)
    KeySlot.objects.filter(owner=owner.person, kind=SlotKind.PASSWORD).update(box=planted.box)

    answer = sign_in(stranger, "olive ähre")

    assert answer.status_code == 422
    assert "changed on the disk" in list_errors(answer)[0]


def test_a_row_that_asks_for_another_cost_is_not_derived(
    owner: Resident, stranger: Client, derivations: CountingQueue
) -> None:
    KeySlot.objects.filter(owner=owner.person).update(memory_kib=64 * 1024 * 1024)

    answer = sign_in(stranger, "olive ähre")

    assert answer.status_code == 422
    assert derivations.costs == []


@pytest.mark.parametrize(
    ("cost", "derived"),
    [
        ({"memory_kib": 256 * 1024 + 1}, False),
        ({"memory_kib": 1024 * 1024, "time": 12}, False),
        ({"time": 7}, False),
        ({"time": 6}, True),
    ],
)
def test_a_row_cannot_ask_for_more_than_the_ceiling(
    owner: Resident, stranger: Client, derivations: CountingQueue, cost: dict[str, int], *, derived: bool
) -> None:
    KeySlot.objects.filter(owner=owner.person).update(**cost)

    answer = sign_in(stranger, "olive ähre")

    assert answer.status_code == 422
    assert bool(derivations.costs) is derived
    assert derived or "more memory or time than this server allows" in list_errors(answer)[0]


@pytest.mark.parametrize("time", [7, 12])
def test_a_slot_that_the_settings_allowed_before_opens_as_long_as_they_do(
    owner: Resident, stranger: Client, settings: Any, time: int
) -> None:
    settings.ARGON2_TIME = time
    assert sign_in(stranger, "olive ähre").status_code == 302
    assert KeySlot.objects.get(owner=owner.person, kind=SlotKind.PASSWORD).time == time
    assert sign_in(Client(), "olive ähre").status_code == 302

    settings.ARGON2_TIME = 3
    (refused,) = list(household.check_key_derivations())
    assert "run the command doctor" in list_errors(sign_in(Client(), "olive ähre"))[0]
    assert refused.level == "bad"
    assert f"LLAMORA_ARGON2_TIME={time}" in refused.message

    settings.ARGON2_TIME = time
    assert sign_in(Client(), "olive ähre").status_code == 302
    assert next(iter(household.check_key_derivations())).level == "ok"


def test_somebody_switched_off_is_told_so_only_with_the_right_password(
    owner: Resident, stranger: Client
) -> None:
    Person.objects.filter(id=owner.id).update(is_active=False)

    wrong, right = sign_in(stranger, "olive ähre", "wrong one here"), sign_in(stranger, "olive ähre")

    assert "Wrong name or password" in list_errors(wrong)[0]
    assert "turned off" in list_errors(right)[0]
    assert owner.get("/settings/").status_code == 302


def test_costs_that_the_settings_raise_are_raised_at_the_next_sign_in(
    owner: Resident, stranger: Client, settings: Any
) -> None:
    before = KeySlot.objects.get(owner=owner.person, kind=SlotKind.PASSWORD)
    settings.ARGON2_MEMORY_KIB, settings.ARGON2_TIME = 16, 2

    assert sign_in(stranger, "olive ähre").status_code == 302

    after = KeySlot.objects.get(owner=owner.person, kind=SlotKind.PASSWORD)
    assert (after.memory_kib, after.time) == (16, 2)
    assert (after.id, bytes(after.public_key)) != (before.id, bytes(before.public_key))
    assert sign_in(stranger, "olive ähre").status_code == 302


def test_costs_are_never_lowered(owner: Resident, stranger: Client, settings: Any) -> None:
    settings.ARGON2_TIME = 2
    sign_in(stranger, "olive ähre")
    settings.ARGON2_TIME = 1

    sign_in(stranger, "olive ähre")

    assert KeySlot.objects.get(owner=owner.person, kind=SlotKind.PASSWORD).time == 2


def test_the_settings_that_ship_are_the_second_choice_of_the_rfc() -> None:
    import llamora.settings as shipped

    assert Cost(shipped.ARGON2_MEMORY_KIB, shipped.ARGON2_TIME, shipped.ARGON2_LANES) == Cost(65536, 3, 4)


def test_only_hashes_of_cookies_are_stored(owner: Resident) -> None:
    row, half = owner.get_sign_in(), owner.get_cookie().half

    stored = [bytes(row.half_hash), bytes(row.unlock.wrapped_dek), bytes(row.unlock.salt)]

    assert not any(half in value or owner.data_key in value for value in stored)


@pytest.mark.parametrize(("fields", "lasts"), [({}, ""), ({"stay_days": "30"}, 30 * 86400)])
def test_the_cookie_lasts_as_long_as_the_person_wants(
    owner: Resident, fields: dict[str, str], lasts: object
) -> None:
    answer = sign_in(Client(), "olive ähre", **fields)

    cookie = answer.cookies[SESSION]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"], cookie["secure"]) == (
        lasts,
        True,
        "Lax",
        "",
    )


def test_over_https_the_cookie_is_bound_to_this_host(owner: Resident) -> None:
    client = Client()

    answer = client.post("/sign-in/", {"name": "olive ähre", "password": PASSWORD}, secure=True)

    cookie = answer.cookies[f"__Host-{live_settings.SESSION_COOKIE}"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert client.get("/settings/", secure=True).status_code == 200


def test_signing_in_changes_the_csrf_secret(owner: Resident) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in/")
    before = client.cookies[live_settings.CSRF_COOKIE_NAME].value

    answer = client.post(
        "/sign-in/", {"name": "olive ähre", "password": PASSWORD, "csrfmiddlewaretoken": before}
    )

    assert answer.status_code == 302
    assert client.cookies[live_settings.CSRF_COOKIE_NAME].value != before


def test_signing_in_needs_the_token_of_the_form(owner: Resident) -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"name": "olive ähre", "password": PASSWORD})

    assert answer.status_code == 403
    assert "nothing was saved" in answer.content.decode()


def test_a_second_person_at_the_same_browser_ends_the_first_ones_session(
    owner: Resident, housemate: Resident
) -> None:
    first, browser = owner.get_sign_in(), owner.client

    sign_in(browser, "humphrey")

    assert not SignIn.objects.filter(id=first.id).exists()
    assert SignIn.objects.filter(person=housemate.person).exists()
    assert f'data-owner="{housemate.id}"' in browser.get("/settings/").content.decode()


def test_the_same_person_signing_in_again_stays_the_same_session(owner: Resident) -> None:
    first, half = owner.get_sign_in(), owner.get_cookie().half

    owner.sign_in()

    assert owner.get_sign_in() == first
    assert owner.get_cookie().half != half
    assert SignIn.objects.filter(person=owner.person).count() == 1


def test_script_is_told_instead_of_sent_on(owner: Resident) -> None:
    answer = Client().post(
        "/sign-in/", {"name": "olive ähre", "password": PASSWORD}, headers={"HX-Request": "true"}
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert SESSION in answer.cookies


def test_signing_out_ends_the_session_and_forgets_cookies_by_name(owner: Resident) -> None:
    row = owner.get_sign_in()

    answer = owner.post("/sign-out/")

    assert not SignIn.objects.filter(id=row.id).exists()
    assert answer["Clear-Site-Data"] == '"cache"'
    assert answer.cookies[SESSION]["max-age"] == 0
    assert owner.get("/settings/")["Location"] == "/sign-in/?next=%2Fsettings%2F"


def test_what_was_said_is_kept_under_our_own_name_and_goes_with_the_sign_in(owner: Resident) -> None:
    said = owner.post("/settings/browsers/end-others/")

    gone = owner.post("/sign-out/")

    assert "messages" not in said.cookies
    assert said.cookies["llamora_said"].value
    assert gone.cookies["llamora_said"]["max-age"] == 0


@pytest.mark.parametrize("path", ["/sign-out/", "/lock/", "/strength/", "/recovery-kept/"])
def test_nothing_changes_by_following_a_link(owner: Resident, path: str) -> None:
    assert owner.get(path).status_code == 405
    assert owner.is_unlocked()


def test_there_is_no_second_password_to_attack(owner: Resident) -> None:
    columns = {field.column for model in (Person, KeySlot, SignIn) for field in model._meta.concrete_fields}

    assert not any("password" in column for column in columns)
    assert live_settings.PASSWORD_HASHERS == live_settings.AUTHENTICATION_BACKENDS == []
    with pytest.raises(RuntimeError):
        owner.person.set_password(NEW_PASSWORD)


def test_names_fold_alike() -> None:
    assert fold_username("STRASSE") == fold_username("straße") == fold_username(" strasse ")
