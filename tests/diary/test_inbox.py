"""Tests of the Inbox: a text waits, and becomes an entry only when its owner accepts it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.security.data_inventory import get_inventory
from diary.entries.text_validation import EmptyText
from diary.errors import DayNotBegun, InboxChanged, InboxFull, ObjectNotFound
from diary.inbox import services
from diary.inbox.inbox_text import InboxText
from diary.models import Entry, InboxItem, Origin
from diary.origins.provenance import Provenance
from llamora.fields import new_id
from tests.clock.records import settle_clock
from tests.diary.transfers import build_export, export_to_folder, import_file, write_json
from tests.people import Resident

DAY = date(2026, 3, 5)
SENT = InboxText(text="Buy eggs.", source="Kitchen tablet")


def add(who: Resident, text: str = "Buy eggs.", *, day: date = DAY, **fields: Any) -> InboxItem:
    with who.unlocked():
        return services.add_item(
            owner_id=who.id,
            day=day,
            origin=Origin.PROGRAM,
            text=InboxText.create(text, **{"source": "Kitchen tablet", **fields}),
        )


def accept(who: Resident, item: InboxItem) -> Entry:
    with who.unlocked():
        return services.accept_item(owner_id=who.id, item_id=item.id, zone="UTC")


def count_waiting(who: Resident) -> int:
    return InboxItem.objects.filter(owner_id=who.id, deleted_at=None).count()


@pytest.mark.parametrize("value", [None, [], "text", {}, {"text": 7}, {"text": " \n"}, {"text": "x" * 10**6}])
def test_a_body_without_a_text_is_nothing(value: Any) -> None:
    assert InboxText.from_json(value) is None


def test_a_body_is_read_as_it_was_written_and_what_is_strange_in_it_is_left_out() -> None:
    full = InboxText.create(
        "Fog.",
        source="Day\nOne",
        written_at=datetime(2026, 3, 5, 7, tzinfo=UTC),
        sender_id=new_id(),
        import_id=new_id(),
    )

    assert full.source == "Day One"
    assert InboxText.from_json(full.to_json()) == full
    strange = {"text": "Fog.", "from": [], "time": "2026-03-05T07:00", "sender": "me", "import": 7}
    assert InboxText.from_json(strange) == InboxText(text="Fog.")
    with pytest.raises(EmptyText):
        InboxText.create("\n")


def test_an_accepted_item_is_an_entry_of_its_day_and_origin(owner: Resident) -> None:
    at = datetime(2026, 3, 5, 7, 30, tzinfo=UTC)
    item = add(owner, written_at=at)
    assert owner.list_texts(DAY) == []

    entry = accept(owner, item)

    with owner.unlocked():
        found = Entry.objects.get()
        assert (found.id, found.day, found.text) == (item.id, DAY, "Buy eggs.")
        assert (found.origin, found.is_trusted) == (Origin.PROGRAM, False)
        assert Provenance.load(found) == Provenance(source="Kitchen tablet")
        assert (found.created_at, found.utc_offset) == (at, 0)
    assert count_waiting(owner) == 0
    # Sent twice, as by two tabs.
    assert accept(owner, item).id == entry.id
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_item_with_a_moment_outside_of_all_dates_is_accepted(
    owner: Resident, tmp_path: Path, time: str
) -> None:
    day = date.min if time < "2" else DAY
    row = {"id": str(new_id()), "day": day.isoformat(), "body": {"text": "Buy eggs.", "time": time}}
    report = import_file(owner, write_json(build_export(inbox_items=[row]), tmp_path / "f"))
    assert report.rows["inbox_items"] == 1

    entry = accept(owner, InboxItem.objects.get())

    assert entry.created_at == datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_an_item_that_arrived_on_another_day_is_at_noon_of_its_own(owner: Resident) -> None:
    entry = accept(owner, add(owner))

    assert entry.created_at == datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize("origin", [Origin.OWN, Origin.OWN_TOKEN])
def test_what_is_its_owners_own_does_not_wait(owner: Resident, origin: Origin) -> None:
    with owner.unlocked(), pytest.raises(ValueError, match="Inbox"):
        services.add_item(owner_id=owner.id, day=DAY, origin=origin, text=SENT)


def test_nothing_is_added_to_a_day_that_has_not_begun(owner: Resident) -> None:
    with pytest.raises(DayNotBegun):
        add(owner, day=owner.today + timedelta(days=3))


def test_what_one_sender_may_leave_is_bounded(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MAX_ITEMS", 2)
    monkeypatch.setattr(services, "MAX_CHARACTERS", 30)
    one, other = new_id(), new_id()
    first = add(owner, sender_id=one)
    add(owner, sender_id=one)

    with pytest.raises(InboxFull):
        add(owner, sender_id=one)
    with pytest.raises(InboxFull):
        add(owner, "x" * 31, sender_id=other)
    add(owner, "x" * 30, sender_id=other)
    with owner.unlocked():
        services.delete_item(owner_id=owner.id, item_id=first.id)
    add(owner, sender_id=one)


def test_only_what_a_page_showed_is_accepted(owner: Resident) -> None:
    items = [add(owner, f"Text {number}.") for number in range(3)]
    with owner.unlocked():
        shown = services.compute_review(owner.id, items[:2])
        for ids in ([items[0].id], [items[1].id, items[0].id], [one.id for one in items], []):
            with pytest.raises(InboxChanged):
                services.accept_items(owner_id=owner.id, item_ids=ids, review=shown, zone="UTC")
        assert not Entry.objects.exists()

        ids = [one.id for one in items[:2]]
        found = services.accept_items(owner_id=owner.id, item_ids=ids, review=shown, zone="UTC")

        assert [entry.text for entry in found] == ["Text 0.", "Text 1."]
        assert {entry.origin for entry in found} == {Origin.PROGRAM}
        assert count_waiting(owner) == 1
        with pytest.raises(InboxChanged):
            services.accept_items(owner_id=owner.id, item_ids=ids, review=shown, zone="UTC")


def test_a_deleted_item_can_be_had_back_for_thirty_days(owner: Resident) -> None:
    item = add(owner)
    with owner.unlocked():
        services.delete_item(owner_id=owner.id, item_id=item.id)
        with pytest.raises(ObjectNotFound):
            services.accept_item(owner_id=owner.id, item_id=item.id, zone="UTC")
        services.restore_item(owner_id=owner.id, item_id=item.id)
        assert count_waiting(owner) == 1
        services.delete_item(owner_id=owner.id, item_id=item.id)
    settle_clock()
    assert services.purge_inbox(owner_id=owner.id) == 0

    owner.update_columns(InboxItem.objects.get(), deleted_at=timezone.now() - timedelta(days=31))

    assert services.purge_inbox(owner_id=owner.id) == 1
    assert not InboxItem.objects.exists()


def test_anothers_item_is_not_there(owner: Resident, housemate: Resident) -> None:
    item = add(owner)

    with housemate.unlocked():
        for act in (services.delete_item, services.restore_item):
            with pytest.raises(ObjectNotFound):
                act(owner_id=housemate.id, item_id=item.id)
        with pytest.raises(ObjectNotFound):
            services.accept_item(owner_id=housemate.id, item_id=item.id, zone="UTC")
    assert count_waiting(owner) == 1


def test_an_item_whose_columns_were_changed_opens_as_little_as_a_changed_text(owner: Resident) -> None:
    for number, change in enumerate(
        ("day = '2026-03-06'", "origin = 'own'", "created_at = '2026-01-01 00:00:00'", "deleted_at = NULL")
    ):
        item = add(owner, f"Text {number}.")
        if "deleted_at" in change:
            with owner.unlocked():
                services.delete_item(owner_id=owner.id, item_id=item.id)
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE diary_inboxitem SET {change} WHERE id = %s", [item.id.hex])

        with pytest.raises(ObjectNotFound):
            accept(owner, item)
    assert not Entry.objects.exists()


# --- Export and import -----------------------------------------------------------------------------------


def test_what_waits_is_exported_and_waits_after_an_import_as_imported(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    kept, gone = add(owner, "Buy eggs."), add(owner, "Buy nothing.")
    with owner.unlocked():
        services.delete_item(owner_id=owner.id, item_id=gone.id)
    exported = export_to_folder(owner, tmp_path / "out")
    rows = exported["others"]["inbox_items"]
    assert [row["body"]["text"] for row in rows] == ["Buy eggs.", "Buy nothing."]

    reports = [import_file(housemate, tmp_path / "out", source="out.zip") for _ in range(2)]
    assert [(report.faults, report.rows["inbox_items"]) for report in reports] == [([], 1), ([], 0)]

    with housemate.unlocked():
        item = InboxItem.objects.get(owner_id=housemate.id)
        found = InboxText.from_json(item.body)
        assert found
        assert (item.origin, found.text, found.source) == (Origin.IMPORTED, "Buy eggs.", "out.zip")
        assert item.id != kept.id
        services.accept_item(owner_id=housemate.id, item_id=item.id, zone="UTC")
        assert Provenance.load(Entry.objects.get()).import_id == found.import_id
    # In their own diary nothing is added that is there, was accepted, or was deleted.
    accept(owner, kept)
    import_file(owner, tmp_path / "out")
    assert count_waiting(owner) == 0


def test_an_item_is_accepted_though_an_entry_has_its_id(owner: Resident, housemate: Resident) -> None:
    item = add(owner)
    with housemate.unlocked():
        Entry.objects.create(id=item.id, owner_id=housemate.id, day=DAY, text="Not yours.")

    entry = accept(owner, item)

    assert entry.id != item.id
    assert (owner.list_texts(DAY), housemate.list_texts(DAY)) == (["Buy eggs."], ["Not yours."])


@pytest.mark.parametrize("row", [{}, {"day": "2026-03-05"}, {"day": "x", "body": {"text": "Fog."}}])
def test_an_item_that_is_none_is_named(owner: Resident, tmp_path: Path, row: dict[str, Any]) -> None:
    path = write_json(build_export(inbox_items=[{"id": str(new_id()), **row}]), tmp_path / "all.json")

    report = import_file(owner, path)

    assert report.faults == ["Text 1 of the Inbox has no day, or no text, that can be imported."]


def test_the_inventory_counts_what_waits(owner: Resident) -> None:
    add(owner)

    assert "1 text in the Inbox" in map(str, get_inventory(owner.id))
