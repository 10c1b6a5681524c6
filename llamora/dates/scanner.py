"""The public functions: `resolve` for a single expression, and `scan` for all expressions in a text.

Neither raises an error for any text. Neither reads the clock, zone or locale of the machine: the anchor is an
aware datetime, such as the time of the entry or of the question.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from llamora.dates.certainty import fold_all, is_certain
from llamora.dates.expressions import ClockTime, DateContext, Expression
from llamora.dates.grammar import DAY_FIRST, MONTH_FIRST, UNKNOWN_ORDER
from llamora.dates.lexicon import CORE, LANGUAGES, Lexicon, load_lexicon
from llamora.dates.parsing import MOST_TOKENS, ExpressionParser, Grammar, TokenReader
from llamora.dates.tokens import TokenList, tokenize
from llamora.dates.values import DateMention, Direction, UnresolvableDateError, When

# No expression is longer; a longer text is none.
_LONGEST = 200
# The core of an expression stands at most this many tokens after its beginning.
_MOST_BEFORE = 8
_DIGITS = frozenset("0123456789")
_MONTH_FIRST_REGIONS = frozenset({"", "us", "ph"})
_TRIMMED = ' \t\n\r.,;!?"“”„«»()[]'


def resolve(
    text: str, anchor: datetime, *, language: str | None = None, direction: Direction = Direction.NONE
) -> When | None:
    """Return the value of an expression, or None if it is invalid or ambiguous.

    Without a language, all languages are tried; the result is None if they disagree.
    """
    context = _make_context(anchor, direction)
    stripped = text.strip(_TRIMMED) if len(text) <= _LONGEST else ""
    if not stripped:
        return None
    if stripped[-2:].lower() in (".m", ".s") or text.rstrip().endswith("."):
        # The dot of an abbreviation.
        stripped = text.strip().lstrip(_TRIMMED)
    tokens = tokenize(stripped)
    if len(tokens) > MOST_TOKENS:
        return None
    if language is not None:
        lexicon, grammar = _load_language(language)
        return _resolve_in(stripped, tokens, context, lexicon, grammar)
    found: list[When] = []
    for code in LANGUAGES:
        when = _resolve_in(stripped, tokens, context, load_lexicon(code), UNKNOWN_ORDER)
        if when is not None and when not in found:
            found.append(when)
    return found[0] if len(found) == 1 else None


def scan(
    text: str,
    anchor: datetime,
    *,
    languages: Sequence[str] = tuple(LANGUAGES),
    direction: Direction | None = None,
) -> list[DateMention]:
    """Return the expressions in a text, in order, the longest at each place.

    Without a direction, names such as "Tuesday" follow the tense of their clause.
    """
    _make_context(anchor, Direction.NONE)
    tokens = tokenize(text)
    found = [
        mention
        for code in languages
        for mention in _scan_in(text, tokens, anchor, *_load_language(code), direction)
    ]
    # Where languages disagree the longest wins, then the one named first.
    order = {code.partition("-")[0].lower(): number for number, code in reversed([*enumerate(languages)])}
    found.sort(key=lambda mention: (mention.start - mention.end, order[mention.language]))
    chosen: list[DateMention] = []
    taken = bytearray(len(text))
    for mention in found:
        if not any(taken[mention.start : mention.end]):
            taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
            chosen.append(mention)
    return sorted(chosen, key=lambda mention: mention.start)


def _make_context(anchor: datetime, direction: Direction) -> DateContext:
    if anchor.tzinfo is None:
        message = "An anchor needs a zone: the machine's own is never used."
        raise ValueError(message)
    return DateContext(anchor, direction)


def _load_language(code: str) -> tuple[Lexicon, Grammar]:
    """Return the lexicon of a language and the grammar of its dates: those of `en-gb` begin with the day."""
    language, _, region = code.lower().partition("-")
    lexicon = load_lexicon(language)
    is_day_first = lexicon.table.day_first or region not in _MONTH_FIRST_REGIONS
    return lexicon, DAY_FIRST if is_day_first else MONTH_FIRST


def _resolve_in(
    text: str, tokens: TokenList, context: DateContext, lexicon: Lexicon, grammar: Grammar
) -> When | None:
    reader = TokenReader(text, tokens, lexicon)
    parser = ExpressionParser(grammar, reader)
    ends = parser.parse("whole", 0)
    for length in (len(tokens), len(tokens) - 1):
        # A dot at the end may be that of a sentence.
        if length and length in ends and (length == len(tokens) or tokens[-1].text == "."):
            try:
                return ends[length].resolve(context)  # type: ignore[no-any-return]
            except (UnresolvableDateError, ValueError, OverflowError):
                return None
    return None


def iter_starts(reader: TokenReader) -> Iterator[int]:
    """Yield the tokens at which an expression can begin, in order.

    These are tokens that can be the core of a date, and the known words and numbers before them.
    """
    triggers, vocabulary = reader.lexicon.triggers, reader.lexicon.vocabulary
    words = reader.tokens.words
    last = -1
    for place, word in enumerate(words):
        if word in triggers or (word[:1] in _DIGITS and not CORE.isdisjoint(reader.read(place))):
            first = place
            while first - 1 > last and place - first < _MOST_BEFORE:
                before = words[first - 1]
                if before not in vocabulary and before[:1] not in _DIGITS:
                    break
                first -= 1
            yield from range(first, place + 1)
            last = place


def _scan_in(
    text: str,
    tokens: TokenList,
    anchor: datetime,
    lexicon: Lexicon,
    grammar: Grammar,
    direction: Direction | None,
) -> Iterator[DateMention]:
    reader = TokenReader(text, tokens, lexicon)
    parser = ExpressionParser(grammar, reader)
    reached = 0
    for place in iter_starts(reader):
        if place < reached or not (ends := parser.parse("scanned", place)):
            continue
        last = max(ends)
        expression = ends[last]
        if not is_certain(text, reader, place, last, expression):
            continue
        reached = last
        chosen = direction if direction is not None else _read_tense(tokens, place, last, lexicon)
        try:
            when = _resolve_in_text(expression, DateContext(anchor, chosen))
        except (UnresolvableDateError, ValueError, OverflowError):
            continue
        first = place if when.kind == "duration" else _skip_preposition(tokens, place, last, lexicon)
        # "May 5," may go on with a year, and "2 pm." is the end of a sentence.
        is_punctuated = tokens.words[last - 1] == "," or (tokens.words[last - 1] == "." and last - 1 in ends)
        start, stop = tokens.starts[first], tokens.ends[last - 1 - is_punctuated]
        yield DateMention(
            start=start, end=stop, text=text[start:stop], when=when, language=lexicon.table.code
        )


def _skip_preposition(tokens: TokenList, first: int, last: int, lexicon: Lexicon) -> int:
    """Return the first token that is part of the expression: not the "on" before a date."""
    if last - first < 2:
        return first
    meanings = lexicon.find(tokens, first)
    ends = {end for category in ("on", "at", "since") for end, _ in meanings.get(category, ())}
    return max((end for end in ends if end < last), default=first) if "the" not in meanings else first


def _resolve_in_text(expression: Expression, context: DateContext) -> When:
    """Return the value; a time without a day is on the anchor's day, unless a tense gives a direction."""
    if isinstance(expression, ClockTime) and context.direction is Direction.NONE:
        return expression.resolve_on(context, context.today)
    return expression.resolve(context)


# A clause is read this many words to either side.
_CLAUSE = 12
_SENTENCE_ENDS = frozenset(".!?;:")


def _read_tense(tokens: TokenList, first: int, last: int, lexicon: Lexicon) -> Direction:
    """Return the direction of the clause around an expression, by its verbs."""
    table = lexicon.table
    past, future = fold_all(table.past), fold_all(table.future)
    past_endings, future_endings = table.past_endings, tuple(fold_all(frozenset(table.future_endings)))
    before = range(first - 1, max(-1, first - 1 - _CLAUSE), -1)
    after = range(last, min(len(tokens), last + _CLAUSE))
    votes = 0
    for places in (before, after):
        for place in places:
            word = tokens.words[place]
            if word in _SENTENCE_ENDS and not (place + 1 < len(tokens) and tokens[place + 1].is_joined):
                break
            if word in future or (future_endings and len(word) > 4 and word.endswith(future_endings)):
                votes += 2
            elif word in past or (past_endings and len(word) > 4 and word.endswith(past_endings)):
                votes -= 1
    return Direction.PAST if votes < 0 else Direction.FUTURE if votes > 0 else Direction.NONE
