"""Tests that a prompt contains either trusted texts or others, and that the record says which."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db.models import QuerySet

from diary.generation.prompt_record import PromptRecord, withdraw_clean
from diary.models import Entry, Opening, Origin, Recap, Reply
from diary.origins.services import claim_entry, unclaim_entry
from tests.diary.openings import get_day_before, open_day, write_days_ago
from tests.diary.tabs import ServingLoop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.people import Resident

OTHERS = [Origin.IMPORTED, Origin.PROGRAM, Origin.MODEL]
MARKED = "Read imported text."

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def serving(live: ServingLoop) -> None:
    """Run a serving loop."""


def get_last_request(model: FakeModelServer) -> str:
    return str(model.calls[-1]["messages"])


def reply_to(owner: Resident, entry_id: object) -> Reply:
    reply_id = start_reply(owner, entry_id)
    assert wait_for_reply_row(owner, reply_id)[1] == "done"
    return Reply.objects.get(id=reply_id)


def load_sources(owner: Resident, reply: Reply) -> str:
    return str(owner.get(f"/replies/{reply.id}/read/", script=True).content.decode())


@pytest.mark.parametrize("origin", OTHERS)
def test_beside_what_its_owner_wrote_nothing_else_is_read(
    owner: Resident, model: FakeModelServer, origin: Origin
) -> None:
    owner.write("FOREIGN", at=owner.today_at(8), origin=origin)
    owner.write("OWN EARLIER", at=owner.today_at(9))
    entry = owner.write("OWN", at=owner.today_at(10))

    reply = reply_to(owner, entry.id)

    assert "FOREIGN" not in get_last_request(model)
    assert "OWN EARLIER" in get_last_request(model)
    assert "1 imported entry was not read." in load_sources(owner, reply)
    assert MARKED not in owner.get(f"/d/{owner.today}/").content.decode()
    with owner.unlocked():
        record = PromptRecord.from_json(reply.read)
        assert record is not None
        assert record.is_clean(reply.text)
        assert not record.is_clean(f"{reply.text} And more.")


@pytest.mark.parametrize("origin", OTHERS)
def test_a_reply_to_an_imported_entry_reads_no_word_of_its_owner_and_says_so(
    owner: Resident, model: FakeModelServer, origin: Origin
) -> None:
    write_days_ago(owner, "OWN BEFORE", ago=1)
    owner.write("OWN EARLIER", at=owner.today_at(8))
    owner.write("FOREIGN EARLIER", at=owner.today_at(9), origin=origin)
    entry = owner.write("FOREIGN", at=owner.today_at(10), origin=origin)

    reply = reply_to(owner, entry.id)

    request = get_last_request(model)
    assert "FOREIGN EARLIER" in request
    assert "OWN" not in request
    assert MARKED in owner.get(f"/d/{owner.today}/").content.decode()
    assert "Only imported text was read." in load_sources(owner, reply)
    with owner.unlocked():
        record = PromptRecord.from_json(reply.read)
        assert record is not None
        assert not record.is_clean(reply.text)


def test_a_reply_that_read_imported_text_is_never_read_beside_own_text(
    owner: Resident, model: FakeModelServer
) -> None:
    entry = owner.write("Tea.")
    model.add_scripts(Script(tokens=["CLEAN REPLY."]))
    reply_to(owner, entry.id)
    with owner.unlocked():
        # As one of a version before there were marks, and as one whose record was set back.
        for text, clean in (("OLD REPLY", ""), ("SET BACK", "0" * 32)):
            record = PromptRecord(clean=clean)
            row = Reply(owner_id=owner.id, entry_id=entry.id, text=text, state="done")
            row.read = record.to_json()
            row.save(force_insert=True)

    reply_to(owner, entry.id)

    request = get_last_request(model)
    assert "CLEAN REPLY." in request
    assert "OLD REPLY" not in request
    assert "SET BACK" not in request


def test_a_reply_that_read_what_was_ones_own_for_a_while_is_not_read_once_it_is_not(
    owner: Resident, model: FakeModelServer
) -> None:
    foreign = owner.write("FOREIGN", at=owner.today_at(8), origin=Origin.IMPORTED)
    entry = owner.write("OWN", at=owner.today_at(10))
    with owner.unlocked():
        claim_entry(owner_id=owner.id, entry_id=foreign.id)
    model.add_scripts(Script(tokens=["TOLD BY IT."]))
    reply_to(owner, entry.id)
    assert "FOREIGN" in get_last_request(model)
    reply_to(owner, entry.id)
    assert "TOLD BY IT." in get_last_request(model)

    with owner.unlocked():
        unclaim_entry(owner_id=owner.id, entry_id=foreign.id)
    reply_to(owner, entry.id)

    assert "FOREIGN" not in get_last_request(model)
    assert "TOLD BY IT." not in get_last_request(model)
    # Whoever can write to the database changes or deletes what tells that it was not theirs.
    for remove in (lambda row: QuerySet.update(row, origin=Origin.OWN), QuerySet.delete):
        remove(Entry.objects.filter(id=foreign.id))
        Reply.objects.exclude(id=Reply.objects.earliest("created_at").id).delete()
        reply_to(owner, entry.id)
        assert "TOLD BY IT." not in get_last_request(model)


def test_an_opening_reads_trusted_entries_and_recaps_and_counts_the_others(
    owner: Resident, model: FakeModelServer
) -> None:
    first = write_days_ago(owner, "OWN FIRST", ago=3)
    write_days_ago(owner, "OWN SECOND", ago=2)
    for ago in (4, 3, 2, 1):
        owner.write("FOREIGN", day=get_day_before(owner, ago), origin=Origin.IMPORTED)
    with owner.unlocked():
        Recap.objects.create(owner_id=owner.id, day=first.day, body={"text": "UNCLEAN", "digest": "x"})

    open_day(owner)

    request = get_last_request(model)
    assert "OWN FIRST" in request
    assert "OWN SECOND" in request
    assert "FOREIGN" not in request
    assert "UNCLEAN" not in request
    assert "3 imported entries were not read." in owner.get(f"/d/{owner.today}/").content.decode()
    with owner.unlocked():
        row = Opening.objects.get()
        record = PromptRecord.from_json(row.read)
        assert record is not None
        assert record.is_clean(row.text)


def test_a_diary_that_was_only_imported_gets_no_opening_by_itself(
    owner: Resident, model: FakeModelServer
) -> None:
    owner.write("FOREIGN", day=get_day_before(owner, 1), origin=Origin.IMPORTED)

    page = owner.get(f"/d/{owner.today}/").content.decode()
    owner.post(f"/d/{owner.today}/opening/", script=True)

    assert "opening-form" not in page
    assert model.calls == []


@pytest.mark.parametrize("origin", OTHERS)
def test_a_recap_reads_trusted_entries_and_counts_the_others(
    owner: Resident, model: FakeModelServer, origin: Origin
) -> None:
    day = get_day_before(owner, 2)
    owner.write("OWN", day=day)
    owner.write("FOREIGN", day=day, origin=origin)

    page = owner.post(f"/d/{day}/recap/", script=True, asked="1").content.decode()
    while "X-Llamora-Poll" in page:
        page = owner.post(f"/d/{day}/recap/", script=True, asked="1").content.decode()

    assert "OWN" in get_last_request(model)
    assert "FOREIGN" not in get_last_request(model)
    assert "1 imported entry was not read." in page


def test_of_a_day_that_was_only_imported_there_is_no_recap(owner: Resident, model: FakeModelServer) -> None:
    day = get_day_before(owner, 2)
    owner.write("FOREIGN", day=day, origin=Origin.IMPORTED)

    page = owner.post(f"/d/{day}/recap/", script=True, asked="1").content.decode()

    assert "There is nothing to summarize." in page
    assert "1 imported entry was not read." in page
    assert model.calls == []


def test_a_record_from_a_file_vouches_for_nothing() -> None:
    record = PromptRecord(entries=[(uuid4(), date(2020, 1, 1) + timedelta(days=1))])
    record.bind_to_text("Tea.")

    read = PromptRecord.from_json(withdraw_clean(record.to_json()))

    assert PromptRecord.from_json(record.to_json()) == record
    assert read is not None
    assert read.entries == record.entries
    assert not read.is_clean("Tea.")
    assert withdraw_clean(None) is None
