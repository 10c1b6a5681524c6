"""Checks of the facts that a model claims to have found in an entry: each needs a quote that supports it.

Dropped are claims whose quote does not occur in the text or does not support them; quoted speech; traits,
judgements and feelings; and claims from a text in a language without tables, in which a negation would be
overlooked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from llamora.stop_words import STOP_WORDS
from traces.facts.fact_body import KINDS, FactText, InvalidFact
from traces.facts.languages.en import ENGLISH
from traces.facts.proposals.answers import MAX_QUOTE_LENGTH, ClaimedFact
from traces.facts.proposals.dating import date_fact, describe_when
from traces.facts.proposals.second_person import address_owner
from traces.facts.proposals.wording import (
    find_clause,
    has_form_of_fact,
    has_short_sentence,
    is_said,
    is_speech,
)
from traces.facts.quote_check import Span, find_quote, is_supported, is_trait, leave_out_dates
from traces.facts.statements import split_words

# The kind of a fact is that of its relation, where that is certain; else the model names it.
_KINDS: Final = {
    "home": "places",
    "origin": "places",
    "appointment": "dates",
    "birthday": "dates",
    "deadline": "dates",
    "likes": "preferences",
    "diet": "preferences",
    "partner": "people",
    "sister": "people",
    "brother": "people",
    "mother": "people",
    "father": "people",
    "manager": "people",
    "colleague": "people",
    "friend": "people",
}
_CODES: Final = {"English": "en", "German": "de"}


@dataclass(frozen=True, kw_only=True)
class CheckedFact:
    """A fact that an entry supports: its sentence, its quote, and the time it refers to."""

    text: FactText
    quote: str = field(repr=False)
    span: Span
    when: dict[str, Any] = field(default_factory=dict, repr=False)


def check_claims(claims: Sequence[ClaimedFact], *, text: str, anchor: datetime) -> list[CheckedFact]:
    """Return those of the facts in a model's answer that the text of the entry supports.

    Each fact is returned once. `anchor` is the moment at which the text was written.
    """
    found: dict[str, CheckedFact] = {}
    languages = _list_languages(text)
    for claim in claims:
        # A text without one small word is read in each of them: it has no "not" either.
        readings = (_check(claim, text=text, anchor=anchor, language=language) for language in languages)
        checked = next((each for each in readings if each is not None), None)
        if checked is not None:
            found.setdefault(checked.text.same_key, checked)
    return list(found.values())


def find_language(text: str) -> str | None:
    """Return the code of the language whose word tables suit a text. If no tables suit it, return None."""
    return next(iter(_list_languages(text)), None)


def _list_languages(text: str) -> list[str]:
    words = split_words(text, ENGLISH)
    hits = {name: sum(word in known for word in words) for name, known in STOP_WORDS.items()}
    best = max(hits.values())
    return [code for name, code in _CODES.items() if hits[name] == best]


def _check(claim: ClaimedFact, *, text: str, anchor: datetime, language: str) -> CheckedFact | None:
    span = find_quote(text, claim.quote)
    if span is None or not has_short_sentence(text, span) or is_speech(text, span, language=language):
        return None
    sentence = address_owner(claim.fact.rstrip(" ."), language=language)
    dated = date_fact(sentence, anchor=anchor, language=language)
    around = find_clause(text, span, language=language)
    for each in dict.fromkeys((dated, sentence)):
        says = partial(_says, each, text=text, anchor=anchor, language=language)
        is_proper = has_form_of_fact(each, language=language) and not is_trait(each, language=language)
        if not is_proper or not says(around):
            continue
        # The quote alone, if that says it as well.
        shown = span if says(span) else around
        fact = _create(each, claim, language)
        if fact is not None and shown[1] - shown[0] <= MAX_QUOTE_LENGTH:
            quote = text[shown[0] : shown[1]]
            when = describe_when(quote, anchor=anchor, language=language)
            return CheckedFact(text=fact, quote=quote, span=shown, when=when)
    return None


def _create(sentence: str, claim: ClaimedFact, language: str) -> FactText | None:
    try:
        fact = FactText.create(sentence, language=language)
    except InvalidFact:
        return None
    relation = "likes" if fact.relation.startswith("favourite ") else fact.relation
    return replace(fact, kind=_KINDS.get(relation, claim.kind if claim.kind in KINDS else ""))


def _says(fact: str, span: Span, *, text: str, anchor: datetime, language: str) -> bool:
    """Return whether a part of a text supports a fact and states it."""
    quote = text[span[0] : span[1]]
    if not is_supported(fact, quote=quote, anchor=anchor, language=language):
        return False
    said, clause = (leave_out_dates(each, anchor=anchor, language=language) for each in (fact, quote))
    return is_said(said, clause=clause, language=language)
