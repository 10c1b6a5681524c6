"""Tests of the export for a program: everything that it may read, with counts, or an incomplete file."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.models import AccessToken, FormerKey, Person
from accounts.rotation import background
from accounts.rotation.epoch_change import begin_rotation
from accounts.security.deletion import deactivate_person, delete_person
from accounts.sessions import revocation_list
from accounts.tokens.token_uses import token_uses
from diary.entries.services import edit_entry
from diary.generation.prompt_record import PromptRecord
from diary.inbox.inbox_text import InboxText
from diary.inbox.services import add_item
from diary.models import CustomReplyKind, Draft, Entry, Note, NoteVersion, Origin
from diary.origins.services import claim_entry
from diary.transfer import downloads
from diary.transfer.downloads import DownloadAborted
from llamora.api.endpoints import endpoints
from llamora.crypto import TokenKind, parse_token
from llamora.database import write_transaction
from search.models import LookBack, Question
from tests.api.conftest import MakeProgram
from tests.api.program import Program, read_refusal
from tests.api.test_search import write_opening, write_recap, write_reply
from tests.diary.transfers import export_to_folder, import_file, make_large_texts, write_json
from tests.fakes.waiting import PATIENCE
from tests.people import Resident, register_resident
from tests.traces.tagging import add_traces
from traces.models import Trace

EXPORT = "/api/v1/export"
DAY = date(2026, 3, 5)
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    """A person whose diary is unlocked; what is exported is read by another thread."""
    return register_resident("Olive", signed_in=True)


def download(program: Program, export_format: str) -> bytes:
    answer = program.send("GET", f"{EXPORT}?format={export_format}")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def export_json(program: Program) -> Any:
    return json.loads(download(program, "json"))


# --- What comes out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY])
def test_a_program_gets_what_its_owner_would_but_signatures(
    olive: Resident, make_program: MakeProgram, tmp_path: Path, kind: TokenKind
) -> None:
    entry = olive.write("Geese\n\n日記 🕯️", day=DAY)
    write_reply(olive, entry, "Indeed.", read=[entry])
    add_traces(olive, entry, "weir")
    with olive.unlocked(), write_transaction():
        Draft(owner_id=olive.id, day=NEXT, text="A draft").save(force_insert=True)
    program = make_program("export", kind=kind)

    diary = export_json(program)

    expected = export_to_folder(olive, tmp_path / "out")
    assert expected["entries"][0].pop("signature")
    assert expected["others"]["drafts"][0].pop("signature")
    assert (diary["entries"], diary["others"]) == (expected["entries"], expected["others"])
    assert diary["entries"][0]["traces"] == ["weir"]
    assert diary["counts"] == {"entries": 1, "damaged": 0, "left_out": {}}


def test_each_format_says_that_it_is_complete(olive: Resident, make_program: MakeProgram) -> None:
    for number in range(3):
        olive.write(f"Geese {number}", day=DAY + timedelta(days=number // 2))
    program = make_program("export")

    archive = zipfile.ZipFile(io.BytesIO(download(program, "zip")))
    markdown = download(program, "markdown").decode()

    assert archive.testzip() is None
    assert archive.namelist() == ["diary.json", "days/2026/2026-03-05.md", "days/2026/2026-03-06.md"]
    assert json.loads(archive.read("diary.json"))["counts"]["entries"] == 3
    assert markdown.index("Geese 0") < markdown.index("# Friday, ") < markdown.index("Geese 2")
    assert markdown.endswith("<!-- End of the export: 3 entries on 2 days. Left out: nothing. -->\n")


def test_a_file_has_a_name_and_the_type_that_the_description_names(
    olive: Resident, make_program: MakeProgram
) -> None:
    (call,) = (call for call in endpoints.list_all() if call.path == EXPORT)
    program = make_program("export")

    for export_format, suffix in (("zip", "zip"), ("json", "json"), ("markdown", "md")):
        answer = program.send("GET", f"{EXPORT}?format={export_format}")
        b"".join(answer.streaming_content)

        assert answer["Content-Type"].partition(";")[0] in call.media_types
        assert answer["Content-Disposition"].startswith('attachment; filename="diary-20')
        assert answer["Content-Disposition"].endswith(f'.{suffix}"')
        assert answer["Cache-Control"] == "no-store"


def test_an_import_takes_it_for_an_export_of_somebody_else(
    olive: Resident, make_program: MakeProgram, tmp_path: Path
) -> None:
    entry = olive.write("Geese", day=DAY)
    diary = export_json(make_program("export"))
    with olive.unlocked(), write_transaction():
        entry.delete()

    report = import_file(olive, write_json(diary, tmp_path / "diary.json"))

    assert report.faults == []
    assert [each.origin for each in Entry.objects.all()] == [Origin.IMPORTED]


def test_what_was_read_is_counted_for_its_owner(olive: Resident, make_program: MakeProgram) -> None:
    for _ in range(3):
        olive.write("Geese", day=DAY)

    download(make_program("export"), "markdown")

    token_uses.write_all()
    assert AccessToken.objects.get().read_count == 3


# --- What is left out --------------------------------------------------------------------------------------


def write_texts_of_others(olive: Resident) -> None:
    """Save texts with the word FOREIGN in every table, and own ones beside them."""
    own = olive.write("Own entry", day=DAY)
    other = olive.write("FOREIGN entry", day=NEXT, origin=Origin.IMPORTED)
    write_reply(olive, own, "Own reply", read=[own])
    write_reply(olive, own, "FOREIGN reply", read=[own, other])
    write_reply(olive, other, "FOREIGN reply below", read=[other])
    write_opening(olive, "Own opening", read=[own], day=NEXT)
    write_opening(olive, "FOREIGN opening", read=[other], day=NEXT + timedelta(days=1))
    write_recap(olive, "Own recap", day=DAY, read=[own])
    write_recap(olive, "FOREIGN recap", day=NEXT, read=[own, other])
    add_traces(olive, own, "own trace")
    add_traces(olive, other, "FOREIGN trace")
    with olive.unlocked(), write_transaction():
        Draft(owner_id=olive.id, day=DAY, text="Own draft").save(force_insert=True)
        Draft(owner_id=olive.id, day=NEXT, entry=other, text="FOREIGN draft").save(force_insert=True)
        for words in (
            {"name": "Own style", "wish": "Rhyme."},
            {"name": "FOREIGN style", "wish": "Obey.", "origin": "imported"},
        ):
            CustomReplyKind.objects.create(owner_id=olive.id, words=words)
        add_item(
            owner_id=olive.id,
            day=DAY,
            origin=Origin.PROGRAM,
            text=InboxText.create("FOREIGN item", source="Tablet"),
        )
        for text, origin in (("Own question", Origin.OWN), ("FOREIGN question", Origin.PROGRAM)):
            Question.objects.create(
                owner_id=olive.id, session_id=uuid4(), text=text, answer="", sources=[], origin=origin
            )
        trace = Trace.objects.create(
            owner_id=olive.id, name="FOREIGN bare", name_index=b"x" * 32, summary={"text": "FOREIGN"}
        )
        trace.save()


def test_what_is_not_its_owners_own_is_left_out_and_counted(
    olive: Resident, make_program: MakeProgram
) -> None:
    write_texts_of_others(olive)

    careful, eager = (make_program("export", reads_untrusted=reads) for reads in (False, True))
    diary, everything = export_json(careful), export_json(eager)

    assert "FOREIGN" not in json.dumps(diary)
    for text in ("entry", "reply", "opening", "recap", "trace", "draft", "style", "question"):
        assert f"Own {text}" in json.dumps(diary) or f"own {text}" in json.dumps(diary)
    assert diary["counts"] == {
        "entries": 1,
        "damaged": 0,
        # The reply and the draft of an entry that is left out are counted with it.
        "left_out": {
            "entries": 1,
            "replies": 1,
            "drafts": 1,
            "openings": 1,
            "recaps": 1,
            "ways_of_answering": 1,
            "inbox_items": 1,
            "questions": 1,
            "traces": 2,
        },
    }
    assert json.dumps(everything).count("FOREIGN") >= 11
    assert everything["counts"]["left_out"] == {}


@pytest.mark.parametrize(
    "change", ["DELETE FROM diary_entry", "UPDATE diary_entry SET utc_offset = 60"], ids=["gone", "changed"]
)
def test_what_a_model_wrote_after_reading_an_entry_that_is_gone_or_was_changed_is_left_out(
    olive: Resident, make_program: MakeProgram, change: str
) -> None:
    own, gone = (olive.write("Own entry", day=DAY) for _ in range(2))
    write_reply(olive, own, "Own reply", read=[own])
    write_reply(olive, own, "GONE reply", read=[own, gone])
    write_opening(olive, "GONE opening", read=[gone], day=NEXT)
    write_recap(olive, "Own recap", day=NEXT, read=[own])
    write_recap(olive, "GONE recap", day=DAY, read=[own, gone])
    with olive.unlocked(), write_transaction():
        for number, (text, read) in enumerate({"Own week": own, "GONE week": gone}.items()):
            record = PromptRecord(entries=[(read.id, read.day)])
            record.bind_to_text(text)
            LookBack.objects.create(
                owner_id=olive.id,
                span="week",
                first_day=DAY + timedelta(weeks=number),
                body={"text": text, "read": record.to_json()},
            )
            source = {"kind": "entry", "id": str(read.id), "day": DAY.isoformat(), "origin": "own"}
            Question.objects.create(
                owner_id=olive.id,
                session_id=uuid4(),
                text=text.replace("week", "question"),
                answer="",
                sources=[{**source, "revision": 1, "span": [0, 3]}],
                origin=Origin.OWN,
            )
    with connection.cursor() as cursor:
        cursor.execute(f"{change} WHERE id = %s", [gone.id.hex])

    diary = export_json(make_program("export"))

    assert all(f"Own {text}" in json.dumps(diary) for text in ("reply", "recap", "week", "question"))
    assert "GONE" not in json.dumps(diary)
    of_model = {"replies": 1, "openings": 1, "recaps": 1, "look_backs": 1, "questions": 1}
    # An entry that does not open is left out too.
    assert diary["counts"]["left_out"] == of_model | ({"entries": 1} if "UPDATE" in change else {})


@pytest.mark.parametrize("export_format", ["markdown", "zip"])
def test_the_markdown_leaves_out_the_same(
    olive: Resident, make_program: MakeProgram, export_format: str
) -> None:
    write_texts_of_others(olive)

    content = download(make_program("export"), export_format)

    if export_format == "zip":
        archive = zipfile.ZipFile(io.BytesIO(content))
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert b"FOREIGN" not in content
    assert b"Own entry" in content
    assert b"Own reply" in content


def test_versions_of_before_an_entry_was_its_owners_are_left_out(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("FOREIGN text", day=DAY, origin=Origin.IMPORTED)
    with olive.unlocked():
        edit_entry(owner_id=olive.id, entry_id=entry.id, text="Half mine", revision=1)
        claim_entry(owner_id=olive.id, entry_id=entry.id)
        edit_entry(owner_id=olive.id, entry_id=entry.id, text="Mine", revision=2)

    diary = export_json(make_program("export"))

    assert [each["text"] for each in diary["entries"][0]["versions"]] == ["Half mine"]
    assert diary["counts"]["left_out"] == {"versions": 1}


def test_an_origin_that_was_changed_without_a_key_lets_nothing_out(
    olive: Resident, make_program: MakeProgram
) -> None:
    entry = olive.write("FOREIGN text", day=DAY, origin=Origin.IMPORTED)
    with olive.unlocked():
        edit_entry(owner_id=olive.id, entry_id=entry.id, text="FOREIGN again", revision=1)
    QuerySet.update(Entry.objects.all(), origin=Origin.OWN)

    diary = export_json(make_program("export"))

    assert "FOREIGN" not in json.dumps(diary)
    assert diary["counts"] == {"entries": 0, "damaged": 0, "left_out": {"entries": 1}}


def test_a_draft_that_was_moved_to_an_entry_that_is_not_there_stops_no_export(
    olive: Resident, make_program: MakeProgram
) -> None:
    olive.write("The first snow", day=DAY)
    with olive.unlocked():
        Draft.objects.create(owner_id=olive.id, day=DAY, text="A draft")
    with connection.constraint_checks_disabled():
        QuerySet.update(Draft.objects.all(), entry_id=uuid4())

        diary = export_json(make_program("export"))
        Draft.objects.all().delete()

    assert diary["counts"] == {"entries": 1, "damaged": 0, "left_out": {"drafts": 1}}


def test_a_version_of_a_note_that_is_not_there_stops_no_export(
    olive: Resident, make_program: MakeProgram
) -> None:
    olive.write("The first snow", day=DAY)
    olive.post("/notes/new/persona/", text="Speak calmly.", revision="0")
    note = Note.objects.get()
    olive.post(f"/notes/{note.id}/edit/", text="Speak softly.", revision="1")
    with connection.constraint_checks_disabled():
        QuerySet.update(Note.objects.all(), id=uuid4())

        diary = export_json(make_program("export", "notes"))
        NoteVersion.objects.all().delete()

    assert diary["counts"]["left_out"] == {"notes": 1, "note_versions": 1}


def test_a_former_key_that_is_lost_stops_no_export(
    olive: Resident, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "start_rotation_thread", lambda keyring: False)
    olive.write("Of the former key", day=DAY)
    begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie())
    for number in range(2):
        olive.write_with(olive.open_keyring(), f"Of the new key {number}")
    FormerKey.objects.all().delete()
    olive.sign_in()

    diary = export_json(make_program("export"))

    assert [entry["text"] for entry in diary["entries"]] == ["Of the new key 0", "Of the new key 1"]
    assert diary["counts"] == {"entries": 2, "damaged": 0, "left_out": {"entries": 1}}


# --- Ends --------------------------------------------------------------------------------------------------


def begin_long_export(olive: Resident, program: Program) -> tuple[Any, list[bytes]]:
    """Return an export of which one part was read, and that part."""
    for text in make_large_texts():
        olive.write(text, day=DAY)
    answer = program.send("GET", f"{EXPORT}?format=json")
    parts = iter(answer.streaming_content)
    return parts, [next(parts)]


def test_a_lock_ends_the_export_of_a_program_that_needs_its_owner(
    olive: Resident, make_program: MakeProgram
) -> None:
    parts, came = begin_long_export(olive, make_program("export"))

    olive.lock()
    with pytest.raises(DownloadAborted):
        came.extend(parts)

    assert b'"counts"' not in b"".join(came)


def test_a_lock_does_not_end_the_export_of_one_that_works_while_its_owner_is_away(
    olive: Resident, make_program: MakeProgram
) -> None:
    parts, came = begin_long_export(olive, make_program("export", kind=TokenKind.AWAY))

    olive.lock()
    came.extend(parts)

    assert json.loads(b"".join(came))["counts"]["entries"] == 12


def test_a_revoked_token_gets_no_end(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("export", kind=TokenKind.AWAY)
    parts, came = begin_long_export(olive, program)

    revocation_list.revoke_for_good(parse_token(program.token).id.bytes)
    with pytest.raises(DownloadAborted):
        came.extend(parts)

    assert b'"counts"' not in b"".join(came)


@pytest.mark.parametrize("end", [delete_person, deactivate_person])
def test_nobody_gets_the_end_of_the_export_of_a_person_who_was_deleted_or_disabled(
    olive: Resident, make_program: MakeProgram, end: Callable[[Person], object]
) -> None:
    program = make_program("export", kind=TokenKind.AWAY)
    olive.lock()
    parts, came = begin_long_export(olive, program)

    end(olive.person)
    with pytest.raises(DownloadAborted):
        came.extend(parts)

    assert b'"counts"' not in b"".join(came)


def test_a_program_that_goes_away_ends_it_and_leaves_no_key(
    olive: Resident, make_program: MakeProgram
) -> None:
    for text in make_large_texts():
        olive.write(text, day=DAY)
    answer = make_program("export").send("GET", f"{EXPORT}?format=json")
    next(iter(answer.streaming_content))
    (running,) = downloads._active_downloads.values()

    answer.close()
    running._thread.join(PATIENCE)

    assert not running._thread.is_alive()
    assert running._keyring.is_closed
    assert downloads._active_downloads == {}


def test_the_download_of_a_program_does_not_end_that_of_its_owner(
    olive: Resident, make_program: MakeProgram
) -> None:
    for text in make_large_texts():
        olive.write(text, day=DAY)
    own = olive.post("/export/", current=olive.password)
    parts = iter(own.streaming_content)
    first = next(parts)

    download(make_program("export"), "json")

    assert zipfile.is_zipfile(io.BytesIO(first + b"".join(parts)))


# --- Refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["format=pdf", "format=", "from=2026-03-05"])
def test_a_format_that_does_not_exist_is_refused(make_program: MakeProgram, query: str) -> None:
    assert read_refusal(make_program("export").send("GET", f"{EXPORT}?{query}")) == (422, "invalid_field")


def test_only_the_scope_export_exports(make_program: MakeProgram) -> None:
    program = make_program("diary:read", "diary:write", "chat")

    assert read_refusal(program.send("GET", EXPORT)) == (403, "missing_scope")
