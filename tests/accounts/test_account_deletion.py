"""Tests of deleting an account, by its owner or by the administrator."""

import shlex
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import KeySlot, Person, SignIn
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.security import data_inventory, deletion
from accounts.signals import person_deleted, vault_locked
from diary.models import Draft, Entry, LateDraft, Reply, Version
from llamora.crypto import in_force
from llamora.database import write_transaction
from llamora.fields.fence import sealed_models
from tests.accounts.pages import list_errors
from tests.people import PASSWORD, Resident, new_resident
from traces.models import Change, ChangeKind, EntryTrace, Trace, TraceProposal, compute_name_index

DAY = date(2026, 3, 5)


def write_entries(who: Resident, count: int = 3) -> None:
    with in_force(who.keyring), write_transaction():
        for _ in range(count):
            entry = Entry.objects.create(owner_id=who.id, day=timezone.now().date(), text="Words.")
        Reply.objects.create(owner_id=who.id, entry=entry, text="An answer.")


def delete_account(who: Resident, password: str = PASSWORD) -> Any:
    return who.post("/settings/leave/", current=password)


def count_rows_of(person_id: UUID) -> int:
    """Return the number of rows, in all tables, that contain the id of a person."""
    found = 0
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found += sum(person_id.hex in [str(value) for value in row] for row in cursor.fetchall())
    return found


def test_what_will_go_is_counted_on_the_page(owner: Resident) -> None:
    write_entries(owner)

    page = owner.get("/settings/leave/").content.decode()

    assert "3 entries" in page
    assert "1 reply of the model" in page
    assert "export_diary &#39;Olive Ähre&#39;" in page
    assert Person.objects.filter(id=owner.id).exists()


def test_everything_goes_and_nothing_of_anybody_else(owner: Resident, housemate: Resident) -> None:
    write_entries(owner)
    write_entries(housemate, 2)

    answer = delete_account(owner)

    assert answer.status_code == 200
    assert "Your diary is deleted" in answer.content.decode()
    assert count_rows_of(owner.id) == 0
    assert Entry.objects.count() == 2
    assert housemate.is_unlocked()
    assert Client().post("/sign-in/", {"name": "Olive Ähre", "password": PASSWORD}).status_code == 422


def write_rows_with_references(who: Resident) -> Entry:
    """Write an entry, and a row of each kind that refers to an entry or a trace; return the entry."""
    with who.unlocked(), write_transaction():
        of: Any = {"owner_id": who.id}
        entry = Entry.objects.create(**of, day=DAY, text="Words.")
        of_entry = {**of, "entry": entry}
        Version.objects.create(**of_entry, revision=1, text="Before.", written_at=timezone.now())
        Reply.objects.create(**of_entry, text="An answer.")
        Draft.objects.create(**of_entry, day=DAY, based_on=1, text="An edit.")
        LateDraft.objects.create(**of_entry, day=DAY, box=b"box", sign_in_id=uuid4(), mac=bytes(32))
        trace = Trace.objects.create(**of, name="tea", name_index=compute_name_index("tea"))
        EntryTrace.objects.create(**of_entry, trace=trace)
        TraceProposal.objects.create(**of_entry, body={"offered": ["new"], "dismissed": []})
        Change.objects.create(**of, trace=trace, into=trace, kind=ChangeKind.RENAME, body={"was": "chai"})
    return entry


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("owner_is", ["a housemate", "nobody"])
def test_what_a_writer_hung_on_an_entry_does_not_prevent_it(owner_is: str) -> None:
    owner, housemate = new_resident("Olive"), new_resident("Humphrey")
    write_rows_with_references(owner)
    write_rows_with_references(housemate)
    with_references = [table for table in list_sealed_tables() if table.list_references()]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys = OFF")
        for table in with_references:
            if owner_is == "nobody":
                cursor.execute(
                    f"UPDATE {table.name} SET owner_id = %s WHERE owner_id = %s", ["0" * 32, owner.id.hex]
                )
            for column, target in table.list_references():
                hers = f"(SELECT id FROM {target} WHERE owner_id = %s)"
                cursor.execute(f"UPDATE OR IGNORE {table.name} SET {column} = {hers}", [owner.id.hex])
        cursor.execute("PRAGMA foreign_keys = ON")

    owner_id = owner.id

    deletion.delete_person(owner.person)

    assert count_rows_of(owner_id) == 0
    assert housemate.list_texts(DAY) == ["Words."]


