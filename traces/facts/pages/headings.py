"""Headings of the list of facts: the subject of a fact, spelled as in its sentence."""

import re
from typing import Final

from llamora.stop_words import STOP_WORDS
from traces.facts.fact_body import FactText
from traces.facts.languages.en import ENGLISH
from traces.facts.pages.messages import OF_OWNER, OTHER_SUBJECT
from traces.facts.statements import LANGUAGES, OWNER

_WORD: Final = re.compile(r"\w+")
_LONGEST: Final = 60
# Words that a sentence begins with where it is of nothing that has a name.
_BEGINNINGS: Final = frozenset(
    """after all alle always an at auf bei before both during each early every everyone few for from
    immer in jede jeden jeder jedes late last manche many mit most morgens nach nachts never next
    nie now of oft often on once one only other our over several since some sometimes today tomorrow
    twice two under until usually vor when whenever while with without yesterday""".split()  # noqa: SIM905 - a list of so many is not read
)
_NO_NAMES: Final = _BEGINNINGS.union(*STOP_WORDS.values())


def build_heading(text: FactText) -> str:
    """Return the subject of a fact, spelled as in its sentence: "You", "Anna", "Your mother"."""
    table = LANGUAGES.get(text.language, ENGLISH)
    found = list(_WORD.finditer(text.text))
    folded = [word.group().casefold() for word in found]
    if text.subject == (OWNER,):
        return OF_OWNER
    if not text.relation and not _is_name(text.subject):
        # What no table reads begins with any word.
        is_owner = not table.owner.isdisjoint(folded) or not table.owner_possessives.isdisjoint(folded)
        return OF_OWNER if is_owner else OTHER_SUBJECT
    length = len(text.subject)
    for start in range(len(folded) - length + 1):
        if tuple(folded[start : start + length]) == text.subject:
            has_owner = start > 0 and folded[start - 1] in table.owner_possessives
            begin = found[start - 1 if has_owner else start].start()
            heading = text.text[begin : found[start + length - 1].end()]
            return (heading[:1].upper() + heading[1:])[:_LONGEST]
    # Read from more than one part of a long sentence.
    return found[0].group()[:_LONGEST] if found and _is_name((folded[0],)) else OTHER_SUBJECT


def _is_name(subject: tuple[str, ...]) -> bool:
    return bool(subject) and subject[0] not in _NO_NAMES
