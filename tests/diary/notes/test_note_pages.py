"""Tests of the pages of notes: the list, a new note, edits and conflicts, origins, versions, damage."""

from typing import Any

import pytest

from diary.models import Note, Origin
from diary.notes.drafts import find_note_draft
from diary.notes.front_matter import split_front_matter
from diary.notes.kind_descriptions import KIND_DESCRIPTIONS, build_path, get_typed_name
from diary.notes.kinds import NoteKind
from diary.notes.queries import NoteText, find_note, read_note
from diary.notes.services import save_note
from search.checkins.request_list import parse_requests
from tests.diary.notes.writing import add_note, change_columns
from tests.page import HtmlNode, read
from tests.people import Resident

MARKED = '# Hi\n\n<a href="/x/">x</a> [this](http://elsewhere.example/) ![p](http://elsewhere.example/p.png)'
SKILL = "---\nname: Letter\n---\nWrite it as a letter."


def load(who: Resident, path: str = "/notes/") -> HtmlNode:
    answer = who.get(path)
    assert answer.status_code == 200
    page: HtmlNode = read(answer).one("#main")
    return page


def post_new(who: Resident, kind: str, text: str, name: str = "", **more: Any) -> Any:
    return who.post(f"/notes/new/{kind}/", text=text, note_name=name, revision=0, **more)


def rename(who: Resident, url: str, form: dict[str, str], path: str) -> Any:
    return who.client.post(url, form | {"path": path})


def break_column(note: NoteText, column: str) -> None:
    """Damage a sealed value as a failing disk does."""
    sealed = Note.objects.filter(id=note.id).values_list(column, flat=True).get()
    change_columns(note, **{column: sealed.envelope[:-1] + b"?"})


def test_an_empty_list_says_what_each_kind_is_for_and_gives_an_example(owner: Resident) -> None:
    page = load(owner)

    for kind in list(NoteKind)[:-1]:
        words = KIND_DESCRIPTIONS[kind]
        assert words.purpose in page.text
        new = load(owner, f"/notes/new/{kind.value}/?example=yes")
        assert new.form("#new-note")["text"] == words.example
        post_new(owner, kind.value, words.example, words.example_name)
    assert [line.split(" ")[0] for line in load(owner).texts(".note-section h2")] == [
        "Persona",
        "Also",
        "Standing",
        "Reference",
        "Skills",
    ]
    assert Note.objects.count() == 5
    assert "Begin with" not in load(owner).text


def test_reference_notes_stand_in_their_folders(owner: Resident, housemate: Resident) -> None:
    for name in ("house/boiler", "garden/roses.md", "Recipes", "garden/data.csv"):
        assert post_new(owner, "reference", "Text.", name).status_code == 302
    add_note(housemate, "knowledge/theirs.md", "Text.")

    section = load(owner).one('section[aria-labelledby="notes-reference"]')

    assert section.texts("h3") == ["garden", "house"]
    assert section.texts(".note-row-name") == ["Recipes", "data.csv", "roses", "boiler"]
    assert find_note(owner.keyring, "knowledge/house/boiler.md") is not None


def test_the_examples_are_read_as_what_they_are_examples_of() -> None:
    requests = parse_requests(KIND_DESCRIPTIONS[NoteKind.REQUESTS].example)
    skill = split_front_matter(KIND_DESCRIPTIONS[NoteKind.SKILL].example)

    assert [(one.when, one.is_done) for one in requests] == [("Sunday evenings", False), ("", False)]
    assert skill.values["name"] == "Letter"
    assert skill.body.strip().startswith("Write the entry")


@pytest.mark.parametrize(
    ("kind", "name", "path"),
    [
        (NoteKind.REFERENCE, "a.b.md", "knowledge/a.b.md"),
        (NoteKind.REFERENCE, "knowledge/a/b", "knowledge/a/b.md"),
        (NoteKind.REFERENCE, "", "knowledge/"),
        (NoteKind.SKILL, "letter", "skills/letter/SKILL.md"),
        (NoteKind.SKILL, "", "skills//SKILL.md"),
        (NoteKind.PERSONA, "else", "SOUL.md"),
        (NoteKind.FILE, "week.md", "week.md"),
    ],
)
def test_a_typed_name_becomes_a_path_and_is_shown_again(kind: NoteKind, name: str, path: str) -> None:
    assert build_path(kind, name) == path
    assert build_path(kind, get_typed_name(path)) == path


