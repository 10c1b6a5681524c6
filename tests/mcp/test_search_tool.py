"""Tests of the search tool: what it finds, what it leaves out, and its errors."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Origin, Reply
from llamora.crypto import TokenKind
from llamora.inference.job import JobState
from search.embedder.holder import embedders
from search.index.registry import indexes
from tests.mcp.assistant import Assistant
from tests.mcp.conftest import MakeAssistant
from tests.people import Resident, register_resident
from tests.search.indexing import open_index

DAY = date(2026, 1, 5)


@pytest.fixture(autouse=True)
def close_indexes(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.DATA_DIR = tmp_path
    yield
    indexes.close_all()
    embedders.set_embedder(None)


@pytest.fixture
def olive(transactional_db: None) -> Resident:
    """A person whose diary is unlocked; the workers of the index have connections of their own."""
    return register_resident("Olive", signed_in=True)


@pytest.fixture
def reader(make_assistant: MakeAssistant) -> Assistant:
    return make_assistant("diary:read")


def reply(olive: Resident, entry: Entry, text: str, *, is_clean: bool) -> None:
    record = PromptRecord(entries=[(entry.id, entry.day)], is_untrusted=not is_clean)
    record.bind_to_text(text)
    with olive.unlocked():
        Reply.objects.create(
            owner_id=olive.id, entry=entry, text=text, read=record.to_json(), state=JobState.DONE
        )


def test_a_text_is_found_with_its_day_and_its_origin(olive: Resident, reader: Assistant) -> None:
    entry = olive.write("The heron stood in the weir.", day=DAY)
    olive.write("Bread and butter", day=DAY)
    open_index(olive)

    found = reader.call("search_diary", query="heron")

    (text,) = found["results"]
    assert (text["kind"], text["id"], text["day"]) == ("entry", str(entry.id), "2026-01-05")
    assert (text["snippet"], text["origin"]) == ("The heron stood in the weir.", "own")
    assert (found["state"], found["next_offset"]) == ("ready", None)
    assert "1 text on 1 day" in olive.get("/settings/programs/").content.decode()


def test_only_the_days_named_are_searched(olive: Resident, reader: Assistant) -> None:
    for number in (1, 2, 3):
        olive.write(f"The heron, {number}", day=date(2025, 3, number))
    open_index(olive)

    found = reader.call("search_diary", query="heron", **{"from": "2025-03-02", "to": "2025-03-02"})
    later = reader.call("search_diary", query="heron", **{"from": "2025-03-02"})

    assert [one["day"] for one in found["results"]] == ["2025-03-02"]
    assert sorted(one["day"] for one in later["results"]) == ["2025-03-02", "2025-03-03"]


def test_all_results_come_page_by_page(olive: Resident, reader: Assistant) -> None:
    for number in range(28):
        olive.write(f"The heron, {number}", day=date(2025, 2, number + 1))
    open_index(olive)

    first = reader.call("search_diary", query="heron", limit=20)
    second = reader.call("search_diary", query="heron", offset=first["next_offset"])

    days = [one["day"] for one in (*first["results"], *second["results"])]
    assert len(set(days)) == len(days) == 28
    assert second["next_offset"] is None


def test_what_its_owner_did_not_write_is_left_out_unless_the_token_reads_it(
    olive: Resident, reader: Assistant, make_assistant: MakeAssistant
) -> None:
    own = olive.write("The heron by me", day=DAY)
    olive.write("The heron, imported", day=date(2026, 1, 6), origin=Origin.IMPORTED)
    reply(olive, own, "A heron is patient.", is_clean=True)
    reply(olive, olive.write("Mud", day=date(2026, 1, 7)), "A heron, as the import says.", is_clean=False)
    open_index(olive)

    trusted = reader.call("search_diary", query="heron")
    everything = make_assistant("diary:read", reads_untrusted=True).call("search_diary", query="heron")

    assert {(one["kind"], one["origin"]) for one in trusted["results"]} == {
        ("entry", "own"),
        ("reply", "model"),
    }
    assert not any("import" in one["snippet"] for one in trusted["results"])
    assert len(everything["results"]) == 4


def test_a_person_finds_nothing_of_another(olive: Resident, make_assistant: MakeAssistant) -> None:
    olive.write("The heron", day=DAY)
    open_index(olive)
    hugo = register_resident("Hugo", signed_in=True)
    open_index(hugo)

    found = make_assistant("diary:read", who=hugo).call("search_diary", query="heron")

    assert (found["results"], found["total"]) == ([], 0)


def test_a_deleted_entry_is_not_found(olive: Resident, reader: Assistant) -> None:
    entry = olive.write("The heron", day=DAY)
    open_index(olive)
    olive.post(f"/entries/{entry.id}/delete/")

    assert reader.call("search_diary", query="heron")["results"] == []


@pytest.mark.parametrize(
    "arguments",
    [{}, {"query": ""}, {"query": 1}, {"query": "a" * 1001}, {"query": "a", "from": "Monday"}]
    + [{"query": "a", "offset": number} for number in (-1, 1.5, "1", 10**9)]
    + [{"query": "a", "from": "2026-01-02", "to": "2026-01-01"}],
)
def test_a_query_that_is_none_gets_a_sentence(reader: Assistant, arguments: dict[str, Any]) -> None:
    assert reader.fail("search_diary", **arguments).endswith(".")


@pytest.mark.parametrize("query", ['"heron', "heron -", "heron from:", "(((heron", "a" * 100, "* heron"])
def test_a_query_of_any_signs_finds_what_it_finds(olive: Resident, reader: Assistant, query: str) -> None:
    olive.write("The heron", day=DAY)
    open_index(olive)

    assert reader.call("search_diary", query=query)["state"] == "ready"


def test_nothing_is_found_while_the_diary_is_locked(olive: Resident, make_assistant: MakeAssistant) -> None:
    assistant = make_assistant("diary:read", kind=TokenKind.AWAY)
    olive.write("The heron", day=DAY)
    open_index(olive)
    olive.lock()

    assert "unlocked" in assistant.fail("search_diary", query="heron")
