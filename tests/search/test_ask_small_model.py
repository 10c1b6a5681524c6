"""Test of answers by SmolLM2, a model too small to be useful: none with a source that does not exist.

It takes some minutes. `-s` shows the answers.
"""

import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from diary.messages import JOB_FAILED
from search.ask import services
from search.ask.answer_stream import AnswerStream
from search.ask.source_numbers import NO_SOURCE, NOTHING
from search.messages import NOTHING_ANSWERS
from tests.diary.tabs import run_serving_loop
from tests.people import Resident
from tests.search.ask_questions import UNANSWERED
from tests.search.asking import ask, load_row
from tests.search.test_questions import use_real_model

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
]

ENTRIES = (
    "Met Anna at the weir. She has sold the boat.",
    "Rowed to the island with Tom, twice.",
    "Anna came for tea and brought plum cake.",
    "The doctor says that the knee will be well by May.",
)
QUESTIONS = (
    "Where did I meet Anna?",
    "Who brought the cake?",
    "How often did I row?",
    "When did I last see Anna?",
    "What does the doctor say about my knee?",
)
NUMBERS = re.compile(r"\[(\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*)\]")


def test_no_answer_names_a_source_that_it_has_not(
    small_model: Path, owner: Resident, settings: Any, shared: Path
) -> None:
    use_real_model(settings, shared)
    settings.MODEL_CONTEXT, settings.MODEL_PARALLEL, settings.MODEL_REPLY_TOKENS = 4096, 1, 90
    settings.MODEL_THREADS, settings.MODEL_SAMPLING = 1, {"seed": 1660}
    for day, text in enumerate(ENTRIES, start=1):
        owner.write(text, day=date(2026, 2, day))
    outcomes = Counter[str]()

    with run_serving_loop(file=small_model) as live:
        for number, question in enumerate(QUESTIONS):
            asked = ask(owner, question)
            if number % 2:
                written = services.wait_for_answer(asked, patience=600).text
            else:
                async_events = live.run(_collect(AnswerStream(asked)), seconds=600)
                written = "".join(async_events)
            row = load_row(owner, asked)
            outcomes[row.reason or row.state] += 1
            print(f"{question} {row.reason or row.state}: {row.answer}", flush=True)
            assert row.answer == written or row.state != "done"
            said = [int(one) for found in NUMBERS.findall(row.answer) for one in re.findall(r"\d+", found)]
            assert all(1 <= one <= len(asked.sources) for one in said), row.answer
            assert said or row.state != "done" or row.answer.strip(" .") == NOTHING_ANSWERS.strip("."), (
                row.answer
            )
        claims = []
        for question in UNANSWERED:
            text = services.wait_for_answer(ask(owner, question), patience=600).text
            if text not in (NOTHING_ANSWERS, JOB_FAILED[NO_SOURCE], JOB_FAILED[NOTHING]):
                claims.append((question, text))
    print(dict(outcomes), claims, flush=True)

    assert outcomes.total() == len(QUESTIONS)
    assert claims == []


async def _collect(stream: AnswerStream) -> list[str]:
    return [event.text async for event in stream]
