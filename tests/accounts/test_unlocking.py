"""Tests of locking and unlocking one browser, by its own person only."""

import asyncio
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.test import Client

from accounts.auth.services.login import sign_in_with_password, unlock_with_password
from accounts.errors import SignInEnded
from accounts.models import SignIn, Unlock
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.services import open_session
from accounts.sessions.user_events import user_events
from accounts.signals import vault_locked, vault_unlocked
from llamora.crypto import current_keyring
from tests.accounts.pages import list_errors
from tests.people import HERE, PASSWORD, SESSION, Resident


def unlock(who: Resident, password: str = PASSWORD, *, script: bool = False, **fields: str) -> Any:
    return who.post("/unlock/", script=script, password=password, **fields)


def test_locking_takes_the_key_and_leaves_the_sign_in(owner: Resident) -> None:
    answer = owner.client.post("/lock/", headers={"Referer": "http://testserver/settings/"})

    assert answer["Location"] == "/unlock/?next=%2Fsettings%2F"
    assert answer["Clear-Site-Data"] == '"cache"'
    assert not Unlock.objects.filter(sign_in=owner.get_sign_in()).exists()
    assert owner.get("/settings/")["Location"] == "/unlock/?next=%2Fsettings%2F"


def test_unlocking_goes_on_where_one_was(owner: Resident) -> None:
    owner.lock()

    answer = unlock(owner, next="/settings/")

    assert (answer.status_code, answer["Location"]) == (302, "/settings/")
    assert owner.is_unlocked()


def test_script_hears_that_it_is_open_and_the_page_stays(owner: Resident) -> None:
    owner.lock()

    answer = unlock(owner, script=True)

    assert (answer.status_code, answer.content) == (204, b"")
    assert owner.is_unlocked()


def test_a_wrong_password_gets_the_form_again(owner: Resident) -> None:
    owner.lock()

    page, fragment = unlock(owner, "not my password"), unlock(owner, "not my password", script=True)

    assert page.status_code == fragment.status_code == 422
    assert list_errors(page) == list_errors(fragment) == ["Wrong password."]
    assert b"<html" in page.content
    assert fragment.content.lstrip().startswith(b'<form class="form" id="unlock-form"')
    assert not owner.is_unlocked()


def test_a_housemate_does_not_unlock_with_their_own_password(owner: Resident, housemate: Resident) -> None:
    owner.lock()
    housemate.password = "eleven geese in the fog"

    answer = unlock(owner, housemate.password)

    assert answer.status_code == 422
    assert not owner.is_unlocked()


def test_unlocking_makes_a_new_half_and_the_old_one_is_dead(owner: Resident) -> None:
    old = owner.get_cookie()
    owner.lock()

    unlock(owner)

    assert owner.get_cookie().sign_in_id == old.sign_in_id
    assert open_session(old).person is None
    assert open_session(owner.get_cookie()).is_unlocked


def test_unlocking_keeps_the_csrf_secret(owner: Resident) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[SESSION] = owner.client.cookies[SESSION].value
    client.get("/sign-in/")
    owner.lock()
    client.get("/unlock/")
    token = client.cookies[live_settings.CSRF_COOKIE_NAME].value

    answer = client.post("/unlock/", {"password": PASSWORD, "csrfmiddlewaretoken": token})

    assert answer.status_code == 302
    assert live_settings.CSRF_COOKIE_NAME not in answer.cookies


def test_a_kept_cookie_stays_kept(administrator: Resident) -> None:
    administrator.sign_in(keep=True).lock()

    answer = unlock(administrator)

    assert answer.cookies[SESSION]["max-age"] == 30 * 86400


def test_unlocking_signed_out_goes_to_the_door(stranger: Client, db: None) -> None:
    page = stranger.get("/unlock/?next=/settings/")
    script = stranger.get("/unlock/", headers={"HX-Request": "true"})

    assert page["Location"] == "/sign-in/?next=%2Fsettings%2F"
    assert (script.status_code, script["HX-Trigger"]) == (401, "llamora:signed-out")


def test_a_request_by_script_is_never_redirected(owner: Resident) -> None:
    owner.lock()

    answer = owner.post("/settings/", script=True, theme="dark")

    assert (answer.status_code, answer["HX-Trigger"], answer.content) == (401, "llamora:locked", b"")


def test_text_posted_by_a_plain_form_while_locked_is_shown_again(owner: Resident) -> None:
    owner.lock()

    answer = owner.post("/settings/", text="words & <more> words")

    assert answer.status_code == 401
    assert "words &amp; &lt;more&gt; words</textarea>" in answer.content.decode()
    assert "/unlock/?next=" in answer.content.decode()


