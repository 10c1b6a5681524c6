"""Facts of a person by id, subject or sentence, and the settings of facts."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from diary.errors import get_first_or_404
from llamora.crypto import keyed_digest, secret_bytes
from llamora.database import CachedQuery
from llamora.threads import let_others_run
from traces.facts.comparison import Comparison, Strategy, Verdict, compare
from traces.facts.fact_body import FactText
from traces.facts.indexes import compute_same_index, compute_subject_index
from traces.facts.models import DeclinedFact, Fact, FactChange, FactSettings, FactState
from traces.facts.statements import Statement, read_statement

# So that no number of facts about one thing makes an acceptance slow.
MAX_CANDIDATES: Final = 50
_DIGEST_LABEL: Final = b"traces.declined_fact"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True)
class TouchedFact:
    """An accepted fact that a new one may repeat, replace or contradict, and the comparison of the two."""

    fact: Fact
    comparison: Comparison


@dataclass(frozen=True, kw_only=True)
class FactChoices:
    """A person's settings of facts, such as whether the model proposes facts after a reply."""

    proposes_after_reply: bool = False
    confirms_same: bool = False
    digest_key: bytes = field(default=b"", repr=False)
    # Which entries were read for facts: see `traces.facts.proposals.diary_walk`.
    read_entries: bytes = field(default=b"", repr=False)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "FactChoices":
        """Return a person's settings of facts from JSON."""
        return cls(
            proposes_after_reply=body.get("proposes_after_reply") is True,
            confirms_same=body.get("confirms_same") is True,
            digest_key=base64.b64decode(str(body.get("digest_key", ""))),
            read_entries=base64.b64decode(str(body.get("read_entries", ""))),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a person's settings of facts as JSON."""
        return {
            "proposes_after_reply": self.proposes_after_reply,
            "confirms_same": self.confirms_same,
            "digest_key": base64.b64encode(self.digest_key).decode(),
            "read_entries": base64.b64encode(self.read_entries).decode(),
        }


def get_fact(owner_id: UUID, fact_id: UUID) -> Fact:
    """Return a person's fact in any state; raise ObjectNotFound."""
    return get_first_or_404(Fact.objects.for_owner(owner_id).filter(id=fact_id))


def list_changes(fact: Fact) -> list[FactChange]:
    """Return the changes of a fact, the oldest first."""
    return list(FactChange.objects.filter(owner_id=fact.owner_id, fact=fact).order_by("number"))


class EarlierFacts:
    """The accepted facts of a person that new ones may repeat, replace or contradict; each is decrypted once.

    A list has many sentences, and each may affect up to MAX_CANDIDATES facts; so other threads, which serve
    pages, may run between two sentences.
    """

    def __init__(self, owner_id: UUID) -> None:
        self._owner_id = owner_id
        self._by_index: dict[bytes, list[tuple[Fact, Statement]]] = {}

    def find_touched(self, text: FactText, *, besides: UUID | None = None) -> list[TouchedFact]:
        """Return the accepted facts that a sentence may affect: those with the same subject and relation.

        Facts with the surest verdict come first. At most MAX_CANDIDATES are compared. `besides` is the id of
        the sentence's own fact, if it is saved: that fact is left out, and a model's advice for it is used.
        """
        let_others_run()
        candidates = self._load(compute_subject_index(text))
        advice = _load_advice(self._owner_id, besides) if besides is not None and candidates else {}
        found = [
            TouchedFact(
                fact=fact, comparison=replace(compare(said, text.statement), advised=advice.get(fact.id))
            )
            for fact, said in candidates
            if fact.id != besides
        ]
        order = list(Verdict)
        touched = [
            each for each in found if each.comparison.verdict is not Verdict.BESIDE or each.comparison.asks
        ]
        return sorted(touched, key=lambda each: order.index(each.comparison.verdict))

    def _load(self, index: bytes) -> list[tuple[Fact, Statement]]:
        if index not in self._by_index:
            rows = Fact.objects.only_accepted(self._owner_id).filter(subject_index=index)[:MAX_CANDIDATES]
            opened = ((fact, fact.open_or("body", None)) for fact in rows)
            self._by_index[index] = [(fact, _read(body)) for fact, body in opened if body is not None]
        return self._by_index[index]


def find_touched(owner_id: UUID, text: FactText, *, besides: UUID | None = None) -> list[TouchedFact]:
    """Return the accepted facts that a sentence may affect, like `EarlierFacts.find_touched`."""
    return EarlierFacts(owner_id).find_touched(text, besides=besides)


def _load_advice(owner_id: UUID, fact_id: UUID) -> dict[UUID, Strategy]:
    fact = Fact.objects.for_owner(owner_id).filter(id=fact_id).first()
    body: dict[str, Any] = fact.open_or("body", {}) if fact is not None else {}
    return {UUID(earlier): Strategy(value) for earlier, value in body.get("advice", {}).items()}


def find_same(owner_id: UUID, text: FactText, states: Sequence[FactState]) -> Fact | None:
    """Return an undamaged fact of the same meaning, in one of these states, or None."""
    rows = Fact.objects.for_owner(owner_id).filter(same_index=compute_same_index(text), state__in=states)
    return next((row for row in rows[:MAX_CANDIDATES] if row.open_or("body", None) is not None), None)


def is_declined(owner_id: UUID, text: FactText) -> bool:
    """Return whether a sentence was declined or forgotten."""
    choices = load_choices(owner_id)
    if not choices.digest_key:
        return False
    digest = compute_declined_digest(choices, text)
    return DeclinedFact.objects.filter(owner_id=owner_id, digest=digest).exists()


def load_choices(owner_id: UUID) -> FactChoices:
    """Return a person's settings of facts. If they are missing or damaged, return the defaults.

    The defaults have no digest key.
    """
    row = next(iter(_settings_query(owner_id=owner_id)), None)
    body = row.open_or("body", None) if row is not None else None
    return FactChoices.from_json(body) if body is not None else FactChoices()


_settings_query: CachedQuery[FactSettings] = CachedQuery(
    lambda owner_id: FactSettings.objects.filter(owner_id=owner_id)
)


def with_digest_key(choices: FactChoices) -> FactChoices:
    """Return a person's settings of facts with a digest key. If `choices` has none, create a new key."""
    return choices if choices.digest_key else replace(choices, digest_key=secret_bytes(_KEY_BYTES))


def compute_declined_digest(choices: FactChoices, text: FactText) -> bytes:
    """Return the BLAKE2 digest by which a declined sentence is recognised in any order of its words.

    A rotation of the data key does not change it.
    """
    telling = text.rephrasing_key.encode("utf-8", "surrogatepass")
    return keyed_digest(choices.digest_key, [_DIGEST_LABEL, telling])


def _read(body: Mapping[str, Any]) -> Statement:
    return read_statement(str(body.get("text", "")), language=str(body.get("language", "en")))