def test_the_browser_is_signed_out(owner: Resident) -> None:
    answer = delete_account(owner)

    assert answer["Clear-Site-Data"] == '"cache"'
    assert owner.get("/")["Location"].startswith("/sign-in/")


def test_a_wrong_password_deletes_nothing(owner: Resident) -> None:
    write_entries(owner)

    answer = delete_account(owner, "not this one")

    assert list_errors(answer) == ["Wrong password."]
    assert Entry.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_those_above_hear_of_it_after_the_commit(owner: Resident) -> None:
    heard: list[tuple[str, Any]] = []

    def gone(sender: object, *, person_id: UUID, **_: Any) -> None:
        heard.append(("gone", connection.in_atomic_block))

    def locked(sender: object, *, last: bool, **_: Any) -> None:
        heard.append(("locked", last))

    person_deleted.connect(gone)
    vault_locked.connect(locked)
    try:
        delete_account(owner)
    finally:
        person_deleted.disconnect(gone)
        vault_locked.disconnect(locked)

    assert heard == [("locked", True), ("gone", False)]


def test_the_only_administrator_does_not_leave_housemates_behind(
    administrator: Resident, housemate: Resident
) -> None:
    administrator.sign_in()

    answer = delete_account(administrator)

    assert answer.status_code == 422
    assert "only administrator" in list_errors(answer)[0]
    assert administrator.is_unlocked()


def test_a_administrator_leaves_when_there_is_another(administrator: Resident, housemate: Resident) -> None:
    Person.objects.filter(id=housemate.id).update(is_staff=True)

    assert delete_account(administrator.sign_in()).status_code == 200


def test_the_last_person_closes_the_door_behind_them(administrator: Resident) -> None:
    assert delete_account(administrator.sign_in()).status_code == 200
    assert not Person.objects.exists()


def post_deletion(who: Resident) -> str:
    return f"/admin/accounts/person/{who.id}/delete/"


def test_the_administrator_sees_the_same_list_and_deletes(
    administrator: Resident, owner: Resident, housemate: Resident
) -> None:
    write_entries(owner)
    administrator.sign_in()

    page = administrator.get(post_deletion(owner)).content.decode()
    kept = Entry.objects.count()
    answer = administrator.post(post_deletion(owner), post="yes")

    assert "3 entries" in page
    assert "1 reply of the model" in page
    assert not any(str(entry_id) in page for entry_id in Entry.objects.values_list("id", flat=True))
    assert (kept, answer.status_code) == (3, 302)
    assert count_rows_of(owner.id) == 0
    assert housemate.is_unlocked()


def test_the_administrator_does_not_delete_themselves_in_the_admin(administrator: Resident) -> None:
    administrator.sign_in()

    assert administrator.post(post_deletion(administrator), post="yes").status_code == 403


def test_a_name_is_no_command_for_whoever_copies_it(administrator: Resident, owner: Resident) -> None:
    Person.objects.filter(id=owner.id).update(name="O $(touch x); 'y")
    owner.person.refresh_from_db()

    command = shlex.split(data_inventory.build_export_command(owner.person))

    assert command[-1] == "O $(touch x); 'y"


def test_nobody_else_deletes_anybody(owner: Resident, housemate: Resident) -> None:
    assert housemate.post(post_deletion(owner), post="yes").status_code == 404
    assert KeySlot.objects.filter(owner=owner.person).exists()
    assert SignIn.objects.filter(person=owner.person).exists()


def test_the_administrator_sees_sizes_and_no_words(administrator: Resident, owner: Resident) -> None:
    write_entries(owner)
    administrator.sign_in()

    page = administrator.get(f"/admin/accounts/person/{owner.id}/change/").content.decode()

    assert "3 entries, 1 reply of the model" in page
    assert "None" not in page
    assert "Words." not in page
    assert data_inventory.get_sealed_size(owner.id) > 3 * 64


def test_every_sealed_table_of_the_diary_has_a_name_people_know() -> None:
    diary = [model for model in sealed_models() if model._meta.app_label in ("diary", "accounts")]

    assert len(diary) >= 4
    assert apps.get_app_config("diary")
    assert [model for model in diary if not data_inventory.has_label(model)] == []
