"""Tests of the tools and resources: what each returns and leaves out, who may call it, and its errors."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, InboxBox, InboxItem, Opening, Origin, Recap
from diary.notes.services import save_note
from llamora.crypto import in_force
from llamora.mcp import messages
from llamora.mcp.tools import TOOLS
from tests.mcp.assistant import Assistant
from tests.mcp.conftest import MakeAssistant
from tests.people import Resident
from tests.tokens import forget_process
from traces.facts.fact_body import FactText
from traces.facts.models import Fact, FactState
from traces.facts.services import FactOrigin, add_fact

DAY = date(2026, 1, 5)
MARK = "pomegranate"


@pytest.fixture
def reader(make_assistant: MakeAssistant) -> Assistant:
    return make_assistant("diary:read")


@pytest.fixture
def writer(make_assistant: MakeAssistant) -> Assistant:
    return make_assistant("diary:write")


# --- The list --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "names"),
    [
        (("diary:read",), {"search_diary", "read_day", "resolve_date"}),
        (("diary:write",), {"write_entry", "resolve_date"}),
        (("drop",), {"write_entry", "resolve_date"}),
        (("facts:read",), {"list_facts", "resolve_date"}),
        (("facts:propose",), {"propose_fact", "resolve_date"}),
        (("notes",), {"list_notes", "read_note", "resolve_date"}),
        (("diary:read", "diary:write"), {"search_diary", "read_day", "write_entry", "resolve_date"}),
    ],
)
def test_a_token_has_the_tools_of_its_scopes(
    make_assistant: MakeAssistant, scopes: tuple[str, ...], names: set[str]
) -> None:
    assistant = make_assistant(*scopes)

    assert assistant.list_tools().keys() == names
    for tool in TOOLS:
        if tool.name not in names:
            answer = assistant.ask("tools/call", name=tool.name, arguments={})
            assert answer["error"]["code"] == messages.INVALID_PARAMS


def test_a_tool_says_what_it_does_and_what_it_takes(make_assistant: MakeAssistant) -> None:
    scopes = ("diary:read", "diary:write", "facts:read", "facts:propose", "notes")
    tools = make_assistant(*scopes).list_tools()

    for tool in tools.values():
        assert tool["title"]
        assert len(tool["description"]) > 80
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            assert schema["type"] == "object"
            assert "$ref" not in schema
        assert tool["inputSchema"]["additionalProperties"] is False
        assert all(field.get("description") for field in tool["inputSchema"]["properties"].values())
    assert {name for name, tool in tools.items() if not tool["annotations"]["readOnlyHint"]} == {
        "write_entry",
        "propose_fact",
    }
    assert not any(tool["annotations"]["destructiveHint"] for tool in tools.values())
    assert not any(tool["annotations"]["openWorldHint"] for tool in tools.values())


# --- Reading ---------------------------------------------------------------------------------------------


def write_of_each_origin(olive: Resident) -> None:
    for origin in Origin:
        olive.write(f"Text of {origin}", day=DAY, origin=origin)


def test_a_day_is_read_with_the_origin_of_each_text(olive: Resident, reader: Assistant) -> None:
    entry = olive.write("Geese over the marsh", day=DAY)

    read = reader.call("read_day", day="2026-01-05")

    (text,) = read["entries"]
    assert (read["day"], read["weekday"]) == ("2026-01-05", "Monday")
    assert (text["id"], text["text"], text["origin"]) == (str(entry.id), "Geese over the marsh", "own")
    assert (read["opening"], read["recap"], read["unread_count"]) == (None, None, 0)


def test_what_its_owner_did_not_write_is_left_out_unless_the_token_reads_it(
    olive: Resident, reader: Assistant, make_assistant: MakeAssistant
) -> None:
    write_of_each_origin(olive)

    trusted = reader.call("read_day", day="2026-01-05")
    everything = make_assistant("diary:read", reads_untrusted=True).call("read_day", day="2026-01-05")

    assert {entry["origin"] for entry in trusted["entries"]} == {"own", "own_token"}
    assert trusted["unread_count"] == 3
    assert {entry["origin"] for entry in everything["entries"]} == set(Origin)
    assert everything["unread_count"] == 0


def test_a_day_without_entries_is_empty(reader: Assistant) -> None:
    assert reader.call("read_day", day="0001-01-01")["entries"] == []


def test_a_day_of_another_person_is_not_read(olive: Resident, make_assistant: MakeAssistant) -> None:
    from tests.people import register_resident

    olive.write("Geese over the marsh", day=DAY)
    other = make_assistant("diary:read", who=register_resident("Hugo", signed_in=True))

    assert other.call("read_day", day="2026-01-05")["entries"] == []


def save_opening(olive: Resident, *, read: list[Entry], is_clean: bool) -> None:
    record = PromptRecord(entries=[(entry.id, entry.day) for entry in read], is_untrusted=not is_clean)
    record.bind_to_text("You saw geese.")
    with olive.unlocked():
        Opening.objects.create(owner_id=olive.id, day=DAY, text="You saw geese.", read=record.to_json())


def test_a_text_of_the_model_is_read_if_it_was_made_from_the_owners_texts(
    olive: Resident, reader: Assistant
) -> None:
    save_opening(olive, read=[olive.write("Geese", day=date(2026, 1, 4))], is_clean=True)
    ice = olive.write("Ice", day=DAY)
    body = {"text": "Ice.", "digest": "", "clean": True, "entries": [str(ice.id)]}
    with olive.unlocked():
        Recap.objects.create(owner_id=olive.id, day=DAY, body=body)

    read = reader.call("read_day", day="2026-01-05")

    assert read["opening"] == {"text": "You saw geese.", "origin": "model"}
    assert read["recap"] == {"text": "Ice.", "origin": "model"}


def test_a_text_of_the_model_is_left_out_if_it_was_made_from_others(
    olive: Resident, reader: Assistant, make_assistant: MakeAssistant
) -> None:
    save_opening(olive, read=[], is_clean=False)
    olive.write("Imported", day=DAY, origin=Origin.IMPORTED)
    with olive.unlocked():
        Recap.objects.create(owner_id=olive.id, day=DAY, body={"text": "Ice.", "digest": "", "clean": True})

    trusted = reader.call("read_day", day="2026-01-05")
    everything = make_assistant("diary:read", reads_untrusted=True).call("read_day", day="2026-01-05")

    assert (trusted["opening"], trusted["recap"]) == (None, None)
    assert everything["opening"]["text"] == "You saw geese."
    assert everything["recap"]["text"] == "Ice."


def test_an_opening_is_left_out_once_an_entry_that_it_was_made_from_is_not_the_owners_any_more(
    olive: Resident, reader: Assistant
) -> None:
    imported = olive.write("Imported, said to be mine, and that undone", origin=Origin.IMPORTED)
    save_opening(olive, read=[imported], is_clean=True)

    assert reader.call("read_day", day="2026-01-05")["opening"] is None


def test_its_owner_sees_how_much_an_assistant_read(olive: Resident, reader: Assistant) -> None:
    for _ in range(3):
        olive.write("Geese", day=DAY)

    reader.call("read_day", day="2026-01-05")
    reader.ask("resources/read", uri="llamora://day/2026-01-05")

    assert "6 texts on 1 day" in olive.get("/settings/programs/").content.decode()


# --- Writing ---------------------------------------------------------------------------------------------


def read_item(olive: Resident, id_: str) -> tuple[InboxItem, Any]:
    item = InboxItem.objects.get(id=UUID(id_))
    with in_force(olive.open_keyring()):
        return item, item.body


@pytest.mark.parametrize("terms", [{}, {"writes_own_text": True}, {"reads_untrusted": True}])
def test_a_text_of_an_assistant_waits_in_the_inbox_whatever_its_token_may(
    olive: Resident, make_assistant: MakeAssistant, terms: dict[str, Any]
) -> None:
    writer = make_assistant("diary:write", "diary:read", **terms)

    added = writer.call("write_entry", text="Ice on the pond", day="2026-01-05")

    item, body = read_item(olive, added["id"])
    assert (added["state"], added["day"]) == ("waiting", "2026-01-05")
    assert (item.day, item.origin) == (DAY, Origin.PROGRAM)
    assert (body["text"], body["from"]) == ("Ice on the pond", "Kitchen tablet")
    assert not Entry.objects.exists()
    assert writer.call("read_day", day="2026-01-05")["entries"] == []
    assert "Ice on the pond" in olive.get("/inbox/").content.decode()


def test_a_text_without_a_day_belongs_to_today_where_its_owner_is(olive: Resident, writer: Assistant) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        olive.set_preferences(time_zone=zone)
        today = olive.today

        assert writer.call("write_entry", text="Ice")["day"] in {str(today), str(olive.today)}


def test_the_same_text_with_the_same_key_is_added_once_also_after_a_restart(writer: Assistant) -> None:
    arguments = {"text": "Ice on the pond", "day": "2026-01-05", "key": "ice 1"}

    first = writer.call("write_entry", **arguments)
    second = writer.call("write_entry", **arguments)

    assert (first["state"], second["state"]) == ("waiting", "added_before")
    assert first["id"] == second["id"]
    assert InboxItem.objects.count() == 1
    assert "came before with something else" in writer.fail("write_entry", **{**arguments, "text": "Snow"})


def test_a_token_that_only_sends_texts_adds_one_while_the_diary_is_locked(
    olive: Resident, make_assistant: MakeAssistant
) -> None:
    assistant = make_assistant("drop")
    olive.lock()
    forget_process()

    added = assistant.call("write_entry", text="Ice on the pond", day="2026-01-05", key="1")
    again = assistant.call("write_entry", text="Ice on the pond", day="2026-01-05", key="1")

    assert (added["state"], again["state"]) == ("waiting", "added_before")
    assert InboxBox.objects.get().id == UUID(added["id"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "text: "),
        ({"text": ""}, "text: "),
        ({"text": "  \n "}, "text: "),
        ({"text": 5}, "text: "),
        ({"text": MARK, "day": "5 January"}, "day: "),
        ({"text": MARK, "day": "9999-01-01"}, "day: "),
        ({"text": MARK, "key": "ü"}, "key: "),
        ({"text": MARK, "key": "a" * 201}, "key: "),
        ({"text": MARK, MARK: 1}, "There is a field"),
        ({"text": [MARK]}, "text: "),
        ({"text": MARK * 20_000}, "text: "),
        ({"text": MARK, "day": "2026-01-05", "origin": "own"}, "There is a field"),
    ],
)
def test_a_text_that_cannot_be_added_gets_a_sentence_that_does_not_quote_it(
    writer: Assistant, arguments: dict[str, Any], said: str
) -> None:
    sentence = writer.fail("write_entry", **arguments)

    assert sentence.startswith(said)
    assert sentence.endswith(".")
    assert MARK not in sentence
    assert not InboxItem.objects.exists()


# --- Days in words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        ("5 May 2024", "2024-05-05", "2024-05-05"),
        ("le 5 mai 2024", "2024-05-05", "2024-05-05"),
        ("June 2023", "2023-06-01", "2023-06-30"),
        ("from May to July 2019", "2019-05-01", "2019-07-31"),
        ("pomegranate", None, None),
        ("every Monday", None, None),
        ("for two hours", None, None),
    ],
)
def test_words_are_resolved_to_days(
    writer: Assistant, words: str, first: str | None, last: str | None
) -> None:
    found = writer.call("resolve_date", text=words)

    assert (found["first_day"], found["last_day"]) == (first, last)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_day_is_resolved_where_its_owner_is(olive: Resident, writer: Assistant, zone: str) -> None:
    olive.set_preferences(time_zone=zone)
    before = olive.today

    found = writer.call("resolve_date", text="yesterday")

    today = date.fromisoformat(found["today"])
    assert today in {before, olive.today}
    assert found["first_day"] == str(today - timedelta(days=1))
    assert found["time_zone"] == zone


def test_a_name_of_a_day_is_the_last_one_unless_the_person_looks_ahead(writer: Assistant) -> None:
    last = writer.call("resolve_date", text="Tuesday")
    following = writer.call("resolve_date", text="Tuesday", looks_ahead=True)

    assert last["first_day"] <= last["today"] <= following["first_day"]
    assert last["first_day"] < following["first_day"]


# --- Resources -------------------------------------------------------------------------------------------


def test_the_latest_days_are_resources_and_any_day_can_be_read(olive: Resident, reader: Assistant) -> None:
    for number in range(25):
        olive.write("Geese", day=DAY + timedelta(days=number))
    olive.write("Imported", day=DAY + timedelta(days=30), origin=Origin.IMPORTED)

    listed = reader.ask("resources/list")["result"]["resources"]
    (template,) = reader.ask("resources/templates/list")["result"]["resourceTemplates"]
    (content,) = reader.ask("resources/read", uri="llamora://day/2026-01-05")["result"]["contents"]

    assert [one["name"] for one in listed] == [str(DAY + timedelta(days=n)) for n in range(24, 4, -1)]
    assert listed[-1]["title"] == "10 January 2026"
    assert template["uriTemplate"] == "llamora://day/{day}"
    assert json.loads(content["text"]) == reader.call("read_day", day="2026-01-05")


@pytest.mark.parametrize(
    "uri",
    [
        "llamora://day/2026-02-30",
        "llamora://day/2026-1-5",
        "llamora://day/",
        "llamora://day/2026-01-05/",
        "llamora://day/２026-01-05",
        "llamora://facts/",
        "file:///etc/passwd",
        "",
        "pomegranate",
    ],
)
def test_another_address_is_no_resource(reader: Assistant, uri: str) -> None:
    assert reader.ask("resources/read", uri=uri)["error"]["code"] == messages.INVALID_PARAMS
    old = reader.ask_as_of_old("resources/read", uri=uri)
    assert old["error"]["code"] == messages.RESOURCE_NOT_FOUND


def test_a_token_that_does_not_read_the_diary_has_no_resources(olive: Resident, writer: Assistant) -> None:
    olive.write("Geese over the marsh", day=DAY)

    assert writer.ask("resources/list")["result"]["resources"] == []
    assert writer.ask("resources/templates/list")["result"]["resourceTemplates"] == []
    refused = writer.ask("resources/read", uri="llamora://day/2026-01-05")["error"]
    assert refused["code"] == messages.MISSING_SCOPE
    assert refused["data"] == {"error_code": "missing_scope", "scope": "diary:read"}


# --- Notes -----------------------------------------------------------------------------------------------


def test_notes_are_listed_and_read_by_path_with_their_origin(
    olive: Resident, make_assistant: MakeAssistant
) -> None:
    keyring = olive.open_keyring()
    save_note(keyring, "SOUL.md", "Be brief.", origin=Origin.OWN)
    save_note(keyring, "knowledge/plan.bin", b"\xff", origin=Origin.IMPORTED, came_in=True)
    careful, eager = (make_assistant("notes", reads_untrusted=reads) for reads in (False, True))

    assert careful.call("list_notes")["notes"] == [
        {"path": "SOUL.md", "kind": "persona", "origin": "own", "source": "", "size": 9}
    ]
    part = eager.call("list_notes", limit=1)
    assert part["next_offset"] == 1
    (file,) = eager.call("list_notes", query="PLAN")["notes"]
    assert (file["path"], file["origin"]) == ("knowledge/plan.bin", "imported")
    assert eager.call("list_notes", kind="skill")["notes"] == []
    assert careful.call("read_note", path="SOUL.md")["text"] == "Be brief."
    assert eager.call("read_note", path="knowledge/plan.bin")["text"] is None
    refused = careful.ask("tools/call", name="read_note", arguments={"path": "knowledge/plan.bin"})
    assert refused["result"]["isError"]


# --- Facts -----------------------------------------------------------------------------------------------


def add_facts(olive: Resident) -> None:
    with olive.unlocked():
        for text, origin in (("You own a kayak", Origin.OWN), ("You own a boat", Origin.IMPORTED)):
            add_fact(owner_id=olive.id, text=FactText.create(text), where=FactOrigin(origin=origin))


def test_facts_are_listed_with_their_origin_and_as_a_resource(
    olive: Resident, make_assistant: MakeAssistant
) -> None:
    add_facts(olive)
    careful, eager = (make_assistant("facts:read", reads_untrusted=reads) for reads in (False, True))

    listed = careful.call("list_facts")
    everything = eager.call("list_facts", limit=1)

    assert [(fact["text"], fact["origin"]) for fact in listed["facts"]] == [("You own a kayak", "own")]
    assert listed["next_offset"] is None
    assert ([fact["text"] for fact in everything["facts"]], everything["next_offset"]) == (
        ["You own a boat"],
        1,
    )
    (resource,) = careful.ask("resources/list")["result"]["resources"]
    (content,) = careful.ask("resources/read", uri=resource["uri"])["result"]["contents"]
    assert json.loads(content["text"]) == listed


def test_facts_are_no_resource_of_a_token_for_entries(olive: Resident, reader: Assistant) -> None:
    add_facts(olive)

    answer = reader.ask("resources/read", uri="llamora://facts")

    assert answer["error"]["code"] == messages.MISSING_SCOPE
    assert "kayak" not in json.dumps(answer)


def test_a_proposed_fact_waits_and_is_never_its_owners_own(
    olive: Resident, make_assistant: MakeAssistant
) -> None:
    add_facts(olive)
    assistant = make_assistant("facts:propose", "facts:read", writes_own_text=True)

    proposed = assistant.call("propose_fact", text="You no longer own a kayak", quote="I sold it")
    again = assistant.call("propose_fact", text="You no longer own a kayak")

    assert (proposed["action"], again["action"]) == ("conflict_detected", "no_change")
    fact = Fact.objects.get(id=proposed["id"])
    assert (fact.state, fact.origin) == (FactState.PROPOSED, Origin.PROGRAM)
    assert Fact.objects.only_accepted(olive.id).count() == 2


def test_what_is_no_fact_is_refused_with_a_sentence(make_assistant: MakeAssistant) -> None:
    refused = make_assistant("facts:propose").ask("tools/call", name="propose_fact", arguments={"text": "."})

    assert refused["result"]["isError"]
    assert "Write one" in refused["result"]["content"][0]["text"]
