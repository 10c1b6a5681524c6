"""Tests of invitations: each is valid for one person and seven days, and useless in a database copy."""

import threading
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.auth.services import invitations
from accounts.auth.services.registration import create_person
from accounts.errors import InvalidInvitation
from accounts.management import server_address
from accounts.models import Invitation, Person, SignIn
from accounts.sessions import run_secret
from accounts.throttling.throttle import ADDRESS
from llamora.ops import data_folder
from tests.fakes.waiting import PATIENCE
from tests.page import read
from tests.people import NEW_PASSWORD, Resident

FORM = {"name": "Nora", "password": NEW_PASSWORD, "password_again": NEW_PASSWORD}


def invitation_path(token: str) -> str:
    return f"/register/?invite={token}"


def register(token: str, name: str = "Nora", *, client: Client | None = None) -> Any:
    return (client or Client()).post("/register/", {**FORM, "name": name, "invite": token})


@pytest.fixture
def token(administrator: Resident) -> str:
    return invitations.create_invitation(by=administrator.person)[1]


def test_an_invitation_lets_somebody_in_where_registration_is_closed(stranger: Client, token: str) -> None:
    page = stranger.get(invitation_path(token))
    answer = register(token, client=stranger)

    nora = Person.objects.get(name="Nora")
    assert page.status_code == answer.status_code == 200
    assert token in page.content.decode()
    assert b"data-recovery-code" in answer.content
    assert not nora.is_staff
    assert stranger.get("/").status_code == 200
    assert Invitation.objects.get().used_by == nora


def test_it_is_good_once(token: str) -> None:
    register(token)

    answer, page = register(token, "Otto"), Client().get(invitation_path(token))

    assert (answer.status_code, page.status_code) == (403, 403)
    assert "has expired or was already used" in page.content.decode()
    assert not Person.objects.filter(name="Otto").exists()


def test_it_is_good_for_seven_days(token: str) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert Client().get(invitation_path(token)).status_code == 403
    assert register(token).status_code == 403
    assert timedelta(days=7) == invitations.DEFAULT_LIFETIME


@pytest.mark.parametrize("guess", ["", "x", "é" * 40, "A" * 43, "0" * 4000])
def test_nothing_else_lets_anybody_in(token: str, guess: str) -> None:
    assert Client().get(invitation_path(guess)).status_code == 403
    assert register(guess).status_code == 403


def test_looking_at_the_page_uses_nothing_up(token: str) -> None:
    for _ in range(3):
        assert Client().get(invitation_path(token)).status_code == 200

    assert register(token).status_code == 200


def test_a_refused_form_uses_nothing_up(token: str) -> None:
    assert register(token, "Karin").status_code == 422

    assert register(token).status_code == 200


def test_only_a_hash_is_stored(token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_invitation")
        stored = repr(cursor.fetchall())

    assert token not in stored
    assert bytes(Invitation.objects.get().token_hash).hex() not in invitation_path(token)


def test_guesses_are_counted(token: str) -> None:
    client = Client()
    answers = [
        client.get(invitation_path(f"guess{number}")).status_code for number in range(ADDRESS.free + 4)
    ]

    assert 429 in answers or client.get(invitation_path("one more")).status_code in (403, 429)
    assert register(token, client=client).status_code in (200, 429)


@pytest.mark.django_db(transaction=True)
def test_two_people_with_one_link_at_once_make_one_diary() -> None:
    create_person(name="Karin", password=NEW_PASSWORD, time_zone="UTC", is_administrator=True, address="here")
    _, token = invitations.create_invitation()
    answers: list[str] = []

    def comes(name: str) -> None:
        try:
            create_person(
                name=name,
                password=NEW_PASSWORD,
                time_zone="",
                is_administrator=False,
                address=name,
                invitation=token,
            )
            answers.append("in")
        except InvalidInvitation:
            answers.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=comes, args=(name,)) for name in ("Nora", "Otto", "Pia")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert sorted(answers) == ["in", "refused", "refused"]
    assert Person.objects.count() == 2


