"""Facts as memories: what a program may read of them, and how it proposes and changes them.

What a program stores is only a proposal, and changes no fact. If the program's token reads only texts that
the owner wrote, facts from other sources are treated as missing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final
from uuid import UUID

import msgspec
from django.db.models import Q
from django.utils import timezone

from accounts.tokens.token_uses import token_uses
from diary import days
from diary.errors import ObjectNotFound
from diary.models import Origin
from diary.transfer.programs.file_formats import TextFormat
from llamora.api.call import Call, yield_to_pages
from llamora.api.errors import ApiError, translate_error
from llamora.api.resources.memories.bodies import (
    Action,
    ChangedMemory,
    DeletedMemory,
    FactToStore,
    FoundMemories,
    FoundMemory,
    MemoryAcceptance,
    MemoryBody,
    MemoryChange,
    MemoryCorrection,
    MemoryDetail,
    MemoryHistory,
    MemoryList,
    MemoryListQuery,
    MemoryPreferences,
    MemorySearch,
    Pagination,
    StoredFact,
    TouchedMemory,
)
from llamora.api.resources.pages import decode_cursor, encode_cursor
from llamora.api.resources.search import find_texts
from llamora.crypto import RealmKeyring, VaultLocked
from llamora.database import NotWritten, split_into_parts, write_transaction
from traces.facts import services
from traces.facts.changes import ChangeAuthor, is_chain_whole
from traces.facts.comparison import Strategy, Verdict
from traces.facts.fact_body import FactText, InvalidFact, get_text
from traces.facts.models import TRUSTED_FACT_ORIGINS, Fact, FactState
from traces.facts.open_facts import OpenFact
from traces.facts.proposals.dating import describe_when
from traces.facts.queries import (
    EarlierFacts,
    FactChoices,
    find_same,
    find_touched,
    list_changes,
    load_choices,
)
from traces.facts.selection import FactSelection, get_confidence, with_days
from traces.facts.services import FactOrigin
from traces.facts.transfer.exports import FactExportReport, write_facts
from traces.facts.transfer.harmonia import find_language

READ: Final = "facts:read"
# Of proposals that wait at a time, so that no program fills a disk.
MOST_WAITING: Final = 20_000
# Of what is found, if it is filtered or put into another order.
_MOST_RANKED: Final = 1_000
_RECENT_DAYS: Final = 30
_CATEGORY_BOOST: Final = 1.2
_FACT_KIND: Final = frozenset({"fact"})
_KNOWN: Final = (FactState.PROPOSED, FactState.ACCEPTED)
_TOUCHES: Final = (
    "It touches an accepted fact. Send a strategy that says what becomes of that one; the proposal lists it."
)
_TOUCHES_NONE: Final = "There is no accepted fact that it touches. Leave out the strategy, or name one."
_NOTHING_TO_CHANGE: Final = "Say what to change: content, category or ended."
_PARTLY_SAVED: Final = (
    "Only the first {saved} of {all} facts were saved. Send the call again: what is saved is not saved twice."
)
_NEEDS_SENTENCE: Final = "Send the merged sentence as content."
_NOT_ACCEPTED: Final = "Only an accepted fact ends. This one is a proposal, or has ended."


class FactMemories:
    """The facts that one program may read, propose and change.

    Its methods need the call's keyring in force (see `llamora.crypto.keyring`).
    """

    def __init__(self, call: Call, *, is_assistant: bool = False) -> None:
        self._call = call
        # What a model writes is never its owner's, whatever its token says.
        self._writes_own = call.terms.writes_own_text and not is_assistant
        self._reads = READ in call.terms.scopes
        self._author = ChangeAuthor(by=str(call.token_id))

    # --- Proposing -----------------------------------------------------------------------------------------

    def parse_facts(self, facts: Sequence[FactToStore]) -> list[FactText]:
        """Return the parsed sentences; raise ApiError 422 with the position of the first invalid one."""
        return [
            self._parse(fact.content, fact.category, field=f"facts[{number}].content")
            for number, fact in enumerate(facts)
        ]

    def build_origins(self, facts: Sequence[FactToStore], texts: Sequence[FactText]) -> list[FactOrigin]:
        """Return the origin and time of each fact; call it outside transactions, as finding dates is slow."""
        return [self._build_origin(fact, text) for fact, text in zip(facts, texts, strict=True)]

    def propose(self, texts: Sequence[FactText], origins: Sequence[FactOrigin]) -> list[UUID | None]:
        """Propose facts; return their ids, with None for each fact that is known already.

        Call it in a transaction. Raise ApiError 409 if too many proposals are waiting.
        """
        self.check_room(len(texts))
        return [self._propose(text, where, None) for text, where in zip(texts, origins, strict=True)]

    def propose_in_parts(
        self, texts: Sequence[FactText], origins: Sequence[FactOrigin], *, content: bytes
    ) -> list[UUID | None]:
        """Propose facts in several transactions, so that other writers wait only for one of them.

        Return the same as `propose`. A repeated call with the same Idempotency-Key proposes no fact twice. If
        one part cannot be saved, the earlier parts stay saved, and the ApiError says how many facts they
        contain.
        """
        proposed: list[UUID | None] = []
        try:
            for part in split_into_parts(enumerate(zip(texts, origins, strict=True))):
                with write_transaction():
                    saved = [
                        self._propose(text, where, self._call.derive_row_id(content, number))
                        for number, (text, where) in part
                    ]
                proposed += saved
        except (NotWritten, VaultLocked) as error:
            refusal = translate_error(error)
            if not proposed or refusal is None:
                raise
            message = _PARTLY_SAVED.format(saved=len(proposed), all=len(texts))
            raise ApiError(refusal.status, refusal.code, message=message, headers=refusal.headers) from None
        return proposed

    def check_room(self, count: int) -> None:
        """Raise ApiError 409 if `count` more proposals would exceed the limit."""
        waiting = Fact.objects.only_proposed(self._call.owner).order_by().count()
        if waiting + count > MOST_WAITING:
            raise ApiError(409, "too_many_proposals")

    def _propose(self, text: FactText, where: FactOrigin, fact_id: UUID | None) -> UUID | None:
        proposal = services.propose_fact(
            owner_id=self._call.owner, text=text, where=where, author=self._author, fact_id=fact_id
        )
        return proposal.id if proposal else None

    def describe(self, texts: Sequence[FactText], proposals: Sequence[UUID | None]) -> list[StoredFact]:
        """Return one StoredFact for each fact that was passed to `propose`.

        Call this method after the transaction of `propose`.
        """
        earlier = EarlierFacts(self._call.owner)
        return [
            self._describe_known(text)
            if proposal is None or not self._reads
            else self._describe_proposal(text, proposal, earlier)
            for text, proposal in zip(texts, proposals, strict=True)
        ]

    def describe_known(self, texts: Iterable[FactText]) -> list[StoredFact]:
        """Return one StoredFact for each item of `texts`. Each item is a fact that was proposed earlier."""
        return [self._describe_known(text) for text in texts]

    def _build_origin(self, fact: FactToStore, text: FactText) -> FactOrigin:
        yield_to_pages()
        details: dict[str, Any] = {"source": self._call.program_name, "confidence": fact.confidence}
        if fact.quote:
            details["quote"] = {"text": fact.quote}
        details["when"] = self._resolve_when(text, fact.quote)
        return FactOrigin(
            origin=Origin.OWN_TOKEN if self._writes_own else Origin.PROGRAM,
            details={name: value for name, value in details.items() if value not in (None, "", {})},
        )

    def _describe_proposal(self, text: FactText, fact_id: UUID, earlier: EarlierFacts) -> StoredFact:
        conflicts = self._list_touched(text, besides=fact_id, earlier=earlier)
        return StoredFact(
            content=text.text,
            action="conflict_detected" if conflicts else "proposed",
            id=fact_id,
            conflicts=conflicts,
        )

    def _resolve_when(self, text: FactText, quote: str | None) -> dict[str, Any]:
        """Return the time that a fact or else its quote names, relative to the moment of the call, or {}."""
        anchor = days.to_local_time(timezone.now(), self._call.person.time_zone)
        dated = (
            describe_when(said, anchor=anchor, language=text.language) for said in (text.text, quote) if said
        )
        return next(filter(None, dated), {})

    def _describe_known(self, text: FactText) -> StoredFact:
        if not self._reads:
            return StoredFact(content=text.text, action="pending")
        same = find_same(self._call.owner, text, _KNOWN)
        is_readable = same is not None and self._may_read(same)
        return StoredFact(content=text.text, action="no_change", id=same.id if same and is_readable else None)

    def _list_touched(
        self, text: FactText, *, besides: UUID, earlier: EarlierFacts | None = None
    ) -> list[TouchedMemory]:
        earlier = earlier or EarlierFacts(self._call.owner)
        return [
            TouchedMemory(
                id=touched.fact.id,
                content=touched.fact.body["text"],
                relation=touched.comparison.verdict,
                strategy=touched.comparison.first_strategy,
            )
            for touched in earlier.find_touched(text, besides=besides)
            if self._may_read(touched.fact)
        ]

    @staticmethod
    def _parse(content: str, category: str, *, field: str) -> FactText:
        try:
            return FactText.create(content, language=find_language(content), kind=category)
        except InvalidFact as refused:
            raise ApiError(422, "invalid_field", field=field, message=refused.sentence) from None

    # --- Reading -------------------------------------------------------------------------------------------

    def search(self, asked: MemorySearch) -> FoundMemories:
        """Return a page of accepted facts that match a search."""
        boosted = {each.strip().casefold() for each in asked.boost_categories.split(",")} - {""}
        is_plain = asked.sort_by == "relevance" and asked.sort_order == "desc" and not boosted
        is_plain &= not (asked.category or asked.boost_recent)
        is_plain &= asked.min_confidence == 0 and asked.max_confidence == 1
        found = find_texts(
            self._call,
            asked.query,
            limit=asked.limit if is_plain else _MOST_RANKED,
            offset=asked.offset if is_plain else 0,
            since=asked.from_date,
            until=asked.to_date,
            kinds=_FACT_KIND,
        )
        places = {text.hit.id: place for place, text in enumerate(found.texts)}
        wanted = FactSelection(
            states=[FactState.ACCEPTED],
            kind=asked.category or "",
            least_confidence=asked.min_confidence,
            most_confidence=asked.max_confidence,
            reads_others=self._call.terms.reads_untrusted,
        )
        rows = wanted.select(self._call.owner, among=places)
        facts = [
            _build_found(fact, place=places[fact.id], asked=asked, boosted=boosted)
            for fact in wanted.iter_selected(rows)
        ]
        facts.sort(key=_get_sort_key(asked), reverse=asked.sort_order == "desc")
        shown = facts if is_plain else facts[asked.offset : asked.offset + asked.limit]
        following = found.next
        if not is_plain:
            end = asked.offset + asked.limit
            following = end if end < len(facts) else None
        self._call.record_read(len(shown))
        total = found.total if is_plain else len(facts)
        return FoundMemories(
            state="ready" if found.is_open else "opening",
            results=shown,
            total=total,
            next_offset=following,
            pagination=Pagination(
                total_count=total, limit=asked.limit, offset=asked.offset, has_more=following is not None
            ),
        )

    def list_page(self, asked: MemoryListQuery) -> MemoryList:
        """Return a page of facts, sorted by time; it starts at the cursor or, without one, at the offset."""
        wanted = FactSelection(
            states=FactState.values if asked.state == "all" else [asked.state],
            kind=asked.category or "",
            since=asked.from_date,
            until=asked.to_date,
            least_confidence=asked.min_confidence,
            most_confidence=asked.max_confidence,
            reads_others=self._call.terms.reads_untrusted,
        )
        rows = wanted.select(self._call.owner)
        total = None if wanted.needs_decryption else rows.count()
        column = "created_at" if asked.sort_by == "created_at" else "changed_at"
        is_latest_first = asked.sort_order == "desc"
        last = decode_cursor(asked.cursor, datetime, UUID)
        if last is not None:
            rows = rows.filter(_is_behind(column, *last, is_latest_first=is_latest_first))
        sign = "-" if is_latest_first else ""
        rows = rows.order_by(f"{sign}{column}", f"{sign}id")
        left_out = asked.offset
        if not wanted.needs_decryption:
            rows, left_out = rows[left_out : left_out + asked.limit + 1], 0
        part: list[OpenFact] = []
        for fact in wanted.iter_selected(rows):
            if left_out:
                left_out -= 1
                continue
            part.append(fact)
            if len(part) > asked.limit:
                break
        shown, has_more = part[: asked.limit], len(part) > asked.limit
        self._call.record_read(len(shown))
        return MemoryList(
            memories=[_build_body(fact) for fact in shown],
            total=total,
            next_cursor=encode_cursor(_get_moment(shown[-1], column).isoformat(), shown[-1].id)
            if has_more
            else None,
            next_offset=asked.offset + asked.limit if has_more and not asked.cursor else None,
            pagination=Pagination(
                total_count=total, limit=asked.limit, offset=asked.offset, has_more=has_more
            ),
        )

    def get(self, memory_id: UUID) -> MemoryDetail:
        """Return a fact; raise ObjectNotFound."""
        fact = self._find(memory_id)
        self._call.record_read(1)
        body = self._load_body(fact.id)
        conflicts = []
        if fact.state == FactState.PROPOSED and body.content is not None:
            conflicts = self._list_touched(get_text(fact.body), besides=fact.id)
        return MemoryDetail(**msgspec.structs.asdict(body), conflicts=conflicts)

    def get_history(self, memory_id: UUID) -> MemoryHistory:
        """Return the changes of a fact; raise ObjectNotFound."""
        fact = self._find(memory_id)
        changes = list_changes(fact)
        self._call.record_read(1)
        return MemoryHistory(
            id=fact.id,
            history=[
                MemoryChange(
                    action=change.kind,
                    number=change.number,
                    at=change.made_at.astimezone(UTC),
                    by=change.body["by"],
                    state=change.body["after"]["state"],
                    content=change.body["after"]["body"]["text"]
                    if self._reads and self._may_read_origin(change.body["after"]["origin"])
                    else None,
                )
                for change in changes
            ],
            is_whole=is_chain_whole(changes),
        )

    def build_writer(
        self, text_format: TextFormat, wanted: FactSelection
    ) -> Callable[[IO[bytes], RealmKeyring], None]:
        """Return the function that writes facts to a file."""
        token_id = self._call.token_id

        def write(file: IO[bytes], keyring: RealmKeyring) -> None:
            report = FactExportReport()
            try:
                write_facts(file, keyring=keyring, text_format=text_format, wanted=wanted, report=report)
            finally:
                token_uses.record(token_id, read_count=report.count)

        return write

    # --- Changing ------------------------------------------------------------------------------------------

    def accept(self, memory_id: UUID, asked: MemoryAcceptance) -> ChangedMemory:
        """Accept a proposal; raise ApiError 409 if it may contradict a fact and no strategy is given.

        Raise ObjectNotFound, and ApiError 403 and 422.
        """
        with write_transaction():
            fact = self._find(memory_id)
            text = self._parse_own(asked.content, str(fact.body.get("kind", "")))
            if fact.state != FactState.PROPOSED:
                return self._describe("no_change", fact.id)
            strategy, earlier_id = self._choose_strategy(fact, asked, text)
            if strategy is None or earlier_id is None:
                accepted = services.accept_fact(
                    owner_id=self._call.owner, fact_id=fact.id, text=text, author=self._author
                )
            else:
                accepted = services.resolve_conflict(
                    owner_id=self._call.owner,
                    fact_id=fact.id,
                    earlier_id=earlier_id,
                    strategy=strategy,
                    text=text,
                    author=self._author,
                )
        return self._describe("accepted", accepted.id)

    def _choose_strategy(
        self, fact: Fact, asked: MemoryAcceptance, text: FactText | None
    ) -> tuple[Strategy | None, UUID | None]:
        if asked.earlier_id is not None:
            # So that whether there is one is not told of a fact that may not be read.
            earlier_id = self._find(asked.earlier_id).id
            if asked.strategy is None:
                raise ApiError(422, "invalid_field", field="strategy", message=_TOUCHES)
            return self._check_merge(asked, text), earlier_id
        touched = find_touched(self._call.owner, text or get_text(fact.body), besides=fact.id)
        if not touched:
            if asked.strategy is not None:
                raise ApiError(422, "invalid_field", field="strategy", message=_TOUCHES_NONE)
            return None, None
        if asked.strategy is not None:
            return self._check_merge(asked, text), touched[0].fact.id
        is_same = touched[0].comparison.verdict is Verdict.SAME
        if is_same and load_choices(self._call.owner).confirms_same:
            return Strategy.SAID_AGAIN, touched[0].fact.id
        raise ApiError(409, "conflict_detected", message=_TOUCHES)

    @staticmethod
    def _check_merge(asked: MemoryAcceptance, text: FactText | None) -> Strategy | None:
        if asked.strategy is Strategy.MERGE and text is None:
            raise ApiError(422, "invalid_field", field="content", message=_NEEDS_SENTENCE)
        return asked.strategy

    def correct(self, memory_id: UUID, asked: MemoryCorrection) -> ChangedMemory:
        """Change the sentence or kind of a fact, or set the day from which it no longer applies.

        Raise ObjectNotFound or ApiError.
        """
        if asked.content is None and asked.category is None and asked.ended is None:
            raise ApiError(422, "invalid_field", message=_NOTHING_TO_CHANGE)
        with write_transaction():
            fact = self._find(memory_id)
            if asked.updated_at is not None and asked.updated_at != fact.changed_at:
                raise ApiError(409, "revision_conflict")
            before = fact.changed_at
            if asked.content is not None or asked.category is not None:
                kind = str(fact.body.get("kind", "")) if asked.category is None else asked.category
                text = self._parse_own(asked.content, kind) or FactText.create(
                    fact.body["text"], language=str(fact.body.get("language", "en")), kind=kind
                )
                fact = services.correct_fact(
                    owner_id=self._call.owner, fact_id=fact.id, text=text, author=self._author
                )
            if asked.ended is not None:
                if fact.state != FactState.ACCEPTED:
                    raise ApiError(422, "invalid_field", field="ended", message=_NOT_ACCEPTED)
                author = ChangeAuthor(by=str(self._call.token_id))
                fact = services.end_fact(
                    owner_id=self._call.owner, fact_id=fact.id, on=asked.ended, author=author
                )
        return self._describe("updated" if fact.changed_at != before else "no_change", fact.id)

    def undo(self, memory_id: UUID) -> ChangedMemory:
        """Undo the last change of a fact; raise ObjectNotFound, or ApiError 409 if nothing can be undone."""
        with write_transaction():
            fact = self._find(memory_id)
            try:
                services.undo_change(owner_id=self._call.owner, fact_id=fact.id, author=self._author)
            except ObjectNotFound:
                raise ApiError(409, "nothing_to_undo") from None
        return self._describe("undone", memory_id)

    def delete(self, memory_id: UUID) -> DeletedMemory:
        """Delete a fact with its quote and history; raise ObjectNotFound."""
        with write_transaction():
            services.forget_fact(owner_id=self._call.owner, fact_id=self._find(memory_id).id)
        return DeletedMemory(id=memory_id)

    def load_preferences(self) -> MemoryPreferences:
        """Return the owner's choices about facts."""
        choices = load_choices(self._call.owner)
        return MemoryPreferences(
            proposes_after_reply=choices.proposes_after_reply, confirms_same=choices.confirms_same
        )

    def save_preferences(self, asked: MemoryPreferences) -> MemoryPreferences:
        """Save the owner's choices about facts, and return them."""
        choices = FactChoices(
            proposes_after_reply=asked.proposes_after_reply, confirms_same=asked.confirms_same
        )
        services.save_choices(owner_id=self._call.owner, choices=choices)
        return self.load_preferences()

    def _parse_own(self, content: str | None, kind: str) -> FactText | None:
        """Return the parsed sentence, or None if none was sent.

        Raise ApiError 403 unless the token passes on what its owner types.
        """
        if content is None:
            return None
        if not self._writes_own:
            raise ApiError(403, "own_text_only")
        return self._parse(content, kind, field="content")

    def _describe(self, action: Action, memory_id: UUID) -> ChangedMemory:
        is_there = Fact.objects.for_owner(self._call.owner).filter(id=memory_id).exists()
        body = self._load_body(memory_id) if self._reads and is_there else None
        return ChangedMemory(action=action, id=memory_id, memory=body)

    # --- Parts ---------------------------------------------------------------------------------------------

    def _find(self, memory_id: UUID) -> Fact:
        fact = Fact.objects.for_owner(self._call.owner).filter(id=memory_id).first()
        if fact is None or not self._may_read(fact):
            raise ObjectNotFound
        return fact

    def _load_body(self, memory_id: UUID) -> MemoryBody:
        rows = with_days(Fact.objects.for_owner(self._call.owner).filter(id=memory_id)).order_by()
        (fact,) = FactSelection(states=FactState.values).iter_selected(rows)
        return _build_body(fact)

    def _may_read(self, fact: Fact) -> bool:
        return self._may_read_origin(fact.origin)

    def _may_read_origin(self, origin: str) -> bool:
        return self._call.terms.reads_untrusted or origin in TRUSTED_FACT_ORIGINS


