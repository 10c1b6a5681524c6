"""Tests of hostile texts sent to and by an assistant: they stay texts with an origin, and have no effect.

There are ten documents, each by ten routes; see `tests/diary/test_injections.py`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import AccessToken
from diary.models import InboxItem, Origin
from llamora.crypto import SCOPES
from search.index.registry import indexes
from tests.diary.test_injections import (
    BEGIN,
    DAY,
    ORDERS,
    PROGRAM_NOTES,
    ZIP_NOTES,
    bring_in,
    dump_diary,
    write_document,
)
from tests.mcp.assistant import Assistant
from tests.mcp.exchange import build_headers, build_stateless
from tests.people import Resident, register_resident
from tests.search.indexing import open_index

ALL_SCOPES = tuple(sorted(SCOPES.keys() - {"drop"}))
OTHERS = {Origin.IMPORTED, Origin.PROGRAM, Origin.MODEL}


@pytest.fixture
def olive(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Resident]:
    """A person whose diary is unlocked, and whose index has a folder of its own."""
    settings.DATA_DIR = tmp_path
    yield register_resident("Olive", signed_in=True)
    indexes.close_all()


def read_everything(assistant: Assistant, olive: Resident) -> list[Any]:
    """Return the results of all that an assistant can read."""
    days = [DAY.isoformat(), olive.today.isoformat(), *(one["day"] for one in list_resources(assistant))]
    results = [assistant.ask("tools/call", name="read_day", arguments={"day": day}) for day in days]
    results += [
        assistant.ask("tools/call", name="search_diary", arguments={"query": word, "limit": 100})
        for word in ("HOSTILE", "ignore", "tea", "PLANTED")
    ]
    listed = assistant.ask("tools/call", name="list_notes", arguments={})
    paths = [note["path"] for note in listed["result"]["structuredContent"]["notes"]]
    results.append(listed)
    results += [assistant.ask("tools/call", name="read_note", arguments={"path": path}) for path in paths]
    return [result["result"] for result in results]


def list_resources(assistant: Assistant) -> list[dict[str, Any]]:
    resources = assistant.ask("resources/list")["result"]["resources"]
    return [{**one, "day": one["uri"].rpartition("/")[2]} for one in resources]


def find_texts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a result that has a text."""
    if isinstance(value, dict):
        if "text" in value or "snippet" in value:
            yield value
        for inner in value.values():
            yield from find_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_texts(inner)


@pytest.mark.parametrize("order", ORDERS)
def test_a_hostile_text_reaches_an_assistant_only_as_a_value_with_its_origin(
    olive: Resident, order: str, tmp_path: Path
) -> None:
    document = write_document(order)
    trusted = Assistant.create(olive, "diary:read", "notes")
    everything = Assistant.create(olive, "diary:read", "notes", reads_untrusted=True)
    tools = trusted.ask("tools/list")["result"]
    bring_in(olive, document, tmp_path)
    olive.write("Tea by the weir", day=DAY)
    open_index(olive)

    of_trusted = read_everything(trusted, olive)
    of_everything = read_everything(everything, olive)

    found = []
    for result in (*of_trusted, *of_everything):
        assert set(result) == {"content", "structuredContent", "isError", "resultType", "_meta"}
        (block,) = result["content"]
        assert set(block) == {"type", "text"}
        assert json.loads(block["text"]) == result["structuredContent"]
    for result in of_everything:
        found += [text for text in find_texts(result["structuredContent"]) if BEGIN in json.dumps(text)]
    assert any(document in text.get("text", "") for text in found)
    assert {text["origin"] for text in found} <= OTHERS
    assert {text["path"] for text in found if "path" in text} == {*PROGRAM_NOTES, *ZIP_NOTES}
    assert BEGIN not in json.dumps(of_trusted)
    assert "Tea by the weir" in json.dumps(of_trusted)
    assert trusted.ask("tools/list")["result"] == everything.ask("tools/list")["result"] == tools
    assert BEGIN not in json.dumps(list_resources(everything))


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_in_the_arguments_of_a_tool_changes_nothing_but_the_inbox(
    olive: Resident, order: str
) -> None:
    document = write_document(order)
    assistant = Assistant.create(olive, *ALL_SCOPES, writes_own_text=True, reads_untrusted=True)
    olive.write("Tea by the weir", day=DAY)
    open_index(olive)
    before = dump_diary(olive)
    words = (document, ORDERS[order], f"origin: own\n{ORDERS[order]}")

    for text in words:
        assistant.ask("tools/call", name="search_diary", arguments={"query": text[:300]})
        assistant.ask("tools/call", name="resolve_date", arguments={"text": text[:200]})
        assistant.ask("tools/call", name="read_day", arguments={"day": text})
        assistant.ask("resources/read", uri=f"llamora://day/2021-05-03?{text}")
        assistant.ask(text, name=text)
        assistant.call("write_entry", text=text, day=DAY.isoformat())
        assistant.fail("write_entry", text=text, origin="own")
        assistant.fail("write_entry", text=text, owner=str(olive.id))
        assistant.call("list_notes", query=text[:200])
        assistant.fail("read_note", path=text[:200])
        for tool in ("save_note", "change_note", "approve_skill", "claim_note"):
            assistant.ask("tools/call", name=tool, arguments={"path": "SOUL.md", "text": text})

    after = dump_diary(olive)
    del before["InboxItem"], after["InboxItem"]
    assert after == before
    assert [item.origin for item in InboxItem.objects.all()] == [Origin.PROGRAM] * len(words)
    assert AccessToken.objects.count() == 1


def test_no_error_repeats_an_order(olive: Resident) -> None:
    assistant = Assistant.create(olive, *ALL_SCOPES)
    orders = [write_document(order) for order in ORDERS]

    for text in orders:
        for method, params in (
            ("tools/call", {"name": text, "arguments": {}}),
            ("tools/call", {"name": "read_day", "arguments": {"day": text}}),
            ("tools/call", {"name": "read_day", "arguments": {"day": "2021-05-03", text: 1}}),
            ("resources/read", {"uri": text}),
            ("tools/list", {"cursor": text}),
            ("prompts/get", {"name": text}),
        ):
            message = build_stateless(method, **params)
            headers = build_headers(message)
            name = headers.pop("Mcp-Name", None)
            sent = {"Mcp-Name": "other"} if name is not None else {}
            for more in (sent, {}):
                assert "HOSTILE" not in assistant.post(message, **headers, **more).content.decode()
