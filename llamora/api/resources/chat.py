"""Calls that ask the diary a question, answered at once or as a stream, and calls for conversations."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from django.db import IntegrityError
from django.http import StreamingHttpResponse

from accounts.errors import InvalidToken
from diary.generation.job_status import describe_state
from diary.models import Origin
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.errors import ApiError
from llamora.api.resources.pages import USUAL_LIMIT, Limit, Offset
from llamora.fields import new_id
from llamora.inference import model_server
from llamora.inference.job import JobState
from search.ask import services
from search.ask.answer_stream import AnswerEvent, AnswerStream
from search.ask.conversations import Conversation, list_conversations
from search.ask.errors import LOCKED, IndexNotReady, QuestionInvalid, TooManyQuestions
from search.ask.services import MAX_QUESTION_LENGTH, AskedQuestion, WrittenAnswer
from search.ask.sources import Source

_TAG: Final = "Questions"
_EVENTS: Final = "text/event-stream"
_ERROR: Final = "error"
_SCOPES: Final = ("chat",)
_RETRY_AFTER: Final = {"Retry-After": "3"}
_LOCKED: Final = (
    "Questions are answered while the diary is unlocked. Its owner unlocks it in a browser; no token does "
    "that."
)
_NO_SUCH_MODEL: Final = (
    "The household's model server does not offer this model; leave it out for the usual one."
)
_TOO_MANY: Final = "Too many answers are being written. Wait until one is complete, then ask again."
_ASKED_ALREADY: Final = "The call before with this key is still answered. Call again in a few seconds."
_NOT_A_QUESTION: Final = (
    f"Ask something in 1 to {MAX_QUESTION_LENGTH:,} characters, of which at least one can be seen."
)


class QuestionToAsk(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A question; `session_id` continues a conversation, `model` selects one of the models offered."""

    message: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_QUESTION_LENGTH)]
    session_id: UUID | None = None
    model: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class SourceBody(msgspec.Struct, kw_only=True):
    """A passage of an entry or a note that the answer was based on; `id` is the id of that entry or note.

    The answer cites it by `number`, in square brackets. A note has no day. `origin` is as in EntryBody.
    """

    number: int
    kind: Literal["entry", "note"]
    id: UUID
    day: date | None
    snippet: str
    origin: str


class ReadFactBody(msgspec.Struct, kw_only=True):
    """An accepted fact that the model read for the answer; `id` is its id under `/api/v1/memory`."""

    id: UUID
    content: str


class AnswerBody(msgspec.Struct, kw_only=True):
    """An answer with its sources and the facts that the model read.

    The answer cites sources by number, and never facts. `session_id` continues the conversation. `model` is
    null if no model wrote the answer: then the sources are the answer, if there are any. `read_imported` says
    that the model read texts that the owner did not write. `finish_reason` is "stop", "length" if the answer
    reached its limit, or "stopped" if it took too long.
    """

    response: str
    session_id: UUID
    model: str | None
    sources: list[SourceBody]
    facts: list[ReadFactBody]
    read_imported: bool
    finish_reason: Literal["stop", "length", "stopped"]


class SessionBody(msgspec.Struct, kw_only=True):
    """A chat session, which is a conversation about the diary: questions and their answers.

    `name` is the name that it was given, or else the beginning of its first question.
    """

    session_id: UUID
    name: str
    question_count: int
    created_at: datetime
    last_asked_at: datetime
    read_imported: bool


class SessionList(msgspec.Struct, kw_only=True):
    """A page of chat sessions (conversations). The one with the latest question is the first.

    `next_offset` is null on the last page.
    """

    sessions: list[SessionBody]
    next_offset: int | None


class SessionListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of the list of chat sessions (conversations about the diary)."""

    limit: Limit = USUAL_LIMIT
    offset: Offset = 0


class DeletedSession(msgspec.Struct, kw_only=True):
    """Result of deleting a chat session (a conversation about the diary)."""

    session_id: UUID
    deleted: Literal[True] = True


@endpoint("POST", "/api/chat", scopes=_SCOPES, tag=_TAG, stores=True)
def ask_question(call: Call, *, body: QuestionToAsk) -> AnswerBody:
    """Ask the diary a question, and wait for the whole answer.

    It is answered from texts that the owner wrote. A token that reads imported texts may also be answered
    from those; the first question decides which of the two a conversation reads, never both. If nothing in
    the diary answers the question, the answer says so. The diary must be unlocked in a browser. A repeated
    call with the same Idempotency-Key gets the same answer, or waits for it; an answer that failed is
    generated again.
    """
    asked = _ask_once(call, body)
    answer = services.wait_for_answer(asked)
    if call.is_revoked:
        raise InvalidToken
    if not answer.is_complete:
        raise _refuse(answer)
    return AnswerBody(
        response=answer.text,
        session_id=asked.session_id,
        model=answer.model or None,
        sources=[_build_source(source) for source in asked.sources],
        facts=_build_facts(answer),
        read_imported=asked.has_read_imported,
        finish_reason=_name_end(answer),
    )


@endpoint("POST", "/api/chat/stream", scopes=_SCOPES, tag=_TAG, media_types=(_EVENTS,), stores=True)
def stream_answer(call: Call, *, body: QuestionToAsk) -> StreamingHttpResponse:
    """Ask the diary a question, and read the answer as server-sent events while it is written.

    The events are: `start` {session_id, model, sources}; `token` {text} for each piece; `done`
    {read_imported, finish_reason, response, facts} at the end, where `response` is the whole text. `restart`
    {} means that the text so far is not part of the answer. `error` has the body of an error response and
    also ends the stream. Lines that begin with a colon only keep the connection open. Closing the connection
    stops the answer. A repeated call with the same Idempotency-Key gets the same answer, complete or as far
    as it was written.
    """
    stream = AnswerBytes(AnswerStream(_ask_once(call, body)), is_revoked=lambda: call.is_revoked)
    headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    return StreamingHttpResponse(stream, content_type=_EVENTS, headers=headers)


@endpoint("GET", "/api/sessions", scopes=_SCOPES, tag=_TAG)
def list_sessions(call: Call, *, query: SessionListQuery) -> SessionList:
    """List the chat sessions (conversations about the diary).

    Conversations that read imported texts are left out, unless the token may read those too.
    """
    found = list_conversations(call.owner, reads_untrusted=call.terms.reads_untrusted)
    end = query.offset + query.limit
    return SessionList(
        sessions=[_build_session(one) for one in found[query.offset : end]],
        next_offset=end if len(found) > end else None,
    )


@endpoint("DELETE", "/api/sessions/{id}", scopes=_SCOPES, tag=_TAG)
def delete_session(call: Call, *, id: UUID) -> DeletedSession:  # noqa: A002 - its name there
    """Delete a chat session (a conversation) with its questions and answers for good."""
    services.delete_conversation(call.owner, id, reads_untrusted=call.terms.reads_untrusted)
    return DeletedSession(session_id=id)


class AnswerBytes:
    """An asynchronous iterator over the server-sent events of an answer, as bytes.

    If the token is revoked meanwhile, the next event is an error, and the stream ends.
    """

    def __init__(self, stream: AnswerStream, *, is_revoked: Callable[[], bool]) -> None:
        self._stream, self._is_revoked = stream, is_revoked
        self._is_refused = False

    def __aiter__(self) -> "AnswerBytes":
        return self

    async def __anext__(self) -> bytes:
        if self._is_refused:
            raise StopAsyncIteration
        event = await anext(self._stream)
        if self._is_revoked():
            self._is_refused = True
            return _encode(_ERROR, ApiError(401, "invalid_token").build_body())
        return _encode_event(event)

    def close(self) -> None:
        """Stop the answer if it is not complete; called when the response ends."""
        self._stream.close()


def _ask_once(call: Call, body: QuestionToAsk) -> AskedQuestion:
    """Ask the question of a call, or find it if it was asked with this call's Idempotency-Key before."""
    if call.idempotency_key is None:
        return _ask(call, body, question_id=new_id())
    stored = call.store_once(msgspec.json.encode(body), new_id)
    if not stored.is_new:
        asked = services.find_asked(
            person=call.person,
            keyring=call.keyring,
            question_id=stored.row_id,
            reads_untrusted=call.terms.reads_untrusted,
        )
        if asked is not None:
            call.record_read(len(asked.sources))
            return asked
    try:
        return _ask(call, body, question_id=stored.row_id)
    except IntegrityError:
        # The call of before has asked it in this moment.
        raise ApiError(503, "busy", message=_ASKED_ALREADY, headers=_RETRY_AFTER) from None


