"""Word-by-word comparison of a proposed fact with the clause of the entry that a model quoted for the fact.

The fact is proposed only if that clause states it.

Equal numbers, names and negations are not enough: "I saw a Tesla" has all of "You have a Tesla", and "like
coffee" is a part of "I don't like coffee". So the whole clause around the quote is read. Each significant
word of the fact must occur in it, and no word between them may change who does what:

    "I took my small dog Biggie out"    states "You have a dog called Biggie"
    "My manager met Sarah"              does not state "Your manager is Sarah"
    "I helped Anna move to Graz"        does not state "You moved to Graz"

The check is strict: facts with wordings that it cannot follow are not proposed.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from llamora.stop_words import STOP_WORDS
from traces.facts.languages import Language
from traces.facts.languages.en import ENGLISH
from traces.facts.quote_check import Span
from traces.facts.statements import LANGUAGES, OWNER, Statement, read_statement, split_words

# Relations whose phrases say the same of somebody: "I love tea", "I am fond of tea".
_ALIKE_RELATIONS: Final = frozenset(
    {"home", "employer", "occupation", "school", "name", "age", "birthday", "likes", "plans", "origin"}
)
_NAMES_OF_LANGUAGES: Final = {"en": "English", "de": "German"}
_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'”’»)]*(?=\s)|\n")
# A full stop after one of these, or after a single letter, is no end: "Mr.", "W.".
# So is one after a name without a vowel: "Wm.", "Ch.".
_ABBREVIATION: Final = re.compile(
    r"(?<!\w)(?:[A-ZÄÖÜ]|[A-Z][b-df-hj-np-tv-xz]{1,4}|Prof|No|Thos|Chas|Edwd|bzw|ca|etc)$"
)
# "10. März"
_MONTH: Final = re.compile(r" (?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)")
_WORD: Final = re.compile(r"\w+(?:['’]\w+)?")
_WORD_OR_COMMA: Final = re.compile(r"\w+(?:['’ʼ‘`]\w+)?|,")
_CLAUSE_SIGN: Final = re.compile(r"[;:()–—]|,? (?:but|aber|sondern|yet|while|während) ")
_QUOTATION_MARK: Final = re.compile('["“”„«»]')
_JOINT: Final = re.compile(r",(?: (?:and|und|or|oder))? | (?:and|und) ")
_MOST_ADJECTIVES: Final = 3
_MOST_LISTED: Final = 4
_LEAST_STEM: Final = 3
_MOST_WORDS: Final = 25
# Each word of a fact is looked for at every place of a clause, while an answer is saved and others wait.
_LONGEST_SENTENCE: Final = 1_000


class _Words(NamedTuple):
    """The words of a language by their role in a quote that supports a fact."""

    table: Language
    # Words of a fact that need not stand in its quote, and words of a quote that change nothing.
    free: frozenset[str]
    verbs: frozenset[str]
    # For the stem of each word of a relation those that may stand for it.
    alike: dict[str, frozenset[str]]


# --- The clause --------------------------------------------------------------------------------------------


def has_short_sentence(text: str, span: Span) -> bool:
    """Return whether the sentence that contains a quote has at most 1,000 characters.

    `span` is the span of the quote. Longer sentences are not compared with a fact word by word.
    """
    start, end = _find_sentence(text, span)
    return end - start <= _LONGEST_SENTENCE


def find_clause(text: str, span: Span, *, language: str) -> Span:
    """Return the span of the clauses of a text that contain a quote.

    A clause that expresses doubt is not separated from its neighbours: "if I get the job, we move".
    """
    words = _load_words(language)
    start, end = _find_sentence(text, span)
    pieces = list(_iter_clauses(text, start, end, words))
    said = [split_words(text[a:b], words.table) for a, b in pieces]
    touched = [number for number, (a, b) in enumerate(pieces) if a < span[1] and b > span[0]]
    if not touched:
        return span
    first, last = touched[0], touched[-1]
    while first and not _has_subject_first(text, pieces[first], words):
        # "Anna hated it but loved olives": the one before says who.
        first -= 1
    if first and not words.table.doubts.isdisjoint(said[first - 1]):
        first -= 1
    if last + 1 < len(pieces) and not words.table.conditions.isdisjoint(said[last + 1][:2]):
        last += 1
    a, b = pieces[first][0], pieces[last][1]
    if text[end - 1 : end] == "?":
        b = end
    while a < b and not text[a].isalnum():
        a += 1
    while b > a and text[b - 1].isspace():
        b -= 1
    return (min(a, span[0]), max(b, span[1]))


def _find_sentence(text: str, span: Span) -> Span:
    start, end = 0, len(text)
    for match in _SENTENCE_END.finditer(text):
        before = text[max(0, match.start() - 5) : match.start()]
        is_ordinal = before[-1:].isdecimal() and _MONTH.match(text, match.end())
        if match.group() == "." and (is_ordinal or _ABBREVIATION.search(before)):
            continue
        if match.end() <= span[0]:
            start = match.end()
        elif match.start() >= span[1] - 1:
            end = match.end()
            break
    return start, end


def _iter_clauses(text: str, start: int, end: int, words: _Words) -> Iterator[Span]:
    """Yield the clauses of a sentence; a comma or "and" ends one if a subject follows."""
    at = start
    cuts = [match.span() for match in _CLAUSE_SIGN.finditer(text, start, end)]
    for match in _JOINT.finditer(text, start, end):
        following = _WORD.match(text, match.end(), end)
        if following and _may_begin_clause(text, following, words):
            cuts.append(match.span())
    for left, right in sorted(cuts):
        if left > at:
            yield at, left
            at = right
    if at < end:
        yield at, end


def _has_subject_first(text: str, piece: Span, words: _Words) -> bool:
    first = _WORD.search(text, *piece)
    return first is not None and _may_begin_clause(text, first, words)


def _may_begin_clause(text: str, first: re.Match[str], words: _Words) -> bool:
    subject = first.group().replace("’", "'").casefold().split("'")[0]
    table = words.table
    if subject in table.subjects | table.others | table.doubts | table.negations:
        return True
    # "... and Anna lives in Graz": a name with a verb behind it, and not one of a list.
    following = _WORD.search(text, first.end())
    return (
        first.group()[0].isupper()
        and following is not None
        and text[first.end() : following.start()] == " "
        and following.group().casefold() in words.verbs
    )


def has_form_of_fact(sentence: str, *, language: str) -> bool:
    """Return whether a text is a single short sentence that begins with its subject.

    Small models copy a line of the entry: "Up early, and to the weir".
    """
    words = _load_words(language)
    table = words.table
    said = split_words(sentence, table)
    if not said or len(said) > _MOST_WORDS or _find_sentence(sentence, (0, 1))[1] < len(sentence):
        return False
    if not _has_predicate(sentence, words):
        return False
    first = said[0]
    if first in table.owner or first in table.owner_possessives:
        return len(said) > 1
    if first.isdecimal() or first in table.others or (first in words.free and first not in table.determiners):
        return False
    return first not in words.verbs and not first.endswith(table.verb_endings)


def _has_predicate(sentence: str, words: _Words) -> bool:
    """Return whether a sentence seems to have a verb: "Dr. Tom and Snow" and "Anna's and there" have none."""
    table = words.table
    said = list(_iter_words(sentence, table))
    if any(one.text == "'s" and other.text in table.conjunctions for one, other in pairwise(said)):
        return False
    if said[0].text in table.owner:
        return True
    known = words.verbs | table.having
    endings = (table.third_person, *table.verb_endings)
    return any(word.text in known or (not word.is_name and word.text.endswith(endings)) for word in said[1:])


def is_speech(text: str, span: Span, *, language: str) -> bool:
    """Return whether a part of a text is quoted speech: in quotation marks, or after "he said:"."""
    paragraph = text[text.rfind("\n", 0, span[0]) + 1 : span[0]]
    if len(_QUOTATION_MARK.findall(paragraph)) % 2:
        return True
    table = LANGUAGES.get(language, ENGLISH)
    before, _, _ = text[_find_sentence(text, span)[0] : span[0]].rpartition(":")
    return not table.sayings.isdisjoint(split_words(before, table))


# --- The words ---------------------------------------------------------------------------------------------


def is_said(fact: str, *, clause: str, language: str) -> bool:
    """Return whether a clause states a fact word for word, except for linking words.

    Pass both without dates (`quote_check.leave_out_dates`).
    """
    words = _load_words(language)
    stated, read = (read_statement(text, language=language) for text in (fact, clause))
    if stated.has_ended != read.has_ended:
        return False
    if stated.relation and stated.relation == read.relation and not _is_of_same(stated, read, words):
        return False
    return _Saying(stated, fact, clause, words).is_close()


def _is_of_same(fact: Statement, clause: Statement, words: _Words) -> bool:
    """Return whether two statements with the same relation have the same subject and the same polarity."""
    if fact.is_negative != clause.is_negative and fact.negated == clause.negated:
        return False  # "hates" and "likes"
    subject = [word for word in clause.subject if not word.endswith(words.table.adverb_ending)]
    if not subject:
        return True
    if fact.subject[-1:] == (OWNER,):
        return subject[-1] == OWNER
    if subject[-1] in words.table.others:
        return list(fact.subject[:1]) == subject[:1]
    return not set(fact.subject).isdisjoint(subject)


class _Word(NamedTuple):
    """A word of a clause; `is_name` if it is capitalised."""

    text: str
    is_name: bool


class _Saying:
    """A fact and a clause, and the positions of the fact's significant words in the clause."""

    def __init__(self, stated: Statement, fact: str, clause: str, words: _Words) -> None:
        self._words, self._table, self._stated = words, words.table, stated
        self._clause = list(_iter_words(clause, words.table))
        self._fact = split_words(fact, words.table)
        self._owner = words.table.owner | words.table.owner_possessives
        # "You work as a nurse" is said by "I am a nurse".
        self._unsaid = words.verbs if stated.relation == "occupation" else frozenset()
        self._telling = [
            word for word in self._fact if word not in words.free and word != "," and word not in self._unsaid
        ]
        self._has_owner = any(word in self._owner for word in self._fact)
        self._owns = not words.table.having.isdisjoint(self._fact)
        # Nothing but "is", "has" and the like holds its words together.
        self._is_joined = not any(word in words.verbs for word in self._telling)
        self._acts = self._has_verb_of_owner()

    def _has_verb_of_owner(self) -> bool:
        """Return whether the fact says what its owner does ("You moved"), not what they have or are."""
        table = self._table
        passed = table.owner | table.fillers | table.negations | table.now_words
        verb = next((word for word in self._fact if word not in passed), "")
        return (
            self._fact[:1] != [] and self._fact[0] in table.owner and verb not in table.having | table.copulas
        )

    def is_close(self) -> bool:
        """Return whether the clause contains all significant words of the fact near to each other.

        No word between them may change the meaning.
        """
        places = [self._find(word) for word in self._telling]
        if not places or not all(places):
            return False
        return any(self._is_whole(self._choose(first, places)) for first in places[0])

    def _find(self, word: str) -> list[int]:
        return [at for at, other in enumerate(self._clause) if self._is_alike(word, other.text)]

    def _is_alike(self, word: str, other: str) -> bool:
        stem, other_stem = (_stem(each, self._table) for each in (word, other))
        return word == other or stem == other_stem or other_stem in self._words.alike.get(stem, ())

    def _is_of_another(self, places: list[int]) -> bool:
        """Return whether the verb has the ending of the third person: its subject is not the owner."""
        if not self._acts or self._is_joined:
            return False
        ending, verb = self._table.third_person, self._telling[0]
        said = self._clause[places[0]].text
        return said.endswith(ending) and said != verb and said.removesuffix(ending) == verb

    def _choose(self, first: int, places: list[list[int]]) -> list[int]:
        """Return a position for each significant word, as near as possible to the previous one."""
        chosen = [first]
        for each in places[1:]:
            chosen.append(min(each, key=lambda at: (abs(at - chosen[-1]), at)))
        return chosen

    def _is_whole(self, chosen: list[int]) -> bool:
        places = sorted(set(chosen))
        if self._is_of_another(chosen):
            return False
        if self._has_owner:
            owner = self._find_owner(places)
            if owner is None:
                # "Turned 28 today": nothing else may be its subject.
                start = self._find_end_of_introduction()
                return self._is_passable(range(start, places[0])) and self._are_joined(places)
            places = sorted({*places, owner})
        return self._are_joined(places)

    def _find_end_of_introduction(self) -> int:
        """Return the position after an introduction like "Jason Thompson here"; 0 if there is none."""
        for at, word in enumerate(self._clause[:_MOST_LISTED]):
            if word.text in self._table.introductions:
                return at + 1 + self._count_items(at + 1)
        return 0

    def _count_items(self, start: int) -> int:
        """Return the number of words from `start` to the last comma before the first significant word."""
        first = min(at for word in self._telling for at in self._find(word))
        commas = [at for at in range(start, first) if self._clause[at].text == ","]
        return commas[-1] + 1 - start if commas else 0

    def _find_owner(self, places: list[int]) -> int | None:
        """Return the position of the word for the owner ("I", "my") that belongs to these positions.

        None if the clause has no such word; -1 if it has one, but none that fits.
        """
        able = self._table.subjects if self._acts else self._owner
        found = [at for at, word in enumerate(self._clause) if word.text in self._owner]
        if not found:
            return None
        fitting = [at for at in found if self._clause[at].text in able]
        before = [at for at in fitting if at < places[0]]
        within = [at for at in fitting if places[0] < at <= places[-1] + 1]
        return within[0] if within else before[-1] if before else -1

    def _are_joined(self, places: list[int]) -> bool:
        if places[0] < 0:
            return False
        if self._stated.relation == "name" and not self._names_somebody(places):
            return False
        if self._stated.relation == "age" and not self._ends_with_number(places):
            return False
        return all(self._is_gap_free(a, b) for a, b in pairwise(places))

    def _names_somebody(self, places: list[int]) -> bool:
        """Return whether a clause states a name: if it mentions its owner, it must say "am" or "name"."""
        said = {word.text for word in self._clause[places[0] : places[-1] + 1]}
        return said.isdisjoint(self._owner) or not said.isdisjoint(self._table.copulas | {"name", "heisse"})

    def _ends_with_number(self, places: list[int]) -> bool:
        """Return whether the last number stands alone, as an age; in "28 books" it counts something."""
        following = self._clause[places[-1] + 1 : places[-1] + 2]
        return all(word.text == "," or word.text in self._words.free for word in following)

    def _is_gap_free(self, left: int, right: int) -> bool:
        gap = range(left + 1, right)
        if self._is_passable(gap, before=left, joins_only=self._is_joined):
            return True
        return self._is_list(gap, left)

    def _is_passable(self, gap: Sequence[int], *, before: int = -1, joins_only: bool = False) -> bool:
        """Return whether words change nothing, or are adjectives of the significant word after them."""
        for at in gap:
            word = self._clause[at]
            if self._is_free(word, at, joins_only=joins_only):
                continue
            if not self._is_adjective(at, gap, before):
                return False
        return True

    def _is_free(self, word: _Word, at: int, *, joins_only: bool) -> bool:
        table = self._table
        if word.text in self._fact or word.text == ",":
            return True
        if word.text == "'s":
            return at > 0 and any(self._is_alike(each, self._clause[at - 1].text) for each in self._telling)
        if word.text in table.others or word.text in self._owner or word.text.isdecimal():
            return False
        if joins_only and (word.text in table.conjunctions or word.text in table.relating):
            return False
        if word.text in table.having and self._is_joined and not self._owns:
            # "I have a teacher" does not say "You are a teacher".
            return at + 1 < len(self._clause) and self._clause[at + 1].text in table.auxiliaries
        if word.text in self._unsaid or (self._owns and word.text in table.gains):
            return True
        return word.text in self._words.free or (not word.is_name and word.text.endswith(table.adverb_ending))

    def _is_adjective(self, at: int, gap: Sequence[int], before: int) -> bool:
        """Return whether a word stands between an article and the significant word after the gap."""
        start = at
        while start > max(gap[0], 0) and self._clause[start - 1].text not in self._table.determiners:
            start -= 1
        article = start - 1
        run = range(start, gap[-1] + 1)
        if article < 0 or self._clause[article].text not in self._table.determiners or article < before:
            return False
        return len(run) <= _MOST_ADJECTIVES and not any(
            self._clause[each].is_name
            or self._clause[each].text in (",", "'s")
            or self._clause[each].text in self._words.verbs
            for each in run
        )

    def _is_list(self, gap: Sequence[int], left: int) -> bool:
        """Return whether a gap contains only other items of a list, as in "a cat and a dog"."""
        items: list[list[int]] = [[]]
        for at in gap:
            if self._clause[at].text == "," or self._clause[at].text in self._table.conjunctions:
                items.append([])
            else:
                items[-1].append(at)
        *others, last = items
        if not others:
            return False
        if self._acts and self._clause[left].text in self._table.subjects:
            # "I live in Graz and work at Google".
            return all(map(self._is_predicate, others)) and self._is_passable(last, before=left)
        if self._is_joined and not self._owns:
            return self._is_apposition(gap, others) and self._is_passable(last, before=left)
        begins = [each[0] for each in others if each and self._clause[each[0]].text in self._table.having]
        others = [each[1:] if each and each[0] in begins else each for each in others]
        return all(map(self._is_item, others)) and self._is_passable(last, before=left)

    def _is_apposition(self, gap: Sequence[int], items: list[list[int]]) -> bool:
        """Return whether a gap describes the same person, as in "I'm Jason, a nurse"."""
        said = [self._clause[at].text for at in gap]
        table = self._table
        return (
            said[0] in table.copulas
            and table.conjunctions.isdisjoint(said)
            and table.relating.isdisjoint(said)
            and self._is_item(items[0][1:])
            and all(map(self._is_item, items[1:]))
        )

    def _is_predicate(self, item: list[int]) -> bool:
        """Return whether words may say another thing that the owner does: they contain no other subject."""
        words = [self._clause[at].text for at in item]
        return len(words) <= 2 * _MOST_LISTED and self._table.others.isdisjoint(words)

    def _is_item(self, item: list[int]) -> bool:
        words = [self._clause[at] for at in item]
        if len(words) > _MOST_LISTED or any(
            word.text == "'s" or word.text in self._table.others or word.text in self._words.verbs
            for word in words
        ):
            return False
        if not self._owns or not words:
            return True
        return words[0].text in self._table.determiners or words[0].text.isdecimal()


