"""Test steps for Ask: a question, its answer, and the events of its stream."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID

from llamora.crypto import Realm, RealmKeyring, in_force
from search.ask import services
from search.ask.answer_stream import AnswerEvent, AnswerStream, EventKind
from search.ask.services import AskedQuestion, WrittenAnswer
from search.models import Question
from tests.diary.tabs import ServingLoop
from tests.people import Resident
from tests.search.indexing import open_index

NO_EVENTS: Mapping[EventKind, Event] = {}


@contextmanager
def as_program(someone: Resident) -> Iterator[RealmKeyring]:
    """Put a keyring of a program in force that has the scope chat."""
    keyring = someone.keyring.restrict([Realm.CONTENT, Realm.FACTS, Realm.NOTES])
    with in_force(keyring):
        yield keyring
    keyring.close()


def ask(someone: Resident, question: str, session_id: UUID | None = None, **options: Any) -> AskedQuestion:
    """Ask a question in the browser of a person, whose index is complete."""
    open_index(someone)
    with someone.unlocked():
        return services.ask(
            person=someone.person,
            keyring=someone.keyring,
            question=question,
            session_id=session_id,
            **options,
        )


def get_answer(
    someone: Resident, question: str, session_id: UUID | None = None, **options: Any
) -> WrittenAnswer:
    """Ask a question and wait for its answer."""
    return services.wait_for_answer(ask(someone, question, session_id, **options), patience=20)


def load_row(someone: Resident, asked: AskedQuestion) -> Question:
    """Return the row of a question, its sealed columns opened."""
    with someone.unlocked():
        row = Question.objects.get(id=asked.id)
        for name in ("text", "answer", "sources", "read", "name"):
            setattr(row, name, getattr(row, name))
    return row


def read_stream(
    live: ServingLoop, stream: AnswerStream, *, most: int = 10_000, on: Mapping[EventKind, Event] = NO_EVENTS
) -> list[AnswerEvent]:
    """Return the events of a stream up to its end, or so many; set those in `on` when their kind has come."""

    async def read() -> list[AnswerEvent]:
        events = []
        async for event in stream:
            events.append(event)
            if event.kind in on:
                on[event.kind].set()
            if len(events) == most:
                break
        return events

    return live.run(read(), seconds=30)