@pytest.mark.parametrize(
    ("kind", "name", "text", "sentence"),
    [
        ("reference", "taken", "Text.", "already"),
        ("reference", "", "Text.", "Give the note a name"),
        ("reference", "../up", "Text.", "other than . and .."),
        ("skill", "a/b", "Text.", "no / in it"),
        ("persona", "", "x" * 4097, "The persona can have 4,096 characters, and this text has 4,097."),
        ("file", "a.md", "  ", "nothing to save"),
    ],
)
def test_a_refused_new_note_says_why_and_keeps_what_was_typed(
    owner: Resident, kind: str, name: str, text: str, sentence: str
) -> None:
    add_note(owner, "knowledge/taken.md", "Theirs.")

    answer = post_new(owner, kind, text, name)

    page = read(answer)
    assert answer.status_code == 422
    assert sentence in page.one("[data-error]:not([hidden])").text
    form = page.form("#new-note")
    assert (form["text"], form.get("note_name", "")) == (text, name)
    assert Note.objects.count() == 1


def test_the_draft_of_a_new_note_comes_back_with_its_name_until_it_is_saved(owner: Resident) -> None:
    sent = owner.post(
        "/notes/new/reference/draft/", text="Pruned\r\nin March", note_name="garden/ro", revision=0
    )

    elsewhere = owner.get("/notes/new/persona/")

    assert elsewhere.url == "/notes/new/reference/"
    assert "You began this note" in load(owner, elsewhere.url).text
    form = load(owner, elsewhere.url).form("#new-note")
    assert "Go on writing" in load(owner).one('section[aria-labelledby="notes-reference"]').text
    assert (form["note_name"], form["text"]) == ("garden/ro", "Pruned\nin March")
    assert form["revision"] == str(sent.json()["revision"])
    owner.post("/notes/new/reference/", **form)
    assert find_note_draft(owner.keyring) is None
    assert find_note(owner.keyring, "knowledge/garden/ro.md").text == "Pruned\nin March"  # type: ignore[union-attr]


def test_an_edit_has_a_draft_and_a_conflict_shows_both_texts(owner: Resident) -> None:
    note = add_note(owner, "SOUL.md", "Be brief.\r\nAlways.\r\n")
    here = f"/notes/{note.id}/"
    owner.post(f"{here}draft/", text="Be brief!", revision=0, entry=note.id, based_on=1)
    form = load(owner, f"{here}edit/").form("form.edit")
    save_note(owner.keyring, "SOUL.md", "Be long.", note_id=note.id, based_on=1, origin=Origin.OWN)

    answer = owner.post(f"{here}edit/", **form)

    assert form["text"] == "Be brief!"
    assert answer.status_code == 409
    page = read(answer)
    assert page.one("[data-saved-text]").text == "Be long."
    form = page.form("form.edit")
    assert owner.post(f"{here}edit/", **form).url == here
    assert load(owner, here).one(".prose").text == "Be brief!"
    assert find_note_draft(owner.keyring, note.id) is None
    assert len(load(owner, f"{here}versions/").all(".version")) == 2


def test_an_unchanged_text_keeps_its_line_ends_and_its_revision(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "One\r\nTwo\r\n", origin=Origin.IMPORTED, came_in=True)
    form = load(owner, f"/notes/{note.id}/edit/").form("form.edit")

    owner.post(f"/notes/{note.id}/edit/", **form | {"text": form["text"].replace("\n", "\r\n")})

    assert read_note(owner.keyring, note.id) == note


def test_what_did_not_come_from_its_owner_is_plain_text_until_they_say_it_is_theirs(owner: Resident) -> None:
    note = add_note(owner, "SOUL.md", MARKED, origin=Origin.IMPORTED, source="OpenClaw")
    here = f"/notes/{note.id}/"

    before = load(owner, here)
    assert "imported from OpenClaw" in before.one(".note-foot").text
    assert "imported from OpenClaw" in load(owner).one('section[aria-labelledby="notes-persona"]').text
    owner.post(f"{here}mine/", revision=2)
    still = read_note(owner.keyring, note.id).origin
    owner.post(f"{here}mine/", revision=1)

    text = before.one(".note-text")
    assert text.raw_text == MARKED
    assert not text.links()
    assert still == Origin.IMPORTED
    assert read_note(owner.keyring, note.id).origin == Origin.OWN
    assert load(owner, here).one(".prose h1, .prose h2, .prose h3").text == "Hi"