def _ask(call: Call, body: QuestionToAsk, *, question_id: UUID) -> AskedQuestion:
    """Ask the question of a call; raise ApiError."""
    status = model_server.get_status()
    if body.model and status.is_ready and body.model not in (status.model, *status.models):
        raise ApiError(422, "invalid_field", field="model", message=_NO_SUCH_MODEL)
    try:
        asked = services.ask(
            person=call.person,
            keyring=call.keyring,
            question=body.message,
            session_id=body.session_id,
            origin=Origin.OWN_TOKEN if call.terms.writes_own_text else Origin.PROGRAM,
            reads_untrusted=call.terms.reads_untrusted,
            model=body.model or "",
            tells_not_read=call.terms.reads_untrusted,
            question_id=question_id,
        )
    except QuestionInvalid:
        raise ApiError(422, "invalid_field", field="message", message=_NOT_A_QUESTION) from None
    except TooManyQuestions:
        raise ApiError(503, "busy", message=_TOO_MANY, headers=_RETRY_AFTER) from None
    except IndexNotReady as refused:
        if refused.code == LOCKED:
            raise ApiError(423, "locked", message=_LOCKED) from None
        raise ApiError(503, "starting", headers=_RETRY_AFTER) from None
    call.record_read(len(asked.sources))
    return asked


def _refuse(answer: WrittenAnswer) -> ApiError:
    """Return the refusal for an answer that was not completed."""
    if answer.reason == LOCKED:
        return ApiError(423, "locked")
    message = describe_state(state=answer.state, reason=answer.reason, is_empty=not answer.text)
    return ApiError(503, "not_answered", message=message, headers=_RETRY_AFTER)


def _name_end(answer: WrittenAnswer) -> Literal["stop", "length", "stopped"]:
    if answer.state == JobState.STOPPED:
        return "stopped"
    return "length" if answer.reason == "length" else "stop"


def _build_source(source: Source) -> SourceBody:
    return SourceBody(
        number=source.number,
        kind="note" if source.stored.is_note else "entry",
        id=source.stored.id,
        day=source.stored.day,
        snippet=source.snippet,
        origin=source.stored.origin,
    )


def _build_facts(answer: WrittenAnswer) -> list[ReadFactBody]:
    return [ReadFactBody(id=fact.id, content=fact.text) for fact in answer.facts]


def _build_session(one: Conversation) -> SessionBody:
    return SessionBody(
        session_id=one.session_id,
        name=one.name,
        question_count=one.questions,
        created_at=one.created_at.astimezone(UTC),
        last_asked_at=one.last_asked_at.astimezone(UTC),
        read_imported=one.has_read_imported,
    )


def _encode_event(event: AnswerEvent) -> bytes:
    name, data = _describe_event(event)
    return _encode(name, data) if name else b": waiting\n\n"


def _encode(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"


def _describe_event(event: AnswerEvent) -> tuple[str, Any]:
    """Return the name and the data of an event; the name is "" if it only keeps the connection open."""
    asked, answer = event.asked, event.answer
    match event.kind:
        case "started":
            sources = [_build_source(source) for source in asked.sources]
            return "start", {"session_id": asked.session_id, "model": asked.model or None, "sources": sources}
        case "written":
            return "token", {"text": event.text}
        case "restarted":
            return "restart", {}
        case "done" if answer is not None:
            data = {"read_imported": asked.has_read_imported, "finish_reason": _name_end(answer)}
            return "done", {**data, "response": answer.text, "facts": _build_facts(answer)}
        case "failed" if answer is not None:
            return _ERROR, _refuse(answer).build_body()
    return "", None