def test_the_administrator_makes_one_and_sees_it_once(administrator: Resident, stranger: Client) -> None:
    administrator.sign_in()
    before = administrator.get("/admin/accounts/invitation/add/")
    assert not Invitation.objects.exists()

    made = administrator.post("/admin/accounts/invitation/add/")
    link = read(made).one('input[value^="http"]').get("value")
    token = parse_qs(urlsplit(link).query)["invite"][0]

    listed = administrator.get("/admin/accounts/invitation/").content.decode()
    assert before.status_code == 200
    assert stranger.get(invitation_path(token)).status_code == 200
    assert token not in listed
    assert Invitation.objects.get().made_by == administrator.person


def test_nobody_but_the_administrator_makes_one(owner: Resident, stranger: Client) -> None:
    assert owner.post("/admin/accounts/invitation/add/").status_code == 404
    assert stranger.post("/admin/accounts/invitation/add/").status_code == 302
    assert not Invitation.objects.exists()


def test_the_administrator_withdraws_one(administrator: Resident, token: str) -> None:
    administrator.sign_in()
    row = Invitation.objects.get()
    fields = {"action": "withdraw", "_selected_action": str(row.id)}

    assert administrator.post("/admin/accounts/invitation/", **fields).status_code == 302

    assert Client().get(invitation_path(token)).status_code == 403


def test_the_command_prints_a_link_that_works(administrator: Resident, settings: Any) -> None:
    settings.PORT = 9000

    link, said = run_invite()

    assert (link.scheme, link.netloc) == ("http", "llamora.localhost:9000")
    assert "LLAMORA_PORT" in said
    assert Client().get(f"{link.path}?{link.query}").status_code == 200


def run_invite(*arguments: str) -> tuple[Any, str]:
    """Run the command `invite`; return the link and the rest of its output."""
    out, said = StringIO(), StringIO()
    call_command("invite", *arguments, stdout=out, stderr=said)
    return urlsplit(out.getvalue().strip()), said.getvalue()


def test_the_link_leads_to_where_the_household_is_served(
    administrator: Resident, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    run_secret.get_run_secret()
    with data_folder.lock(tmp_path):
        server_address.record_address("http://llamora.localhost:4711")
        running, said = run_invite()
        settings.CSRF_TRUSTED_ORIGINS = ["https://*.home", "https://diary.home"]
        trusted, trusted_said = run_invite()
        given, given_said = run_invite("--at", "https://elsewhere.home/")

    assert (running.netloc, "running server" in said) == ("llamora.localhost:4711", True)
    assert (trusted.scheme, trusted.netloc) == ("https", "diary.home")
    assert "LLAMORA_TRUSTED_ORIGINS" in trusted_said
    assert (given.netloc, given.path, "--at" in given_said) == ("elsewhere.home", "/register/", True)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://diary.home",
        "diary.home",
        "https://",
        "https://a:b",
        "https://a/b",
        "https://a?b",
        "javascript:x",
    ],
)
def test_an_address_that_no_browser_opens_is_refused(administrator: Resident, address: str) -> None:
    with pytest.raises(CommandError, match="--at is the beginning of the link: an address such as https"):
        run_invite("--at", address)

    assert not Invitation.objects.exists()


def test_the_command_lists_and_withdraws(administrator: Resident, token: str) -> None:
    listed, withdrawn = StringIO(), StringIO()

    call_command("invite", "--list", stdout=listed)
    call_command("invite", "--withdraw", stdout=withdrawn)

    assert "1 invitation is unused." in listed.getvalue()
    assert token not in listed.getvalue()
    assert "1 invitation was withdrawn." in withdrawn.getvalue()
    assert Client().get(invitation_path(token)).status_code == 403


def test_the_command_refuses_before_there_is_a_administrator(db: None) -> None:
    with pytest.raises(CommandError, match="Llamora is not set up yet"):
        call_command("invite")


def test_the_command_refuses_odd_lengths(administrator: Resident) -> None:
    with pytest.raises(CommandError, match="1 to 30"):
        call_command("invite", "--days", "0")


def test_somebody_signed_in_is_not_made_anew(owner: Resident, token: str) -> None:
    assert owner.get(invitation_path(token))["Location"] == "/"
    assert Invitation.objects.get().used_at is None
    assert SignIn.objects.filter(person=owner.person).exists()
