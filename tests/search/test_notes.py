"""Tests of notes that steer or inform the model: the persona, skills, remembered and reference notes."""

from datetime import date
from typing import Any

import pytest

from diary.errors import ObjectNotFound
from diary.generation.prompt_record import PromptRecord, find_read_realms
from diary.messages import PERSONA_LEFT_OUT, SKILL_NOT_APPROVED
from diary.models import Origin, Reply
from diary.notes.claims.services import approve_skill
from diary.notes.queries import find_note
from diary.notes.services import delete_note, save_note
from llamora.crypto import Realm, in_force
from llamora.inference.registry import registry
from search.ask import services
from search.ask.conversations import list_conversations, load_conversation
from search.fact_recall.notes import recall_notes_for_question
from search.models import Question
from search.programs.services import list_kinds
from tests.diary.notes.writing import add_note
from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer, Script
from tests.page import read
from tests.people import Resident
from tests.search.asking import ask as ask_question
from tests.search.asking import get_answer, load_row
from tests.search.indexing import open_index
from tests.traces.facts.fact_steps import add_fact

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder")]

PERSONA = "You are a quiet lighthouse."
SKILL = "---\nname: Haiku\ndescription: In three lines\n---\nAnswer with a haiku about the HERON.\n"
BOAT = "The boat is called Dipper. It leaks at the stern since Gundersen sold it.\n"
OTHERS = [Origin.IMPORTED, Origin.PROGRAM, Origin.MODEL]


def get_turns(model: FakeModelServer) -> tuple[str, str]:
    system, said = (str(turn["content"]) for turn in model.calls[-1]["messages"])
    return system, said


def reply_to(owner: Resident, entry: Any, **fields: str) -> Reply:
    reply_id = start_reply(owner, entry.id, **fields)
    assert wait_for_reply_row(owner, reply_id)[1] == "done"
    return Reply.objects.get(id=reply_id)


def find_read_realms_of(reply: Reply) -> frozenset[Realm]:
    row = Reply.objects.get(id=reply.id)
    return find_read_realms(row.read, str(row.text))


@pytest.mark.parametrize("kind", ["respond", "reflect", "question", "summary"])
def test_the_persona_is_in_the_system_turn_of_every_reply(
    live: ServingLoop, model: FakeModelServer, owner: Resident, kind: str
) -> None:
    add_note(owner, "SOUL.md", PERSONA)

    reply = reply_to(owner, owner.write("Tea with Iris."), kind=kind)

    system, said = get_turns(model)
    assert f"as far as the rules above allow:\n\n{PERSONA}\n\nEach text to read is JSON" in system
    assert PERSONA not in said
    page = owner.get(f"/replies/{reply.id}/read/", script=True).content.decode()
    assert "Your persona note was among the instructions." in page
    with owner.unlocked():
        assert find_read_realms_of(reply) == {Realm.NOTES}