def test_a_skill_is_approved_at_the_revision_that_was_shown(owner: Resident) -> None:
    note = add_note(owner, "skills/letter/SKILL.md", SKILL, origin=Origin.IMPORTED)
    add_note(owner, "skills/letter/run.sh", "rm -rf .", origin=Origin.IMPORTED)
    here = f"/notes/{note.id}/"
    shown = load(owner, here)
    save_note(owner.keyring, note.path, SKILL + "!", note_id=note.id, based_on=1, origin=Origin.PROGRAM)

    refused = owner.post(f"{here}approve/", **shown.form('form[action$="/approve/"]'))
    again = read(refused)

    assert shown.one(".note-text").raw_text == SKILL
    assert shown.texts(".note-scripts li") == ["run.sh"]
    assert "waits for your approval" in load(owner).text
    assert refused.status_code == 409
    assert not read_note(owner.keyring, note.id).is_approved
    owner.post(f"{here}approve/", **again.form('form[action$="/approve/"]'))
    assert read_note(owner.keyring, note.id).is_approved
    assert "waits for your approval" not in load(owner).text


def test_a_note_is_renamed_into_a_folder_and_not_over_another(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "A")
    add_note(owner, "knowledge/b.md", "B")
    here = f"/notes/{note.id}/rename/"
    form = load(owner, here).form(".note-rename")

    taken = rename(owner, here, form, "knowledge/b.md")

    assert form["path"] == "knowledge/a.md"
    assert taken.status_code == 422
    assert read(taken).form(".note-rename")["path"] == "knowledge/b.md"
    assert "already" in read(taken).one("[data-error]").text
    assert rename(owner, here, form, "knowledge/new/a.md").status_code == 302
    assert load(owner).one('section[aria-labelledby="notes-reference"]').texts("h3") == ["new"]
    assert rename(owner, here, form, "late.md").status_code == 409


def test_a_damaged_note_is_a_line_of_the_list_and_can_be_restored_or_deleted(owner: Resident) -> None:
    note = add_note(owner, "knowledge/a.md", "One")
    save_note(owner.keyring, note.path, "Two", note_id=note.id, based_on=1, origin=Origin.OWN)
    lost = add_note(owner, "knowledge/b.md", "B")
    break_column(note, "text")
    break_column(lost, "head")

    listed = load(owner)
    version = load(owner, f"/notes/{note.id}/versions/")

    assert "A note that can’t be opened" in listed.one('section[aria-labelledby="notes-file"]').text
    assert "can’t be opened" in load(owner, f"/notes/{lost.id}/").one(".note").text
    assert "can’t be opened" in version.one(".note").text
    assert owner.get(f"/notes/{note.id}/edit/").url == f"/notes/{note.id}/"
    owner.post(version.one(".version form").get("action"))
    assert read_note(owner.keyring, note.id).text == "One"
    owner.post(f"/notes/{lost.id}/delete/", **load(owner, f"/notes/{lost.id}/").form(".note-delete form"))
    assert [row.id for row in Note.objects.all()] == [note.id]


def test_a_text_that_is_sent_after_its_note_was_deleted_comes_back(owner: Resident) -> None:
    note = add_note(owner, "a.md", "A")
    Note.objects.all().delete()

    answer = owner.post(f"/notes/{note.id}/edit/", text="Typed meanwhile", revision=1)

    assert answer.status_code == 404
    assert read(answer).one("#unsaved-text").raw_text == "Typed meanwhile"


@pytest.mark.parametrize(
    "passage", ["", "1.0", "1.a.3", "1.0.3.4", "²0.1.2", "9" * 12 + ".0.3", "1.90.99", "2.0.3", "1.3.0"]
)
def test_an_address_that_names_no_passage_of_a_note_marks_nothing(owner: Resident, passage: str) -> None:
    note = add_note(owner, "knowledge/a.md", "Prune the roses")

    page = load(owner, f"/notes/{note.id}/?passage={passage}")

    assert page.one(".prose").text == "Prune the roses"
    assert page.texts("mark") == []


def test_a_skill_is_marked_at_its_passage_and_stays_plain_text(owner: Resident) -> None:
    note = add_note(owner, "skills/letter/SKILL.md", f"<b>Hi</b>\n{SKILL}")

    page = load(owner, f"/notes/{note.id}/?passage=1.10.{10 + len(SKILL)}#passage")

    assert page.texts("mark") == ["name: Letter", "Write it as a letter"]
    assert "<b>Hi</b>" in page.one(".note-text").text
