"""Tests of paginated lists, and of responses of a newer server."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from llamora.client import AsyncLlamora, Invalid, Llamora, ServerError, UnexpectedAnswer
from llamora.client.answers import DiaryEntry, SearchAnswer, parse_answer
from tests.client.scripted_api import TOKEN, Fault, ScriptedApi

ENTRY = {
    "id": "e1",
    "day": "2026-01-05",
    "text": "Rain.",
    "created_at": "2026-01-05T12:00:00Z",
    "revision": 1,
}


def test_pages_are_fetched_as_they_are_needed(api: ScriptedApi, diary: Llamora) -> None:
    for number in range(5):
        api.store({"text": f"Number {number}", "day": f"2026-02-0{number + 1}"})

    entries = diary.list_entries(from_day="2026-02-01", page_size=2)
    assert next(entries).text == "Number 4"
    assert len(api.requests) == 1

    assert [entry.text for entry in entries] == ["Number 3", "Number 2", "Number 1", "Number 0"]
    assert len(api.requests) == 3


def test_asynchronous_pages_are_the_same(api: ScriptedApi) -> None:
    for number in range(5):
        api.store({"text": f"Number {number}", "day": "2026-02-01"})

    async def run() -> list[str]:
        async with AsyncLlamora(api.url, token=TOKEN) as diary:
            return [entry.text async for entry in diary.list_entries(day="2026-02-01", page_size=2)]

    assert asyncio.run(run()) == [f"Number {number}" for number in range(5)]


def test_results_come_in_pages(api: ScriptedApi, diary: Llamora) -> None:
    for number in range(5):
        api.store({"text": f"Owl {number}", "day": "2026-02-01"})

    found = list(diary.iter_search("owl", page_size=2))

    assert [each.snippet for each in found] == [f"Owl {number}" for number in range(5)]
    assert [request.body["offset"] for request in api.requests] == [0, 2, 4]


def test_an_index_that_is_being_opened_is_not_taken_for_an_empty_one(
    api: ScriptedApi, diary: Llamora
) -> None:
    opening = {"results": [], "total": 0, "next_offset": None, "days": None, "state": "opening"}
    api.add_faults(Fault(status=200, body=opening))
    assert len(list(diary.iter_search("kite"))) == 1

    api.add_faults(*[Fault(status=200, body=opening)] * 4)
    with pytest.raises(ServerError) as caught:
        list(diary.iter_search("kite"))
    assert caught.value.code == "opening"
    assert diary.search("kite").state == "ready"


def test_traces_come_in_pages(api: ScriptedApi, diary: Llamora) -> None:
    api.traces = ["kite", "fog", "weir"]

    assert [trace.name for trace in diary.list_traces(page_size=1)] == ["kite", "fog", "weir"]
    assert [request.query["offset"] for request in api.requests] == [["0"], ["1"], ["2"]]


def test_a_list_that_never_ends_is_given_up(api: ScriptedApi, diary: Llamora) -> None:
    api.add_faults(*[Fault(status=200, body={"days": [], "next_cursor": "same"})] * 9)

    with pytest.raises(UnexpectedAnswer):
        list(diary.list_days())
    assert len(api.requests) == 2


def test_no_text_stands_in_an_address(api: ScriptedApi, diary: Llamora) -> None:
    diary.search("kite")
    list(diary.chat_stream("kite?"))
    diary.write("A kite.")

    assert all("kite" not in f"{request.path}{request.query}" for request in api.requests)


def test_the_days_of_a_question_are_read(diary: Llamora) -> None:
    answer = diary.search("january")

    assert answer.days is not None
    assert (answer.days.first, answer.days.last) == (date(2026, 1, 1), None)


def test_a_time_goes_along_with_its_offset(api: ScriptedApi, diary: Llamora) -> None:
    at = datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=-5)))

    answer = diary.write("Late.", written_at=at)

    assert api.requests[0].body["written_at"] == "2026-01-05T23:30:00-05:00"
    assert answer.entry is not None
    assert answer.entry.created_at == at
    with pytest.raises(Invalid):
        diary.write("Late.", written_at=datetime(2026, 1, 5))


def test_a_newer_server_may_say_more() -> None:
    entry = parse_answer(
        DiaryEntry, ENTRY | {"weather": {"rain": 1}, "origin": "of_a_newer_kind", "revision": 2.0}
    )

    assert (entry.origin, entry.revision) == ("of_a_newer_kind", 2)
    assert entry.created_at == datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_what_a_person_wrote_is_not_in_the_repr_of_an_answer() -> None:
    assert "Rain" not in repr(parse_answer(DiaryEntry, ENTRY))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"revision": True},
        {"revision": 1.5},
        {"revision": "1"},
        {"day": "2026-13-01"},
        {"day": 20260105},
        {"text": ["Rain."]},
        {"created_at": "noon"},
    ],
)
def test_an_answer_of_another_shape_is_refused_without_its_text(changes: dict[str, object]) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        parse_answer(DiaryEntry, ENTRY | changes)

    assert "Rain" not in str(caught.value)


@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_an_answer_that_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_answer(SearchAnswer, value)
