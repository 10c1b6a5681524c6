"""Tests of versions: sealed for thirty days, shown, and restored."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from diary.history.services import purge_versions
from diary.models import Entry, Version
from llamora.crypto import EnvelopeError
from tests.clock.records import settle_clock
from tests.diary.damage import flip_a_bit
from tests.people import Resident, new_resident


def edit(owner: Resident, entry: Entry, *texts: str) -> None:
    for revision, text in enumerate(texts, start=entry.revision):
        owner.post(f"/entries/{entry.id}/edit/", text=text, revision=revision)


def load_versions(owner: Resident) -> list[str]:
    with owner.unlocked():
        return [version.text for version in Version.objects.order_by("revision")]


def test_each_edit_keeps_what_was_there(owner: Resident) -> None:
    entry = owner.write("One")

    edit(owner, entry, "Two", "Three")

    assert owner.list_texts() == ["Three"]
    assert load_versions(owner) == ["One", "Two"]


def test_an_edit_that_changes_nothing_makes_no_version(owner: Resident) -> None:
    entry = owner.write("Same")

    edit(owner, entry, "Same")

    assert load_versions(owner) == []


def test_an_edit_that_is_refused_makes_no_version(owner: Resident) -> None:
    entry = owner.write("First")
    edit(owner, entry, "Second")

    owner.post(f"/entries/{entry.id}/edit/", text="Late", revision=1)

    assert load_versions(owner) == ["First"]


def test_earlier_versions_are_shown_the_latest_first(owner: Resident) -> None:
    entry = owner.write("Once *so*")
    edit(owner, entry, "Then so", "Now so")

    fragment = owner.get(f"/entries/{entry.id}/versions/", script=True).content.decode()
    page = owner.get(f"/entries/{entry.id}/versions/").content.decode()

    assert f'id="versions-{entry.id}"' in fragment
    assert fragment.index("Then so") < fragment.index("Once <em>so</em>")
    assert "Now so" not in fragment
    assert "Now so" in page
    assert "Then so" in page


def test_only_an_edited_entry_leads_to_earlier_versions(owner: Resident) -> None:
    entry = owner.write("Plain")
    before = owner.get("/").content.decode()

    edit(owner, entry, "Edited")

    address = f"/entries/{entry.id}/versions/"
    assert address not in before
    assert address in owner.get("/").content.decode()


@pytest.mark.parametrize("script", [True, False])
def test_restoring_puts_a_version_back_and_keeps_what_stood_there(owner: Resident, script: bool) -> None:
    entry = owner.write("One")
    edit(owner, entry, "Two")

    answer = owner.post(f"/versions/{Version.objects.get().id}/restore/", script=script)

    assert answer.status_code == (200 if script else 302)
    assert owner.list_texts() == ["One"]
    assert load_versions(owner) == ["One", "Two"]
    assert Entry.objects.get().revision == 3


def test_a_damaged_entry_says_again_what_it_said_before(owner: Resident) -> None:
    entry = owner.write("One")
    edit(owner, entry, "Two")
    flip_a_bit(entry)
    version = Version.objects.get()

    answer = owner.post(f"/versions/{version.id}/restore/")

    assert answer.status_code == 302
    assert owner.list_texts() == ["One"]
    assert load_versions(owner) == ["One"], "what cannot be read becomes no version"


def test_an_edit_begun_before_a_restore_is_a_conflict(owner: Resident) -> None:
    entry = owner.write("One")
    edit(owner, entry, "Two")
    owner.post(f"/versions/{Version.objects.get().id}/restore/")

    answer = owner.post(f"/entries/{entry.id}/edit/", text="Based on two", revision=2)

    assert answer.status_code == 409
    assert owner.list_texts() == ["One"]


def test_a_version_is_gone_after_thirty_days(owner: Resident, housemate: Resident) -> None:
    settle_clock()
    entry, other = owner.write("Old"), housemate.write("Other")
    edit(owner, entry, "Young", "Now")
    edit(housemate, other, "Another")
    long_ago = timezone.now() - timedelta(days=31)
    Version.objects.filter(revision=1).update(replaced_at=long_ago)

    shown = owner.get(f"/entries/{entry.id}/versions/", script=True).content.decode()
    purged = purge_versions(owner_id=owner.id)

    assert "Old" not in shown
    assert "Young" in shown
    assert purged == 1
    assert Version.objects.filter(owner_id=housemate.id).exists()


def test_a_version_is_sealed_and_bound_to_its_entry_and_revision(owner: Resident) -> None:
    first, second = owner.write("Mine alone"), owner.write("Another")
    edit(owner, first, "Edited")
    edit(owner, second, "Edited too")
    version = Version.objects.get(entry=first)
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM diary_version")
        assert not any(b"Mine" in bytes(row[0]) for row in cursor.fetchall())
        cursor.execute("UPDATE diary_version SET revision = 7 WHERE id = %s", [version.id.hex])

    with owner.unlocked(), pytest.raises(EnvelopeError):
        _ = Version.objects.get(id=version.id).text


def test_somebody_elses_version_is_the_same_404_as_none(owner: Resident, housemate: Resident) -> None:
    entry = owner.write("One")
    edit(owner, entry, "Two")
    nobodys = "0190a5a0-0000-7000-8000-000000000000"

    answers = [
        housemate.post(f"/versions/{version}/restore/") for version in (Version.objects.get().id, nobodys)
    ] + [housemate.get(f"/entries/{one}/versions/") for one in (entry.id, nobodys)]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert owner.list_texts() == ["Two"]


def test_a_version_is_not_restored_by_following_a_link(owner: Resident) -> None:
    entry = owner.write("One")
    edit(owner, entry, "Two")

    answer = owner.get(f"/versions/{Version.objects.get().id}/restore/")

    assert answer.status_code == 405
    assert owner.list_texts() == ["Two"]


def test_the_time_of_a_version_is_the_persons_own(db: None) -> None:
    owner = new_resident("Tessa", time_zone="Pacific/Auckland")
    entry = owner.write("One", at=datetime(2026, 11, 1, 20, 30, tzinfo=UTC))
    edit(owner, entry, "Two")

    page = owner.get(f"/entries/{entry.id}/versions/").content.decode()

    assert "2 November 2026, 09:30" in page
