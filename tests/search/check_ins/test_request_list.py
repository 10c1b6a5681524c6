"""Tests of the list of standing requests: its items, when each is open, and marking one as done."""

from datetime import datetime

import pytest

from search.checkins.request_list import (
    MAX_LENGTH,
    MAX_REQUESTS,
    ListedRequest,
    build_query,
    is_open,
    list_open,
    mark_done,
    parse_requests,
)

MONDAY_MORNING = datetime(2026, 3, 2, 9, 30)
SATURDAY_EVENING = datetime(2026, 3, 7, 19, 0)
NOTE = """# Standing requests

Some words that are no request.

- [ ] Ask me how the garden is (when: Saturday evenings)
- [x] Remind me of Jane's letter
* Tell me if I have not written of my father for a week
  1. [ ] Count my walks
"""


def test_each_item_of_a_list_is_a_request() -> None:
    assert parse_requests(NOTE) == [
        ListedRequest(line=4, text="Ask me how the garden is", when="Saturday evenings"),
        ListedRequest(line=5, text="Remind me of Jane's letter", is_done=True),
        ListedRequest(line=6, text="Tell me if I have not written of my father for a week"),
        ListedRequest(line=7, text="Count my walks"),
    ]


@pytest.mark.parametrize(
    "line", ["", "text", "-", "- ", "- [ ]", "-text", "1.text", "            - deep", "- (when: Mondays)"]
)
def test_other_lines_are_none(line: str) -> None:
    requests = parse_requests(line)

    assert [one.text for one in requests] in ([], ["[ ]"])


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("- On Sundays: what did I promise this week?", "On Sundays"),
        ("- [ ] Am Wochenende: war ich draußen?", "Am Wochenende"),
        ("- [ ] In spring: have I had the chimney cleaned?", ""),
        ("- Sundays: x (when: Mondays)", "Mondays"),
        ("- Sunday:", ""),
    ],
)
def test_a_request_may_begin_with_its_times(line: str, when: str) -> None:
    [request] = parse_requests(line)

    assert request.when == when


@pytest.mark.parametrize(
    ("line", "query"),
    [
        ("- Ask me about what should be ripe", "what should be ripe"),
        ("- On Sundays: what did I promise this week?", "what did I promise this week?"),
        ("- Erinnere mich an Janes Brief", "Janes Brief"),
        ("- Count my walks", "my walks"),
        ("- Tell me", "Tell me"),
        ("- The garden", "The garden"),
    ],
)
def test_what_to_look_for_is_without_what_to_do_with_it(line: str, query: str) -> None:
    [request] = parse_requests(line)

    assert build_query(request) == query


def test_what_is_done_or_not_due_is_not_open() -> None:
    monday = [one.text for one in list_open(NOTE, now=MONDAY_MORNING)]
    saturday = [one.text for one in list_open(NOTE, now=SATURDAY_EVENING)]

    assert monday == ["Tell me if I have not written of my father for a week", "Count my walks"]
    assert saturday == ["Ask me how the garden is", *monday]


def test_a_long_list_is_read_as_far_as_a_prompt_has_room() -> None:
    note = "\n".join(f"- Request {number} {'x' * 900}" for number in range(40))

    requests = list_open(note, now=MONDAY_MORNING)

    assert len(requests) == MAX_REQUESTS
    assert {len(one.text) for one in requests} == {MAX_LENGTH}


@pytest.mark.parametrize(
    ("when", "monday_morning", "saturday_evening"),
    [
        ("", True, True),
        ("Mondays", True, False),
        ("on Saturday", False, True),
        ("montags und samstags", True, True),
        ("weekdays", True, False),
        ("am Wochenende", False, True),
        ("mornings", True, False),
        ("evening", False, True),
        ("Monday evening", False, False),
        ("2026-03-02", True, False),
        ("from 2026-03-05", False, True),
        ("until 2026-03-05", True, False),
        ("ab 2026-03-01 bis 2026-03-02 morgens", True, False),
        ("weekends until 2026-03-06", False, False),
        ("2026-02-31", True, True),
        ("whenever it rains", True, True),
    ],
)
def test_its_times_say_when_a_request_is_open(
    when: str, monday_morning: bool, saturday_evening: bool
) -> None:
    assert is_open(when, now=MONDAY_MORNING) is monday_morning
    assert is_open(when, now=SATURDAY_EVENING) is saturday_evening


def test_a_request_is_marked_as_done_and_nothing_else_changes() -> None:
    first = mark_done(NOTE, "Ask me how the garden is")
    both = mark_done(first, "Tell me if I have not written of my father for a week")

    assert first == NOTE.replace("- [ ] Ask", "- [x] Ask")
    assert both == first.replace("* Tell", "* [x] Tell")
    assert [one.text for one in list_open(both, now=SATURDAY_EVENING)] == ["Count my walks"]


@pytest.mark.parametrize("text", ["Remind me of Jane's letter", "Something else", ""])
def test_what_is_done_already_or_gone_leaves_the_note_as_it_is(text: str) -> None:
    assert mark_done(NOTE, text) == NOTE


def test_line_ends_stay_as_they_are() -> None:
    assert mark_done("- [ ] One\r\n- [ ] Two\r\n", "Two") == "- [ ] One\r\n- [x] Two\r\n"
    assert mark_done("- One", "One") == "- [x] One"
