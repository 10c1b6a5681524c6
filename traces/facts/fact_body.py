"""The sealed body of a fact: its sentence, how it is parsed, and what supports it.

A JSON object; all values but the text are optional:

    text        the sentence, one line
    language    of the sentence, a code such as "en"
    subject     the person or thing that it is about, in folded words
    relation    a name from `traces.facts.languages`
    kind        "people", "places", "belongings", "dates", "habits", "preferences", or another name
    quote       {"text", "start", "end"}: the words of the entry that support it
    when        {"raw", "start", "end", "kind", "precision", "zone", "rule"}: the time it refers to
    source      the name of the program, app or file it is from
    model       the model that proposed it;  prompt   the version of its prompt
    said        moments at which it was repeated
    ended       the day from which it is no longer true
    links       ids of facts that its owner linked with it
    not_recalled  true if replies and answers may not read it
    advice      of a proposal: by the id of an accepted fact, the strategy that a model advises
    confidence  of an import or a program, from 0 to 1
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

from diary.entries.text_validation import has_lone_surrogate
from llamora.source_names import clean_source_name
from traces.facts.languages.en import ENGLISH
from traces.facts.statements import LANGUAGES, OWNER, Statement, read_statement

MAX_TEXT: Final = 500
KINDS: Final = ("people", "places", "belongings", "dates", "habits", "preferences")
NOT_RECALLED: Final = "not_recalled"
_MAX_KIND: Final = 40
# Relations that are said with "is" and "has" alone.
_JOINING_RELATIONS: Final = frozenset({"", "has", "is", "name"})


class InvalidFact(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for a text that is not valid as a fact. `sentence` says why, and does not quote the text."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, kw_only=True)
class FactText:
    """A validated sentence with its language, subject, relation and kind; built by `create`."""

    text: str = field(repr=False)
    language: str = "en"
    subject: tuple[str, ...] = field(default=(), repr=False)
    relation: str = ""
    kind: str = ""

    @classmethod
    def create(cls, text: str, *, language: str = "en", kind: str = "") -> Self:
        """Return a sentence cleaned and parsed for the body of a fact; raise InvalidFact if it is invalid."""
        cleaned = " ".join(unicodedata.normalize("NFC", text).split())
        if not any(map(str.isalnum, cleaned)):
            raise InvalidFact("A fact is a sentence. Write one.")
        if len(cleaned) > MAX_TEXT:
            raise InvalidFact(
                f"A fact has at most {MAX_TEXT} characters. Shorten this one, or make two of it."
            )
        if has_lone_surrogate(cleaned) or any(unicodedata.category(each) == "Cc" for each in cleaned):
            raise InvalidFact("This has characters that can't be saved. Remove them.")
        statement = read_statement(cleaned, language=language)
        return cls(
            text=cleaned,
            language=language,
            subject=statement.subject,
            relation=statement.relation,
            kind=clean_source_name(kind)[:_MAX_KIND],
        )

    @cached_property
    def statement(self) -> Statement:
        """The parsed statement of the sentence."""
        return read_statement(self.text, language=self.language)

    @property
    def subject_key(self) -> str:
        """A normalized form of subject and relation. The blind index `subject_index` is made from it."""
        return "\n".join((*self.subject, "", self.relation))

    @property
    def same_key(self) -> str:
        """A normalized form of the sentence, which is equal for all sentences of the same meaning.

        The blind index `same_index` is made from this text.
        """
        return _build_same_key(self.statement)

    @property
    def rephrasing_key(self) -> str:
        """A normalized form of the sentence, which is equal for all its rephrasings.

        It is made from the sorted significant words.
        """
        return _build_rephrasing_key(self.statement, language=self.language)

    def to_json(self) -> dict[str, Any]:
        """Return the values of this sentence for the body of a fact."""
        row: dict[str, Any] = {
            "text": self.text,
            "language": self.language,
            "subject": list(self.subject),
            "relation": self.relation,
            "kind": self.kind,
        }
        return {key: value for key, value in row.items() if value}


def _build_same_key(statement: Statement) -> str:
    """Return a key that is equal for sentences that differ only in articles and the like."""
    value = ("\t".join(item) for item in statement.value)
    marks = (statement.is_negative, statement.has_ended)
    return "\n".join(
        ("\t".join(statement.subject), statement.relation, *value, *statement.negated, repr(marks))
    )


def _build_rephrasing_key(statement: Statement, *, language: str) -> str:
    """Return a key that is equal for "You have a dog called Biggie" and "Your dog is Biggie"."""
    table = LANGUAGES.get(language, ENGLISH)
    relation = () if statement.relation in _JOINING_RELATIONS else tuple(statement.relation.split())
    words = {word for item in statement.value for word in item} | {*statement.subject, *relation}
    owner = table.owner | table.owner_possessives
    joining = table.joining | table.relating
    telling = {OWNER if word in owner else word for word in words if word not in joining}
    # "No dog and a cat" is another thing than "a dog and no cat"; "dislikes" is the same as "does not like".
    negated = () if relation else statement.negated
    marks = (statement.is_negative, statement.has_ended)
    return "\n".join((*sorted(telling), "", *negated, repr(marks)))


def get_text(body: Mapping[str, Any]) -> FactText:
    """Return the sentence in the body of a fact."""
    return FactText.create(
        str(body.get("text", "")), language=str(body.get("language", "en")), kind=str(body.get("kind", ""))
    )