def test_a_page_of_another_person_is_refused_with_its_text(owner: Resident, housemate: Resident) -> None:
    fields = {"owner": str(housemate.id), "theme": "dark", "text": "not yours"}

    page = owner.client.post("/settings/", fields)
    script = owner.client.post("/settings/", fields, headers={"HX-Request": "true"})

    assert page.status_code == script.status_code == 409
    assert "not yours</textarea>" in page.content.decode()
    assert script["HX-Reswap"] == "none"
    owner.person.refresh_from_db()
    assert owner.person.theme == "system"


def test_a_page_that_names_nobody_writes_nothing(owner: Resident) -> None:
    assert owner.client.post("/settings/", {"theme": "dark"}).status_code == 409


def test_a_stale_tab_may_always_lock_and_leave(owner: Resident, housemate: Resident) -> None:
    owner.client.post("/lock/", {"owner": str(housemate.id)})
    locked = not owner.is_unlocked()
    owner.client.post("/sign-out/", {"owner": str(housemate.id)})

    assert locked
    assert not SignIn.objects.filter(person=owner.person).exists()
    assert housemate.is_unlocked()


def test_a_sign_in_that_ended_meanwhile_is_said_and_no_fault(owner: Resident) -> None:
    here = open_session(owner.get_cookie())
    SignIn.objects.all().delete()

    with pytest.raises(SignInEnded):
        unlock_with_password(request_vault=here, password=PASSWORD, address=HERE)
    signed_in = sign_in_with_password(name="olive ähre", password=PASSWORD, address=HERE, request_vault=here)

    assert open_session(signed_in.cookie).is_unlocked


@pytest.fixture
def recorded_signals() -> Any:
    """Record the signals `vault_locked` and `vault_unlocked`."""
    rings: list[dict[str, Any]] = []

    def locked(**said: Any) -> None:
        rings.append({"heard": "locked", **said})

    def unlocked(**said: Any) -> None:
        rings.append({"heard": "unlocked", "in force": current_keyring().owner, **said})

    vault_locked.connect(locked)
    vault_unlocked.connect(unlocked)
    yield rings
    vault_locked.disconnect(locked)
    vault_unlocked.disconnect(unlocked)


def test_those_above_hear_of_an_unlock_with_the_keyring_in_force(
    owner: Resident, recorded_signals: list[dict[str, Any]]
) -> None:
    owner.lock()

    unlock(owner)

    (ring,) = [ring for ring in recorded_signals if ring["heard"] == "unlocked"]
    assert ring["in force"] == ring["person_id"] == owner.id
    assert ring["keyring"].is_closed


def test_a_receiver_that_fails_keeps_nobody_out(owner: Resident, caplog: pytest.LogCaptureFixture) -> None:
    def fails(**_: Any) -> None:
        raise ValueError("words of the diary")

    vault_unlocked.connect(fails)
    try:
        owner.sign_in()
    finally:
        vault_unlocked.disconnect(fails)

    assert owner.is_unlocked()
    assert "ValueError" in caplog.text
    assert "words of the diary" not in "".join(record.getMessage() for record in caplog.records)


@pytest.mark.django_db(transaction=True)
def test_the_last_lock_says_that_it_is_the_last(
    owner: Resident, recorded_signals: list[dict[str, Any]]
) -> None:
    first, second = owner, owner.sign_in_elsewhere()

    first.lock()
    second.lock()

    assert [ring["last"] for ring in recorded_signals if ring["heard"] == "locked"] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_a_lock_rings_at_every_open_tab_of_that_person_and_no_other(
    owner: Resident, housemate: Resident
) -> None:
    async def both_listen() -> tuple[Any, bool]:
        async with user_events.listen(owner.id) as mine, user_events.listen(housemate.id) as theirs:
            await asyncio.to_thread(owner.lock)
            ring = await asyncio.wait_for(mine.get(), 5)
            return ring, theirs.empty()

    ring, silent = asyncio.run(both_listen())

    assert ring == {"type": "locked", "sign_in": str(owner.get_cookie().sign_in_id)}
    assert silent


def test_a_planted_public_key_is_refused(owner: Resident) -> None:
    from django.db import connection

    owner.lock()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_vault SET public_key = %s WHERE owner_id = %s", [b"p" * 32, owner.id.hex]
        )

    answer = owner.post("/unlock/", password=owner.password)

    assert "do not match what is written in it" in answer.content.decode()
    assert not owner.is_unlocked()


def test_a_cookie_shows_nothing_of_itself(owner: Resident) -> None:
    cookie = owner.get_cookie()

    assert isinstance(cookie, SessionCookie)
    assert cookie.half.hex() not in repr(cookie)
    assert repr(cookie.half) not in repr(cookie)