def _build_body(fact: OpenFact) -> MemoryBody:
    return MemoryBody(**_list_values(fact))


def _build_found(fact: OpenFact, *, place: int, asked: MemorySearch, boosted: set[str]) -> FoundMemory:
    score = 1 / (1 + place / 10)
    age = (timezone.now() - fact.created_at).days
    if asked.boost_recent and age <= _RECENT_DAYS:
        score *= 2 - age / _RECENT_DAYS / 2
    if fact.get_text("kind").casefold() in boosted:
        score *= _CATEGORY_BOOST
    return FoundMemory(**_list_values(fact), relevance_score=round(score, 6))


def _list_values(fact: OpenFact) -> dict[str, Any]:
    body = fact.body or {}
    confidence = get_confidence(state=fact.state, origin=fact.origin)
    quote = body.get("quote")
    said = str(quote.get("text", "")) if isinstance(quote, dict) else None
    return {
        "id": fact.id,
        "kind": "fact",
        "content": body.get("text"),
        "category": fact.get_text("kind"),
        "state": fact.state,
        "confidence": confidence,
        "date": fact.day,
        "when": body.get("when"),
        "ended": body.get("ended"),
        "quote": said,
        "created_at": fact.created_at.astimezone(UTC),
        "updated_at": fact.changed_at.astimezone(UTC),
        "origin": fact.origin,
        "source": fact.get_text("source"),
        "memory_id": fact.id,
        "confidence_score": confidence,
        "original_message": said,
        "timestamp": fact.created_at.astimezone(UTC),
        "is_active": fact.state == FactState.ACCEPTED,
    }


def _get_sort_key(asked: MemorySearch) -> Callable[[FoundMemory], tuple[object, ...]]:
    match asked.sort_by:
        case "created_at":
            return lambda memory: (memory.created_at, memory.id)
        case "updated_at":
            return lambda memory: (memory.updated_at, memory.id)
        case "confidence":
            return lambda memory: (memory.confidence, memory.relevance_score, memory.id)
    return lambda memory: (memory.relevance_score, memory.id)


def _get_moment(fact: OpenFact, column: str) -> datetime:
    return fact.created_at if column == "created_at" else fact.changed_at


def _is_behind(column: str, moment: datetime, id_: UUID, *, is_latest_first: bool) -> Q:
    """Return the condition for the facts that come after a given one in a list."""
    after = "lt" if is_latest_first else "gt"
    return Q(**{f"{column}__{after}": moment}) | (Q(**{column: moment}) & Q(**{f"id__{after}": id_}))
