"""Tests of the admin: only an unlocked administrator can open it, and it shows no diary content."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from accounts.admin.site import site
from accounts.auth.services import invitations
from accounts.models import KeySlot, Person, SignIn, Unlock, Vault
from llamora.database import backup_files
from tests.page import read
from tests.people import PASSWORD, Resident

PAGES = [
    "/admin/",
    "/admin/accounts/person/",
    "/admin/accounts/signin/",
    "/admin/accounts/invitation/",
    "/admin/accounts/invitation/add/",
]


def person_page(who: Resident) -> str:
    return f"/admin/accounts/person/{who.id}/change/"


@pytest.fixture
def unlock_admin(administrator: Resident) -> Resident:
    return administrator.sign_in()


@pytest.mark.parametrize("path", PAGES)
def test_an_unlocked_administrator_comes_in(unlock_admin: Resident, path: str) -> None:
    assert unlock_admin.get(path).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/admin/login/", "/admin/nothing/"])
def test_for_everybody_else_there_is_nothing_here(owner: Resident, path: str) -> None:
    assert owner.get(path).status_code == 404


def test_a_locked_administrator_goes_to_unlock_and_a_stranger_to_sign_in(
    unlock_admin: Resident, stranger: Client
) -> None:
    unlock_admin.lock()

    locked = unlock_admin.client.get("/admin/accounts/person/", follow=True)
    nobody = stranger.get("/admin/accounts/person/", follow=True)

    assert locked.redirect_chain[-1][0] == "/unlock/?next=%2Fadmin%2Faccounts%2Fperson%2F"
    assert nobody.redirect_chain[-1][0] == "/sign-in/?next=%2Fadmin%2Faccounts%2Fperson%2F"


def test_it_takes_no_password(administrator: Resident, stranger: Client) -> None:
    answer = stranger.post("/admin/login/", {"username": "Karin", "password": PASSWORD, "next": "/admin/"})

    assert answer.status_code == 302
    assert not SignIn.objects.exists()


@pytest.mark.parametrize(
    "path", ["/admin/password_change/", "/admin/password_change/done/", "/admin/auth/user/"]
)
def test_it_changes_no_password(unlock_admin: Resident, path: str) -> None:
    assert unlock_admin.get(path).status_code == 404


def test_its_sign_out_is_ours(unlock_admin: Resident) -> None:
    answer = unlock_admin.post("/admin/logout/")

    assert answer["Location"] == "/sign-in/"
    assert answer["Clear-Site-Data"] == '"cache"'
    assert not SignIn.objects.filter(person=unlock_admin.person).exists()


def test_no_key_bytes_are_registered() -> None:
    assert not {KeySlot, Vault, Unlock} & set(site._registry)


def test_the_pages_show_no_bytes_of_a_key_or_cookie(unlock_admin: Resident, owner: Resident) -> None:
    secret: list[bytes] = [
        bytes(owner.get_sign_in().half_hash),
        bytes(owner.get_sign_in().unlock.wrapped_dek),
    ]
    for slot in KeySlot.objects.all():
        secret += [bytes(slot.salt), bytes(slot.public_key), bytes(slot.sealed_private), bytes(slot.box)]

    pages = [unlock_admin.get(path).content.decode() for path in [*PAGES, person_page(owner)]]

    for page in pages:
        assert not any(value.hex() in page or repr(value)[2:-1] in page for value in secret)


def test_nobody_is_added_here_and_nobody_is_deleted_by_the_dozen(
    unlock_admin: Resident, owner: Resident
) -> None:
    added = unlock_admin.get("/admin/accounts/person/add/")
    fields = {"action": "delete_selected", "_selected_action": str(owner.id), "post": "yes"}
    unlock_admin.post("/admin/accounts/person/", **fields)

    assert added.status_code == 403
    assert Person.objects.filter(id=owner.id).exists()


def test_somebody_switched_off_is_signed_out_and_their_name_cannot_be_changed(
    unlock_admin: Resident, owner: Resident
) -> None:
    answer = unlock_admin.post(person_page(owner), name="Renamed", time_zone="UTC")

    owner.person.refresh_from_db()
    assert answer.status_code == 302
    assert (owner.person.is_active, owner.person.name) == (False, "Olive Ähre")
    assert not SignIn.objects.filter(person=owner.person).exists()


def test_a_administrator_cannot_shut_themselves_out(unlock_admin: Resident) -> None:
    unlock_admin.post(person_page(unlock_admin))

    unlock_admin.person.refresh_from_db()
    assert unlock_admin.person.is_active
    assert unlock_admin.person.is_staff


def test_what_is_logged_and_said_names_nobody(unlock_admin: Resident, owner: Resident) -> None:
    unlock_admin.post(person_page(owner), is_active="on", is_staff="on")

    entry = LogEntry.objects.get()
    said = get_visible_text(unlock_admin.get("/admin/accounts/invitation/"))
    assert str(owner.id) in entry.object_repr
    assert "Saved." in said
    assert "Olive" not in entry.object_repr + entry.change_message + said


def get_visible_text(page: Any) -> str:
    """Return the visible and spoken text of a page, without URLs and field values."""
    named = re.sub(r'aria-label="([^"]*)"[^>]*>', r">\1 ", page.content.decode())
    return read(named).spaced_text


def test_everybody_and_everything_is_called_by_what_the_administrator_knows(
    unlock_admin: Resident, owner: Resident, housemate: Resident
) -> None:
    row, (link, _) = owner.get_sign_in(), invitations.create_invitation(by=unlock_admin.person)
    unlock_admin.post(person_page(owner), is_active="on", is_staff="on")
    rows = (f"signin/{row.id}", f"invitation/{link.id}", f"person/{owner.id}")
    paths = [*PAGES, *(f"/admin/accounts/{path}/change/" for path in rows)]
    paths += [f"/admin/accounts/person/{owner.id}/{what}/" for what in ("history", "delete")]

    for path in paths:
        assert not re.search("[0-9a-f]{8}-[0-9a-f]{4}", get_visible_text(unlock_admin.get(path))), path
    people, browsers, links = (get_visible_text(unlock_admin.get(path)) for path in PAGES[1:4])
    assert "checked" not in unlock_admin.get(PAGES[1]).content.decode()
    assert "Select Olive Ähre Olive Ähre administrator" in people
    assert "in 1 browser password, recovery code" in people
    assert "Humphrey member" in people
    assert "Select Olive Ähre, A browser Olive Ähre A browser" in browsers
    assert re.search(r"Select Invitation of \d+ \w+ \d{4}, \d\d:\d\d \d+ \w+ \d{4}", links)
    assert "Olive Ähre" in get_visible_text(unlock_admin.get(person_page(owner)))


def test_times_are_those_of_the_administrator(unlock_admin: Resident, owner: Resident) -> None:
    unlock_admin.set_preferences(time_zone="Asia/Kolkata")
    SignIn.objects.filter(person=owner.person).update(created_at=datetime(2026, 3, 5, 20, 0, tzinfo=UTC))

    pages = [
        unlock_admin.get(f"/admin/accounts/signin/{path}")
        for path in ("", f"{owner.get_sign_in().id}/change/")
    ]

    assert all("6 Mar 2026, 01:30" in get_visible_text(page) for page in pages)
    assert timezone.get_current_timezone_name() == "UTC"


def post_admin_action(administrator: Resident, path: str, ids: list[Any]) -> None:
    fields = {"action": "end_sessions", "_selected_action": [str(one) for one in ids]}
    assert administrator.client.post(path, fields).status_code == 302


def test_the_administrator_ends_one_session(unlock_admin: Resident, owner: Resident) -> None:
    other = owner.sign_in_elsewhere()

    post_admin_action(unlock_admin, "/admin/accounts/signin/", [owner.get_sign_in().id])

    assert not owner.is_unlocked()
    assert other.is_unlocked()


def test_the_administrator_ends_all_sessions_of_a_person(
    unlock_admin: Resident, owner: Resident, housemate: Resident
) -> None:
    post_admin_action(unlock_admin, "/admin/accounts/person/", [owner.id])

    assert not owner.is_unlocked()
    assert housemate.is_unlocked()


def test_every_path_of_the_admin_asks_who_is_there(owner: Resident) -> None:
    admin = next(found for found in get_resolver().url_patterns if getattr(found, "app_name", "") == "admin")
    paths = {str(found.pattern) for found in admin.url_patterns}

    assert paths
    assert not any("password" in path for path in paths)
    for path in paths:
        if "<" not in path and "(" not in path:
            assert owner.get(f"/admin/{path}").status_code in (404, 302), path


def test_the_administrator_sees_how_the_backups_stand(
    unlock_admin: Resident, settings: Any, tmp_path: Path
) -> None:
    settings.BACKUP_DIR = tmp_path
    before = unlock_admin.get("/admin/").content.decode()
    newer, older = (
        tmp_path / backup_files.backup_file_name(timezone.now() - timedelta(hours=hours)) for hours in (3, 60)
    )
    newer.write_bytes(b"x" * 2048)
    older.write_bytes(b"x" * 2048)

    page = unlock_admin.get("/admin/").content.decode()
    newer.unlink()
    old = unlock_admin.get("/admin/").content.decode()

    assert "No backups yet" in before
    assert "2 backups, 4.0\xa0KB in total" in page
    assert "last 7 days and 4 weeks" in page
    assert "too old" not in page
    assert "too old" in old
