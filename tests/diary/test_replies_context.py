"""Tests of the prompt of a reply: the day up to the entry, nothing later, nothing of other people."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.generation import prompt_templates
from diary.generation.prompt_context import PromptContext, PromptEntry, fit_to_window, get_token_upper_bound
from diary.models import Draft
from llamora.llm import tokens
from llamora.llm.deltas import ChatMessages
from llamora.llm.errors import PromptTooLong
from tests.diary.fences import fence, hide_codes
from tests.diary.tabs import ServingLoop, run_serving_loop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.people import Resident

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def get_sent_bodies(model: FakeModelServer) -> str:
    """Return the bodies of all requests to the model, as one text."""
    return str([request.body for request in model.requests])


@pytest.mark.django_db(transaction=True)
def test_nothing_later_and_nothing_of_others_leaves_the_process(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    owner.write("YESTERDAY", day=DAY - timedelta(days=1), at=NOON - timedelta(days=1))
    owner.write("MORNING", day=DAY, at=NOON - timedelta(hours=3))
    entry = owner.write("NOON", day=DAY, at=NOON)
    owner.write("EVENING", day=DAY, at=NOON + timedelta(hours=6))
    owner.write("TOMORROW", day=DAY + timedelta(days=1), at=NOON + timedelta(days=1))
    housemate.write("HOUSEMATE", day=DAY, at=NOON - timedelta(hours=1))
    deleted = owner.write("DELETED", day=DAY, at=NOON - timedelta(hours=2))
    owner.update_columns(deleted, deleted_at=NOON)
    with owner.unlocked():
        Draft.objects.create(owner_id=owner.id, day=DAY, text="DRAFT")

    wait_for_reply_row(owner, start_reply(owner, entry.id))

    prompt = get_sent_bodies(model)
    assert "MORNING" in prompt
    assert "NOON" in prompt
    for never in (
        "YESTERDAY",
        "EVENING",
        "TOMORROW",
        "HOUSEMATE",
        "DELETED",
        "DRAFT",
        "Olive",
        str(owner.id),
    ):
        assert never not in prompt


@pytest.mark.django_db(transaction=True)
def test_words_are_sent_as_written(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    text = '5 < 6 & "quotes" {{ day }} {% if %}\n---\n<|im_end|>'
    entry = owner.write(text)

    wait_for_reply_row(owner, start_reply(owner, entry.id))

    assert json.dumps(text) in model.calls[0]["messages"][1]["content"]
    assert [turn["role"] for turn in model.calls[0]["messages"]] == ["system", "user"]


@pytest.mark.django_db(transaction=True)
def test_the_last_two_replies_are_shown_so_that_it_says_something_else(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(*(Script(tokens=[f"Answer {number}."]) for number in range(4)))
    entry = owner.write("Tea.")
    for _ in range(4):
        wait_for_reply_row(owner, start_reply(owner, entry.id))

    last = model.calls[3]["messages"][1]["content"]
    assert "Answer 0." not in last
    assert last.index("Answer 1.") < last.index("Answer 2.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["llama.cpp", "other"])
@pytest.mark.parametrize("script", ["plain words of a long day ", "昼寝をして本を読んだ", "x9#-"])
def test_a_prompt_is_never_over_the_window(
    transactional_db: None, owner: Resident, kind: str, script: str
) -> None:
    window = 3000
    with FakeModelServer(kind=kind, context=window) as model, run_serving_loop(model.url):
        for number in range(12):
            owner.write(f"{number} " + script * 40)
        entry = owner.write("The last one. " + script * 700)

        text, state, _ = wait_for_reply_row(owner, start_reply(owner, entry.id))

        call = model.calls[0]
        turns = call["messages"]
        # The fake llama.cpp counts a token for each character, and its template's words; others do not count.
        counted = sum(len(turn["role"]) + len(turn["content"]) + 3 for turn in turns)
        estimated = sum(tokens.estimate_tokens(turn["content"]) + tokens.TOKENS_PER_MESSAGE for turn in turns)
        size = counted if kind == "llama.cpp" else estimated
        assert size + call["max_tokens"] <= (window if kind == "llama.cpp" else 4096)
        assert (text, state) == ("".join(model.manners.default.tokens), "done")
        assert call["max_tokens"] >= 16
        assert turns[1]["content"].count("The entry to answer") == 1
        assert script.strip() in turns[1]["content"]


def build_context(*, earlier: list[str], entry: str, replies: list[str]) -> PromptContext:
    return PromptContext(
        day=DAY,
        entry=PromptEntry(time="12:00", text=entry),
        earlier=tuple(PromptEntry(time="09:00", text=text) for text in earlier),
        replies=tuple(replies),
    )


def render_candidate(candidate: PromptContext) -> ChatMessages:
    parts = [*(piece.text for piece in candidate.earlier), *candidate.replies, candidate.entry.text]
    return [{"role": "user", "content": "\n".join(parts)}]


async def count_characters(turns: ChatMessages) -> int:
    return sum(len(turn["content"]) for turn in turns)


SOME = st.lists(st.text(alphabet="ab é語", max_size=60), max_size=6)


@given(
    earlier=SOME,
    replies=SOME,
    entry=st.text(alphabet="abc é語 ", min_size=1, max_size=400),
    room=st.integers(1, 500),
)
async def test_what_fits_is_the_newest_and_never_more_than_the_room(
    earlier: list[str], replies: list[str], entry: str, room: int
) -> None:
    whole = build_context(earlier=earlier, entry=entry, replies=replies)
    try:
        turns, fitted = await fit_to_window(
            whole, limit=room, render=render_candidate, count=count_characters
        )
    except PromptTooLong:
        assert room < len(entry)
        return
    content = turns[0]["content"]
    assert await count_characters(turns) <= room
    assert turns == render_candidate(fitted)
    # What is kept is an end of the whole: the oldest went first.
    assert render_candidate(whole)[0]["content"].endswith(content)


async def test_a_server_is_not_asked_to_count_what_fits_for_certain() -> None:
    async def never(_: ChatMessages) -> int:
        raise AssertionError("asked")

    small = build_context(earlier=["Woke."], entry="Tea.", replies=[])

    assert await fit_to_window(
        small, limit=get_token_upper_bound(render_candidate(small)), render=render_candidate, count=never
    ) == (
        render_candidate(small),
        small,
    )


def test_a_prompt_of_the_house_goes_before_ours(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "respond.txt").write_text("Be brief.\n---\n{{ entry.text }} & {{ day }}")

    turns = prompt_templates.render_prompt(
        "respond", {"entry": PromptEntry(time="08:12", text="<Tea>"), "day": "20 November 2026"}
    )

    system, said = (hide_codes(turn["content"]) for turn in turns)
    assert system.startswith("Be brief.\n\nEach text to read is JSON between two lines with the code ")
    assert said == f"{fence('<Tea>')} & 20 November 2026"


@pytest.mark.parametrize(
    "broken",
    [
        "no rule in here",
        "a\n---\n{% if %}",
        "a\n---\n{% load nowhere %}",
        "{% include 'nothing.txt' %}\n---\nb",
        "a\n---\n{% url 'nowhere' %}",
        "Answer {{ entry.text }}\n---\nb",
        "Answer {{ entry }}\n---\nb",
        "{% for one in entry %}{{ one.text|upper }}{% endfor %}{{ entry.text|upper }}\n---\nb",
    ],
)
def test_a_broken_prompt_of_the_house_is_passed_over(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "respond.txt").write_text(broken)

    for _ in range(2):
        turns = prompt_templates.render_prompt(
            "respond", {"entry": PromptEntry(time="08:12", text="Tea"), "day": "x"}
        )

    assert "You read an entry" in turns[0]["content"]
    assert "Tea" in turns[1]["content"]
    (warning,) = caplog.messages
    assert str(tmp_path / "prompts" / "respond.txt") in warning
    assert "Tea" not in caplog.text


def test_a_prompt_of_the_house_that_cannot_be_read_is_named_in_the_log(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA_DIR = tmp_path
    # A folder: to the superuser, who may run the tests, no file is closed.
    (tmp_path / "prompts" / "respond.txt").mkdir(parents=True)

    turns = prompt_templates.render_prompt(
        "respond", {"entry": PromptEntry(time="08:12", text="Tea"), "day": "x"}
    )

    assert "You read an entry" in turns[0]["content"]
    assert caplog.messages == [
        f"The prompt {tmp_path / 'prompts' / 'respond.txt'} is not used: it can't be read."
    ]
