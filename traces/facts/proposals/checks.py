"""Checks of what a model claims to be facts of an entry: each has a quote that says it, or is dropped.

Dropped are claims whose quote does not stand in the text or does not say them, traits, judgements and
feelings, and those about a text in a language without tables, in which a "not" would not be seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from llamora.stop_words import STOP_WORDS
from traces.facts.fact_body import KINDS, FactText, InvalidFact
from traces.facts.languages.en import ENGLISH
from traces.facts.proposals.answers import ClaimedFact
from traces.facts.statements import split_words
from traces.facts.support import Span, find_quote, is_supported, is_trait

_CODES: Final = {"English": "en", "German": "de"}


@dataclass(frozen=True, kw_only=True)
class CheckedFact:
    """A fact that an entry supports: its sentence, the words of the entry that say it, and when it is so."""

    text: FactText
    quote: str = field(repr=False)
    span: Span
    when: dict[str, Any] = field(default_factory=dict, repr=False)


def check_claims(claims: Sequence[ClaimedFact], *, text: str, anchor: datetime) -> list[CheckedFact]:
    """Return the facts that a text supports, each once; `anchor` is the moment at which it was written."""
    language = find_language(text)
    if language is None:
        return []
    found: dict[str, CheckedFact] = {}
    for claim in claims:
        for checked in _check(claim, text=text, anchor=anchor, language=language):
            found.setdefault(checked.text.same_key, checked)
    return list(found.values())


def find_language(text: str) -> str | None:
    """Return the language by whose tables a text is read, or None if it seems to be in another one."""
    words = split_words(text, ENGLISH)
    hits = {name: sum(word in known for word in words) for name, known in STOP_WORDS.items()}
    best = max(hits.values())
    return next((code for name, code in _CODES.items() if hits[name] == best), None)


def _check(claim: ClaimedFact, *, text: str, anchor: datetime, language: str) -> Iterator[CheckedFact]:
    span = find_quote(text, claim.quote)
    if span is None or is_trait(claim.fact, language=language):
        return
    quote = text[span[0] : span[1]]
    try:
        fact = FactText.create(claim.fact, language=language, kind=claim.kind if claim.kind in KINDS else "")
    except InvalidFact:
        return
    if is_supported(fact.text, quote=quote, anchor=anchor, language=language):
        yield CheckedFact(text=fact, quote=quote, span=span)
