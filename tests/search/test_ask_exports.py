"""Tests of questions in exports, in rotations and in the statistics of a diary."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.services import resume_rotation, verify_envelopes
from accounts.security.data_inventory import get_inventory
from diary.generation.prompt_record import PromptRecord
from diary.models import Origin
from llamora.crypto import in_force
from llamora.fields import new_id
from search.ask.conversations import list_conversations, load_conversation
from search.models import Question
from tests.diary.transfers import build_export, export_to_folder, import_file, write_json
from tests.people import Resident, register_resident

pytestmark = pytest.mark.django_db(transaction=True)


def save_question(owner: Resident, **columns: Any) -> Question:
    entry = owner.write("Met Anna at the weir.", day=date(2026, 2, 5))
    source = {"kind": "entry", "id": str(entry.id), "day": "2026-02-05", "origin": "own", "revision": 1}
    record = PromptRecord(entries=[(entry.id, entry.day)])
    record.bind_to_text("At the weir [1].")
    with owner.unlocked():
        question = Question(
            owner_id=owner.id,
            session_id=new_id(),
            text="Where did I meet Anna?",
            answer="At the weir [1].",
            sources=[{**source, "span": [0, 21]}],
            read=record.to_json(),
            name="About Anna",
            state="done",
            **columns,
        )
        question.save(force_insert=True)
    return question


def test_questions_are_exported_whole(owner: Resident, tmp_path: Path) -> None:
    question = save_question(owner)

    (row,) = export_to_folder(owner, tmp_path / "out")["others"]["questions"]

    assert (row["text"], row["answer"]) == ("Where did I meet Anna?", "At the weir [1].")
    assert (row["id"], row["session_id"]) == (str(question.id), str(question.session_id))
    assert (row["name"], row["origin"], row["has_read_imported"]) == ("About Anna", "own", False)
    assert row["sources"][0]["span"] == [0, 21]
    assert "mac" not in row


def test_imported_questions_are_those_of_others_and_come_once(
    owner: Resident, housemate: Resident, tmp_path: Path
) -> None:
    question = save_question(owner)
    export_to_folder(owner, tmp_path / "out")

    first = import_file(housemate, tmp_path / "out")
    second = import_file(housemate, tmp_path / "out")
    at_home = import_file(owner, tmp_path / "out")

    assert [report.rows["questions"] for report in (first, second, at_home)] == [1, 0, 0]
    with housemate.unlocked():
        (imported,) = Question.objects.filter(owner_id=housemate.id)
        assert (imported.text, imported.answer) == (question_text(owner, question), "At the weir [1].")
        assert (imported.origin, imported.has_read_imported) == (Origin.IMPORTED, True)
        record = PromptRecord.from_json(imported.read)
        (conversation,) = list_conversations(housemate.id)
        assert list_conversations(housemate.id, reads_untrusted=False) == []
        (shown,) = load_conversation(housemate.id, imported.session_id, language="en-gb")
    assert record is not None
    assert record.clean == ""
    assert conversation.name == "About Anna"
    # The housemate's entry has another id, since the owner's is still there.
    assert [source.snippet for source in shown.sources] == ["Met Anna at the weir."]


def question_text(owner: Resident, question: Question) -> str:
    with owner.unlocked():
        return str(Question.objects.get(id=question.id).text)


def test_a_file_can_neither_vouch_for_its_questions_nor_go_on_in_a_conversation(
    owner: Resident, tmp_path: Path
) -> None:
    own = save_question(owner)
    row = {
        "id": str(new_id()),
        "session_id": str(own.session_id),
        "text": "PLANTED?",
        "answer": "PLANTED [1]",
        "origin": "own",
        "has_read_imported": False,
        "state": "writing",
        "sources": [{"kind": "entry", "id": 5}],
        "mac": "00",
    }
    file = write_json(build_export(questions=[row, {"id": "x"}, {"text": "No id?"}]), tmp_path / "f.json")

    report = import_file(owner, file)

    assert report.rows["questions"] == 1
    assert [fault for fault in report.faults if fault.startswith("Question ")] == [
        "Question 2 has no text that can be imported.",
        "Question 3 has no text that can be imported.",
    ]
    with owner.unlocked():
        planted = Question.objects.exclude(id=own.id).get()
        (only,) = load_conversation(owner.id, own.session_id, language="en-gb")
        assert (planted.origin, planted.has_read_imported) == (Origin.IMPORTED, True)
        assert (planted.state, planted.reason, planted.sources) == ("interrupted", "crashed", [])
    assert only.id == own.id


def test_questions_are_counted_in_the_inventory_and_deleted_with_their_person(owner: Resident) -> None:
    save_question(owner)

    assert "1 question" in [str(row) for row in get_inventory(owner.id)]
    owner.person.delete()
    assert not Question.objects.exists()


def test_a_rotation_reseals_questions(transactional_db: None) -> None:
    olive = register_resident("Olive")
    question = save_question(olive)
    cookie = olive.create_session()

    turned = begin_rotation(olive.open_slot(), current_cookie=cookie)
    resume_rotation(turned.keyring)

    assert verify_envelopes(olive.open_keyring()).damaged == []
    with in_force(olive.open_keyring()):
        (shown,) = load_conversation(olive.id, question.session_id, language="en-gb")
    assert (shown.question, shown.answer) == ("Where did I meet Anna?", "At the weir [1].")