def test_an_instruction_is_read_as_its_owner_saw_it_and_nothing_unseen_is(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    unseen = "".join(chr(0xE0000 + ord(one)) for one in "Obey") + "\u202e\u200b\U000e0141"
    add_note(owner, "SOUL.md", f"Be{unseen} brief 👩\u200d🌾.")
    skill = add_note(owner, "skills/letters/SKILL.md", f"Write{unseen} a letter.")

    reply_to(owner, owner.write("Tea with Iris."), kind=str(skill.id))

    system, _ = get_turns(model)
    assert "Be brief 👩\u200d🌾." in system
    assert "Write a letter." in system
    assert not set(unseen) & set(system)


def test_the_persona_is_in_the_system_turn_of_an_answer(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    add_note(owner, "SOUL.md", PERSONA)
    owner.write("Met Anna at the weir.", day=date(2026, 2, 5))

    get_answer(owner, "Where did I meet Anna?")

    assert PERSONA in get_turns(model)[0]


def test_what_is_too_much_for_a_small_model_is_left_out_and_its_owner_told(owner: Resident) -> None:
    add_note(owner, "SOUL.md", f"{PERSONA} {'Be calm, and be brief. ' * 170}")
    add_note(owner, "MEMORY.md", "We like tea. " * 150)
    skill = add_note(owner, "skills/haiku/SKILL.md", SKILL)
    entry = owner.write("Tea with Iris.")
    with FakeModelServer(context=3000) as model, run_serving_loop(model.url):
        for style in ("respond", str(skill.id)):
            reply = reply_to(owner, entry, kind=style)

            system, said = get_turns(model)
            assert PERSONA not in system
            assert "Tea with Iris." in said
            assert "We like tea." not in said
            page = owner.get(f"/replies/{reply.id}/read/").content.decode()
            assert "Your persona note was left out: it was too long for the model" in page
            assert "One note was left out, because it was too much for the model." in page
        note = find_note(owner.keyring, "SOUL.md")
        assert note is not None
        save_note(owner.keyring, "SOUL.md", PERSONA, note_id=note.id, based_on=1, origin=Origin.OWN)
        page = owner.get(f"/replies/{reply_to(owner, entry).id}/read/").content.decode()
        assert PERSONA in get_turns(model)[0]
        assert "persona note was left out" not in page


def test_a_persona_that_is_too_long_is_left_out_of_an_answer_which_says_so(owner: Resident) -> None:
    note = add_note(owner, "SOUL.md", f"{PERSONA} {'Be calm, and be brief. ' * 170}")
    owner.write("Met Anna at the weir.", day=date(2026, 2, 5))
    with FakeModelServer(context=3000) as model, run_serving_loop(model.url):
        get_answer(owner, "Where did I meet Anna?")
        left_out = get_turns(model)[0]
        page = owner.get(f"/ask/{Question.objects.get().session_id}/").content.decode()
        save_note(owner.keyring, "SOUL.md", PERSONA, note_id=note.id, based_on=1, origin=Origin.OWN)
        get_answer(owner, "Where did I meet Anna?")

    assert PERSONA not in left_out
    assert PERSONA_LEFT_OUT in page
    assert PERSONA in get_turns(model)[0]


@pytest.mark.parametrize("origin", OTHERS)
def test_a_note_of_others_neither_steers_nor_feeds(
    live: ServingLoop, model: FakeModelServer, owner: Resident, origin: Origin
) -> None:
    add_note(owner, "SOUL.md", PERSONA, origin=origin)
    add_note(owner, "MEMORY.md", "PLANTED boat", origin=origin)
    add_note(owner, "knowledge/boat.md", f"PLANTED {BOAT}", origin=origin)
    skill = add_note(owner, "skills/haiku/SKILL.md", SKILL, origin=origin)
    entry = owner.write("Gundersen sold the boat at the stern.", day=date(2026, 2, 5))

    reply_to(owner, entry)
    assert "Haiku" not in owner.get(f"/entries/{entry.id}/ways/", script=True).content.decode()
    refused = owner.post(f"/entries/{entry.id}/respond/", script=True, kind=str(skill.id))
    get_answer(owner, "What did Gundersen sell, a boat?")

    assert SKILL_NOT_APPROVED in refused.content.decode()
    assert len(model.calls) == 2
    for body in model.calls:
        said = str(body["messages"])
        for planted in (PERSONA, "PLANTED", "HERON"):
            assert planted not in said


def test_beside_imported_text_the_persona_goes_to_no_other_machine(
    model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    add_note(owner, "SOUL.md", PERSONA)
    settings.MODEL_ALLOW_REMOTE = True
    owner.agree_to("0.0.0.0")
    with run_serving_loop(model.url.replace("127.0.0.1", "0.0.0.0")):
        reply_to(owner, owner.write("Tea.", origin=Origin.IMPORTED))
        assert PERSONA not in get_turns(model)[0]
        reply_to(owner, owner.write("My tea."))
        assert PERSONA in get_turns(model)[0]


def test_a_skill_is_a_style_at_its_approved_revision_alone(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Tea with Iris.")
    skill = add_note(owner, "skills/haiku/SKILL.md", SKILL, origin=Origin.IMPORTED)
    approve_skill(owner.keyring, skill.id, skill.revision)
    menu = read(owner.get(f"/entries/{entry.id}/ways/", script=True))
    assert menu.one(f'button[value="{skill.id}"]').text == "Haiku"

    reply = reply_to(owner, entry, kind=str(skill.id))

    system, said = get_turns(model)
    assert "Answer with a haiku about the HERON." in system
    assert "HERON" not in said
    with owner.unlocked():
        revision = Reply.objects.get(id=reply.id).read["skill_revision"]
        assert find_read_realms_of(reply) == {Realm.NOTES}
        # It stands in the prompt of the next one.
        after = reply_to(owner, entry)
        assert find_read_realms_of(after) == {Realm.NOTES}
    page = owner.get(f"/replies/{reply.id}/read/", script=True).content.decode()
    assert f"The style was that of a skill, at its revision {revision}." in page
    assert "Haiku" in owner.get(f"/d/{entry.day}/").content.decode()

    save_note(
        owner.keyring,
        "skills/haiku/SKILL.md",
        SKILL.replace("HERON", "RAVEN"),
        note_id=skill.id,
        based_on=revision,
        origin=Origin.IMPORTED,
    )
    calls = len(model.calls)
    for path, fields in (
        (f"/entries/{entry.id}/respond/", {"kind": str(skill.id)}),
        (f"/replies/{reply.id}/again/", {}),
    ):
        assert SKILL_NOT_APPROVED in owner.post(path, script=True, **fields).content.decode()
    assert "Haiku" not in owner.get(f"/entries/{entry.id}/ways/", script=True).content.decode()
    live.wait_until_idle()
    assert len(model.calls) == calls


def test_what_is_named_or_near_and_what_is_remembered_is_read_and_told(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    near = add_note(owner, "knowledge/notes on boats.md", BOAT + "\nIt is green. " * 400)
    named = add_note(owner, "knowledge/house/green-door.md", "The hinges are from Graz.")
    add_note(owner, "knowledge/tax.md", "The office closes at noon in Linz.")
    add_note(owner, "drafts.md", "Gundersen is no reference note.")
    remembered = add_note(owner, "MEMORY.md", "Be kind about Dipper.")
    owner.write("Gundersen came by. The green door was open.", day=date(2026, 2, 5))
    open_index(owner)

    reply = reply_to(owner, owner.write("Saw Gundersen at the green door."))
    asked = ask_question(owner, "What did Gundersen sell me?")
    services.wait_for_answer(asked, patience=20)

    for body in model.calls:
        said = str(body["messages"][1]["content"])
        assert '"note": "knowledge/notes on boats.md", "only_a_part": true' in said
        assert "since Gundersen sold it" in said
        assert '"note": "Also remember", "text": "Be kind about Dipper."' in said
        for other in ("Linz", "no reference note"):
            assert other not in said
    assert "The hinges are from Graz." in str(model.calls[0]["messages"])
    with owner.unlocked():
        record = PromptRecord.from_json(Reply.objects.get(id=reply.id).read)
    assert record is not None
    assert set(record.notes) == {near.id, named.id, remembered.id}
    for path in (f"/replies/{reply.id}/read/", f"/ask/{asked.session_id}/"):
        links = [link.partition("?")[0] for link in read(owner.get(path)).links()]
        assert f"/notes/{near.id}/" in links
        assert f"/notes/{remembered.id}/" in links
    assert PromptRecord.from_json(load_row(owner, asked).read).notes == [remembered.id, near.id]  # type: ignore[union-attr]


def test_notes_alone_are_no_reason_to_ask_a_model(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    add_note(owner, "MEMORY.md", "Be kind about Dipper.")
    owner.write("Tea with Iris.", day=date(2026, 2, 5))

    answer = get_answer(owner, "When did the zeppelin land in Uppsala?")

    assert answer.reason == "nothing"
    assert model.calls == []
    assert Question.objects.count() == 1


def test_notes_are_found_by_the_search_and_by_no_program_without_their_realm(owner: Resident) -> None:
    note = add_note(owner, "knowledge/boat.md", BOAT)
    owner.write("The boat leaks.", day=date(2026, 2, 5))
    open_index(owner)

    found = read(owner.post("/search/", q="dipper in:notes"))
    mixed = read(owner.post("/search/", q="leaks"))

    assert f"/notes/{note.id}/" in found.links()
    assert f"/notes/{note.id}/" in mixed.links()
    assert 'value="leaks in:notes"' in mixed.html
    with in_force(owner.keyring):
        assert "note" not in list_kinds(owner.keyring.restrict([Realm.CONTENT, Realm.FACTS]))
    delete_note(owner.keyring, note.id)
    assert f"/notes/{note.id}/" not in read(owner.post("/search/", q="dipper in:notes")).links()


def test_notes_read_for_an_answer_are_numbered_sources_that_open_them(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    boat = add_note(owner, "knowledge/boat.md", BOAT)
    remembered = add_note(owner, "MEMORY.md", "Be kind about Dipper.")
    entry = owner.write("Gundersen came by.", day=date(2026, 2, 5))
    model.add_scripts(Script(tokens=["He came [1] and sold the boat [3], kindly [2], to Zoe [4]."]))

    asked = ask_question(owner, "What did Gundersen sell?")
    answer = services.wait_for_answer(asked, patience=20)

    said = get_turns(model)[1]
    assert '"number": 2, "note": "Also remember", "text": "Be kind about Dipper."' in said
    assert '"number": 3, "note": "knowledge/boat.md"' in said
    assert answer.text == "He came [1] and sold the boat [3], kindly [2], to Zoe."
    assert [(one.number, one.stored.kind, one.stored.id) for one in asked.sources] == [
        (1, "entry", entry.id),
        (2, "note", remembered.id),
        (3, "note", boat.id),
    ]
    assert "Dipper" not in str(load_row(owner, asked).sources)
    path = f"/ask/{asked.session_id}/"
    for _ in ("from its job", "from its row"):
        page = owner.get(path).content.decode()
        assert f'href="#source-{asked.id}-3"' in page
        there = f"/notes/{boat.id}/?passage=1.0.{len(BOAT.strip())}#passage"
        assert f'<a href="{there}"><bdi>knowledge/boat.md</bdi></a>' in page
        assert "The boat is called Dipper." in page
        registry.discard(asked.id)
    assert "The boat is called Dipper" in read(owner.get(there)).one("mark#passage").text
    with in_force(owner.keyring):
        save_note(owner.keyring, "knowledge/boat.md", "Sold.", note_id=boat.id, based_on=1, origin=Origin.OWN)
    assert "This text has changed since." in owner.get(path).content.decode()
    assert read(owner.get(there)).texts("mark") == []
    delete_note(owner.keyring, boat.id)
    page = owner.get(path).content.decode()
    assert f"/notes/{boat.id}/" not in page
    assert "This text was deleted since." in page


def test_a_program_is_given_no_answer_that_read_notes_which_it_may_not_read(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    add_note(owner, "knowledge/boat.md", BOAT)
    owner.write("Gundersen came by.", day=date(2026, 2, 5))
    model.add_scripts(Script(tokens=["The boat [2]."]), Script(tokens=["He came [1]."]))
    asked = ask_question(owner, "What did Gundersen sell?")
    services.wait_for_answer(asked, patience=20)
    without = owner.keyring.restrict([Realm.CONTENT, Realm.FACTS])

    with in_force(without):
        listed = list_conversations(owner.id)
        with pytest.raises(ObjectNotFound):
            load_conversation(owner.id, asked.session_id, language="en-gb")
        own = services.ask(person=owner.person, keyring=without, question="What did Gundersen sell?")
        services.wait_for_answer(own, patience=20)

    assert listed == []
    assert [source.stored.kind for source in own.sources] == ["entry"]
    assert "Dipper" not in get_turns(model)[1]


def test_neither_facts_nor_notes_go_to_a_model_on_another_machine(
    model: FakeModelServer, owner: Resident, settings: Any
) -> None:
    add_note(owner, "knowledge/boat.md", BOAT)
    add_note(owner, "MEMORY.md", "Be kind about Dipper.")
    add_fact(owner, "Gundersen is a midwife in Hull")
    owner.write("Gundersen came by.", day=date(2026, 2, 5))
    model.add_scripts(Script(tokens=["A midwife sold Dipper [3]."]), Script(tokens=["He came [1]."]))
    with run_serving_loop(model.url):
        first = ask_question(owner, "What did Gundersen sell?")
        services.wait_for_answer(first, patience=20)
    settings.MODEL_ALLOW_REMOTE = True
    owner.agree_to("0.0.0.0")
    with run_serving_loop(model.url.replace("127.0.0.1", "0.0.0.0")):
        again = ask_question(owner, "When did Gundersen come by?", session_id=first.session_id)
        answer = services.wait_for_answer(again, patience=20)

    assert answer.text == "He came [1]."
    sent = str(model.calls[-1]["messages"])
    assert "Gundersen came by." in sent
    for word in ("Dipper", "midwife"):
        assert word in str(model.calls[0]["messages"])
        assert word not in sent


@pytest.mark.parametrize("words", [0, 59, 60, 61, 119, 120, 121, 180])
def test_the_end_of_a_long_note_is_read_where_it_bears_on_the_question(owner: Resident, words: int) -> None:
    """Each word has ten characters, and a part that is looked at 600."""
    add_note(owner, "knowledge/boats.md", "gardening " * words + "Gundersen sold it.")

    with in_force(owner.keyring):
        (note,) = recall_notes_for_question(owner.keyring, "To whom were boats of Gundersen sold?")

    assert "Gundersen sold it." in note.text
    start, end = note.span
    assert "Gundersen" in ("gardening " * words + "Gundersen sold it.")[start:end]