def _iter_words(text: str, table: Language) -> Iterator[_Word]:
    for match in _WORD_OR_COMMA.finditer(text):
        for part in split_words(match.group(), table):
            yield _Word(part, match.group()[0].isupper() and part not in table.owner)


def _stem(word: str, table: Language) -> str:
    """Return a word without its ending: plays and playing are forms of one word."""
    for suffix in table.suffixes:
        if word.endswith(suffix) and len(word) - len(suffix) >= _LEAST_STEM:
            word = word.removesuffix(suffix)
            break
    return word[:-1] if len(word) > _LEAST_STEM and word[-1] == word[-2] else word


@lru_cache(maxsize=len(LANGUAGES))
def _load_words(code: str) -> _Words:
    table = LANGUAGES.get(code, ENGLISH)
    free: frozenset[str] = frozenset().union(
        table.owner, table.owner_possessives, table.negations, table.now_words, table.fillers,
        table.auxiliaries, table.copulas, table.conjunctions, table.prepositions, table.having, table.joining,
        table.relating, (word for ending in table.endings for word in re.split(r"[ /?|]+", ending) if word),
    ) | STOP_WORDS[_NAMES_OF_LANGUAGES[table.code]]  # fmt: skip
    alike: dict[str, set[str]] = {}
    verbs: set[str] = set()
    groups: dict[tuple[str, bool], set[str]] = {}
    for relation in table.relations:
        forms = {form for phrase in relation.phrases for form in re.split(r"[ /?|]+", phrase) if form}
        verbs |= {
            form for phrase in relation.phrases for form in re.split(r"[/|]", phrase.split()[0].rstrip("?"))
        }
        if relation.name in _ALIKE_RELATIONS and not relation.is_change:
            groups.setdefault((relation.name, relation.is_negative), set()).update(forms - free)
    for attribute in table.attributes:
        if attribute.relation in _ALIKE_RELATIONS and not attribute.is_sensitive:
            forms = {word for noun in attribute.nouns for word in noun.split()}
            groups.setdefault((attribute.relation, False), set()).update(forms - free)
    for group in groups.values():
        stems = {_stem(word, table) for word in group}
        for stem in stems:
            alike.setdefault(stem, set()).update(stems)
    free = frozenset(word.casefold() for word in free)
    frozen = {stem: frozenset(others) for stem, others in alike.items()}
    return _Words(table, free, frozenset(verbs) | table.copulas | table.auxiliaries, frozen)
