"""Tests of look-backs: their prompts, their texts, and what deletes them."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.services import resume_rotation, verify_envelopes
from accounts.security.data_inventory import get_inventory
from diary.entries.queries import get_digest_key
from diary.entries.services import delete_entry, destroy_entry, edit_entry, move_entry
from diary.generation.prompt_entries import build_prompt_entries
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Origin, Recap
from diary.recaps.services import compute_digest
from llamora.crypto import in_force
from llamora.inference.registry import registry
from search import messages
from search.models import LookBack
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.diary.transfers import export_to_folder
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.page import HtmlNode, read
from tests.people import Resident, register_resident
from tests.traces.facts.fact_steps import accept_new

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = date(2026, 2, 2)
WEEK, MONTH = "/look-back/week/2026-02-02/", "/look-back/month/2026-02/"
EMPTY = "so there is nothing to look back on."


@pytest.fixture
def owner(owner: Resident) -> Resident:
    owner.write("Began the boat with Anna.", day=MONDAY)
    owner.write("Sanded it.", day=MONDAY + timedelta(days=2))
    owner.write("The week after.", day=MONDAY + timedelta(days=7))
    return owner


@pytest.fixture
def live_without_model() -> Iterator[ServingLoop]:
    with run_serving_loop() as live:
        yield live


def look_back(owner: Resident, path: str = WEEK) -> UUID:
    """Ask for a look-back, wait until it is written, and return its id."""
    answer = owner.post(path)
    assert (answer.status_code, answer.get("Location")) == (302, path), answer.content.decode()
    row = LookBack.objects.filter(owner_id=owner.id).latest("created_at", "id")
    assert registry.wait_until_over(row.id, patience=20)
    return UUID(str(row.id))


def load_page(owner: Resident, path: str = WEEK, *, status: int = 200) -> HtmlNode:
    answer = owner.get(path)
    assert answer.status_code == status
    return read(answer)


def load_body(owner: Resident, look_back_id: UUID) -> dict[str, Any]:
    with owner.unlocked():
        return dict(LookBack.objects.get(id=look_back_id).body)


def add_recap(owner: Resident, day: date, text: str, *, is_clean: bool = True) -> None:
    with owner.unlocked():
        entries = build_prompt_entries(
            Entry.objects.for_owner(owner.id).only_trusted().on_day(day), zone=owner.person.time_zone
        )
        digest = compute_digest(get_digest_key(owner.id), day, entries)
        body = {"text": text, "digest": digest, "clean": is_clean}
        Recap.objects.create(owner_id=owner.id, day=day, body=body)


def get_said(model: FakeModelServer) -> str:
    return str(model.calls[-1]["messages"][1]["content"])


def test_a_week_is_told_from_recaps_entries_and_facts_with_days_that_exist(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    anna = owner.write("Anna has a boat called Dipper.", day=MONDAY + timedelta(days=4))
    accept_new(owner, "Anna has a boat called Dipper", entry=anna)
    add_recap(owner, MONDAY, "The boat was begun.")
    add_recap(owner, MONDAY + timedelta(days=2), "UNCLEAN", is_clean=False)
    model.add_scripts(
        Script(tokens=["You began a boat [", "1, 9] and sanded it [2", "], with Anna [3] [12]."])
    )

    look_back_id = look_back(owner)
    from_job = load_page(owner)
    tab = live.tab(owner)
    for _ in range(2):
        tab.send({"type": "again", "reply": str(look_back_id)})
        end = tab.wait_for("end", reply=str(look_back_id))
        assert len(read(end["html"]).all(".answer-sources li")) == 3
        tab.frames.clear()
        registry.discard(look_back_id)
    from_row = load_page(owner)

    said = get_said(model)
    assert '{"number": 1, "day": "Monday, 2 February 2026", "summary": "The boat was begun."}' in said
    assert '"number": 2, "day": "Wednesday, 4 February 2026", "entries": ["Sanded it."]}' in said
    assert '"facts": ["Anna has a boat called Dipper"]}' in said
    for left_out in ("Began the boat with Anna.", "UNCLEAN", "The week after."):
        assert left_out not in said
    for page in (from_job, from_row):
        section = page.one(f"#reply-{look_back_id}")
        assert section.one("[data-settled]").text == "You began a boat [1] and sanded it [2], with Anna [3]."
        numbers = section.all("a.source-number")
        assert [number.text for number in numbers] == ["1", "2", "3"]
        assert all(page.has(number.get("href")) for number in numbers)
        sources = [one.get("href") for one in section.all(".answer-sources a")]
        assert sources == ["/d/2026-02-02/", "/d/2026-02-04/", "/d/2026-02-06/"]
        assert section.one(".read-facts a").text == "Anna has a boat called Dipper"
        assert "Written by fake-model" in section.texts(".fine-print")[-1]
        assert page.one(".look-back-form button").text == "Write it again"
    assert from_job.one(f"#reply-{look_back_id}").html == from_row.one(f"#reply-{look_back_id}").html
    body = load_body(owner, look_back_id)
    record = PromptRecord.from_json(body["read"])
    assert record is not None
    assert record.is_clean(body["text"])
    assert record.author.prompt == "look_back 1"
    assert record.recaps == [MONDAY]
    assert anna.id in record.source_ids


def test_opening_pages_writes_nothing(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    assert load_page(owner).one(".look-back-form button").text == "Look back on this week"
    assert load_page(owner, MONTH).one(".look-back-form button").text == "Look back on this month"
    assert load_page(owner, "/look-back/").has(".empty")
    assert "/look-back/month/2026-02/" in load_page(owner, "/calendar/2026-02/").links()
    assert owner.get("/look-back/week/2026-02-05/")["Location"] == WEEK

    live.wait_until_idle()
    assert model.calls == []
    assert not LookBack.objects.exists()


def test_a_month_has_all_its_days_and_links_to_its_weeks(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    for number in range(28):
        owner.write(f"Day {number}. " + "It rained on the boat. " * 60, day=date(2026, 2, 1 + number))
    model.add_scripts(Script(tokens=["It rained [1]."]))

    look_back_id = look_back(owner, MONTH)

    said = get_said(model)
    assert [f"Day {number}. " in said for number in range(28)] == [True] * 28
    assert said.count('"only_a_part": true') >= 28
    page = load_page(owner, MONTH)
    assert messages.LOOK_BACK_CUT in page.texts(f"#reply-{look_back_id} .fine-print")
    assert WEEK in page.links()
    assert len(page.all(".answer-sources li")) == 28
    assert [one.text for one in load_page(owner, "/look-back/").all(".conversations a")] == ["February 2026"]


def test_without_entries_or_without_a_model_it_says_so_and_nothing_is_saved(
    live_without_model: ServingLoop, owner: Resident
) -> None:
    empty = "/look-back/week/2025-11-03/"
    assert EMPTY in load_page(owner, empty).one(".empty").text
    assert owner.post(empty).status_code == 422
    answer = owner.post(WEEK)

    assert answer.status_code == 503
    assert read(answer).one('[role="alert"]').text.startswith("There can be no look-back now. ")
    assert not LookBack.objects.exists()


def test_what_others_wrote_is_not_read_and_counted(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("FOREIGN", day=MONDAY, origin=Origin.IMPORTED)
    owner.write("FOREIGN TOO", day=MONDAY + timedelta(days=30), origin=Origin.PROGRAM)
    far = f"/look-back/week/{MONDAY + timedelta(days=28)}/"

    look_back_id = look_back(owner)

    assert "FOREIGN" not in get_said(model)
    assert "1 imported entry was not read." in load_page(owner).texts(f"#reply-{look_back_id} .fine-print")
    refused = owner.post(far)
    assert refused.status_code == 422
    assert read(refused).one(".empty").text.endswith(f"{EMPTY} 1 imported entry was not read.")
    assert len(model.calls) == 1


def test_it_streams_stops_is_written_again_and_deleted(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    model.add_scripts(Script(tokens=["First [1]."]))
    first = look_back(owner)
    model.add_scripts(make_unending())
    assert owner.post(WEEK).status_code == 302
    second = (
        load_page(owner).one("[data-state=writing], [data-state=waiting]").get("id").removeprefix("reply-")
    )
    tab = live.tab(owner)
    tab.send({"type": "watch", "conversation": second, "owner": str(owner.id)})
    tab.wait_for("delta", reply=second)

    # It is being written already.
    assert owner.post(WEEK).status_code == 302
    assert housemate.post(f"/look-back/{second}/stop/").status_code == 404
    assert owner.post(f"/look-back/{second}/stop/")["Location"] == WEEK
    live.wait_until_idle()

    assert LookBack.objects.get(id=second).state == "stopped"
    page = load_page(owner)
    assert len(page.all(".look-back")) == 2, "the complete one is still there"
    model.add_scripts(Script(tokens=["Third [2]."]))
    third = look_back(owner)
    assert [str(row.id) for row in LookBack.objects.all()] == [str(third)]
    assert load_page(owner).one("[data-settled]").text == "Third [2]."
    assert housemate.post(f"/look-back/{third}/delete/").status_code == 404
    assert owner.post(f"/look-back/{third}/delete/")["Location"] == WEEK
    assert not LookBack.objects.exists()
    assert first != third


def test_it_says_what_changed_since_and_goes_with_a_deleted_entry(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("A secret.", day=MONDAY + timedelta(days=1))
    moved = owner.write("Moved twice.", day=MONDAY + timedelta(days=60))
    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=moved.id, day=MONDAY)
    for path in (WEEK, MONTH, "/look-back/week/2026-02-09/"):
        look_back(owner, path)
    assert "was written, changed or deleted since" not in str(owner.get(WEEK).content)
    with owner.unlocked():
        move_entry(owner_id=owner.id, entry_id=moved.id, day=MONDAY + timedelta(days=90))
        edit_entry(owner_id=owner.id, entry_id=entry.id, text="No secret.", revision=1)
    assert "was written, changed or deleted since" in str(owner.get(WEEK).content)

    with owner.unlocked():
        delete_entry(owner_id=owner.id, entry_id=entry.id)
        destroy_entry(owner_id=owner.id, entry_id=entry.id)

    assert [(row.span, row.first_day) for row in LookBack.objects.all()] == [("week", date(2026, 2, 9))]
    look_back(owner)
    look_back(owner, "/look-back/month/2026-05/")
    with owner.unlocked():
        # Where the record says that it read this one, wherever that was then.
        row = LookBack.objects.get(first_day=date(2026, 2, 9))
        record = PromptRecord.from_json(row.body["read"])
        assert record is not None
        record.recapped = [moved.id]
        row.body = {**row.body, "read": record.to_json()}
        row.save(update_fields=["body"])
        delete_entry(owner_id=owner.id, entry_id=moved.id)
        destroy_entry(owner_id=owner.id, entry_id=moved.id)
    assert [(row.span, row.first_day) for row in LookBack.objects.all()] == [("week", MONDAY)]


def test_it_is_exported_counted_and_resealed(
    live: ServingLoop, model: FakeModelServer, tmp_path: Path
) -> None:
    olive = register_resident("Olive").sign_in()
    olive.write("Began the boat.", day=MONDAY)
    model.add_scripts(Script(tokens=["Marrowbone [1]."]))
    look_back_id = look_back(olive)

    (row,) = export_to_folder(olive, tmp_path / "out")["others"]["look_backs"]
    assert (row["id"], row["span"], row["first_day"]) == (str(look_back_id), "week", "2026-02-02")
    assert row["body"]["text"] == "Marrowbone [1]."
    assert "1 look-back" in [str(line) for line in get_inventory(olive.id)]

    rotated = begin_rotation(olive.open_slot(), current_cookie=olive.create_session())
    resume_rotation(rotated.keyring)

    assert verify_envelopes(olive.open_keyring()).damaged == []
    with in_force(olive.open_keyring()):
        assert LookBack.objects.get(id=look_back_id).body["text"] == "Marrowbone [1]."
