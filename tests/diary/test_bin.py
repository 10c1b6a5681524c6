"""Tests of the Bin: deleted entries stay thirty days, can be restored, or are deleted for good."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from diary.models import Entry, Reply, Version
from tests.diary.damage import flip_a_bit
from tests.people import Resident


def test_the_bin_shows_what_was_deleted_and_until_when(owner: Resident, housemate: Resident) -> None:
    gone, other = owner.write("Gone *now*"), housemate.write("Somebody else's")
    owner.write("Still here")
    owner.post(f"/entries/{gone.id}/delete/")
    housemate.post(f"/entries/{other.id}/delete/")

    page = owner.get("/bin/").content.decode()

    until = owner.today + timedelta(days=30)
    assert "Gone <em>now</em>" in page
    assert f"stays until {until.day} {until:%B}" in page
    assert "Still here" not in page
    assert "Somebody else" not in page


def test_an_empty_bin_says_so(owner: Resident) -> None:
    page = owner.get("/bin/").content.decode()

    assert "The bin is empty" in page


def test_emptying_says_how_many_entries_go(owner: Resident) -> None:
    entries = [owner.write("One"), owner.write("Two")]
    said = []
    for entry in entries:
        owner.post(f"/entries/{entry.id}/delete/")
        said.append(owner.get("/bin/").content.decode())

    assert "The entry in the bin is deleted for good." in said[0]
    assert "All 2 entries in the bin are deleted for good." in said[1]


def test_an_entry_comes_back_with_its_versions(owner: Resident) -> None:
    entry = owner.write("One")
    owner.post(f"/entries/{entry.id}/edit/", text="Two", revision=1)
    owner.post(f"/entries/{entry.id}/delete/")

    answer = owner.post(f"/entries/{entry.id}/restore/")

    assert answer["Location"].endswith(f"#entry-{entry.id}")
    assert owner.list_texts() == ["Two"]
    assert "One" in owner.get(f"/entries/{entry.id}/versions/").content.decode()


def test_what_is_destroyed_leaves_nothing(owner: Resident) -> None:
    entry, other = owner.write("One"), owner.write("Other")
    with owner.unlocked():
        Reply.objects.create(owner_id=owner.id, entry=entry, text="said")
    owner.post(f"/entries/{entry.id}/edit/", text="Two", revision=1)
    owner.post(f"/entries/{entry.id}/delete/")

    answer = owner.post(f"/entries/{entry.id}/destroy/")

    assert answer["Location"] == "/bin/"
    assert list(Entry.objects.values_list("id", flat=True)) == [other.id]
    assert not Version.objects.exists()
    assert not Reply.objects.exists()


def test_an_entry_that_is_not_in_the_bin_is_not_destroyed(owner: Resident) -> None:
    entry = owner.write("Here")

    answer = owner.post(f"/entries/{entry.id}/destroy/")

    assert answer.status_code == 404
    assert owner.list_texts() == ["Here"]


def test_emptying_the_bin_takes_all_of_it_and_nothing_else(owner: Resident, housemate: Resident) -> None:
    kept, other = owner.write("Kept"), housemate.write("Other")
    for person, entry in ((owner, owner.write("A")), (owner, owner.write("B")), (housemate, other)):
        person.post(f"/entries/{entry.id}/delete/")

    owner.post("/bin/empty/")

    assert set(Entry.objects.values_list("id", flat=True)) == {kept.id, other.id}


def test_a_housemate_destroys_nothing_of_the_owner(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("Mine")
    owner.post(f"/entries/{entry.id}/delete/")

    answer = housemate.post(f"/entries/{entry.id}/destroy/")
    housemate.post("/bin/empty/")

    assert answer.status_code == 404
    assert Entry.objects.filter(id=entry.id).exists()


@pytest.mark.parametrize("path", ["/bin/empty/", "/entries/{id}/destroy/"])
def test_nothing_is_destroyed_by_following_a_link(owner: Resident, path: str) -> None:
    entry = owner.write("Mine")
    owner.post(f"/entries/{entry.id}/delete/")

    answer = owner.get(path.format(id=entry.id))

    assert answer.status_code == 405
    assert Entry.objects.exists()


def test_a_damaged_entry_does_not_take_the_bin_with_it(owner: Resident) -> None:
    broken, whole = owner.write("Broken"), owner.write("Whole")
    for entry in (broken, whole):
        owner.post(f"/entries/{entry.id}/delete/")
    flip_a_bit(broken)

    page = owner.get("/bin/").content.decode()

    assert "Whole" in page
    assert "be opened: its data was changed" in page


def test_an_entry_deleted_at_the_end_of_all_years_does_not_take_the_bin_with_it(owner: Resident) -> None:
    entry = owner.write("Late")
    owner.post(f"/entries/{entry.id}/delete/")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET deleted_at = '9999-12-31 23:59:59.999999'")

    assert owner.get("/bin/").status_code == 200


def test_a_full_bin_has_more_than_one_page(owner: Resident) -> None:
    with owner.unlocked():
        now = timezone.now()
        Entry.objects.bulk_create(
            Entry(
                owner_id=owner.id, day=owner.today, text=f"Entry {n}.", deleted_at=now - timedelta(minutes=n)
            )
            for n in range(60)
        )

    first, second = (owner.get(f"/bin/?page={n}").content.decode() for n in (1, 2))

    assert "Entry 0." in first
    assert "Entry 59." not in first
    assert "Entry 59." in second
    assert "All 60 entries in the bin" in first
