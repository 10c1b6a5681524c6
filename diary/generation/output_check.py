"""Streaming check of a model's text for its length in words, echoes of its prompt, and invented entries.

    complete   the sentence in which the text reaches its number of words has ended
    echo       eight consecutive words of the prompt that the person did not write, a heading of the prompt, a
               line that begins like one, the code of a delimiter, or JSON like that in the prompt
    forged     a line that is only a date or a time of day, as at the beginning of an entry

Small models repeat their instructions, or continue with an invented entry of the diary. Neither may appear
under an entry as a reply.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from llamora.dates import resolve
from llamora.inference.job import Cut

ECHO_LENGTH: Final = 8  # words
# So many words of a heading are an echo as a line of their own. At the beginning of a longer line, it takes
# one word more, and half of the heading: fewer words may begin any sentence, such as "The day of the".
_HEADING_LENGTH: Final = 4  # words
# The longest date head, with its weekday and marks around it.
_LONGEST_HEAD: Final = 60
_WORD: Final = re.compile(r"\w+")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？]+[\"'”’»)*_\]]*(?=\s|$)")
_TIME_HEAD: Final = re.compile(r"\W{0,3}\[\d{1,2}[:.]\d{2}\]")
_YEAR: Final = re.compile(r"\d{4}")
_JSON_HEAD: Final = re.compile(r"(?:```\w{0,9}\s{0,9})?\{\s{0,9}\"")
# The code of a delimiter, also with other letters or without its end, as small models copy it.
_DELIMITER_CODE: Final = re.compile(r"[0-9a-fA-F]{16,}")
# The anchor matters only to expressions that are no head: those of a head name their year.
_ANY_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)


def get_headings(fixed_texts: Iterable[str]) -> frozenset[str]:
    """Return the headings among the lines of a prompt, such as `the entry to answer:`.

    They are without punctuation and in lower case, as they are compared with the lines of an output.
    """
    lines = (line.strip() for text in fixed_texts for line in text.splitlines())
    return frozenset(_fold(line) for line in lines if line.endswith(":") and len(_WORD.findall(line)) > 1)


class TextCheck:
    """Streaming check of a generated text: its length, text copied from the prompt, and invented entries.

    `fixed_texts` are the words of the prompt, `own_text` is the text that the person wrote. `allows_heads`
    permits lines that are only a date, as in the answer to a question; `allows_json` permits JSON, for a form
    that the person described.
    """

    def __init__(
        self,
        *,
        fixed_texts: Iterable[str] = (),
        own_text: str = "",
        max_words: int | None = None,
        allows_heads: bool = False,
        allows_json: bool = False,
    ) -> None:
        fixed_texts = tuple(fixed_texts)
        own = set(_iter_runs(own_text))
        self._own_text = own_text.casefold()
        self._echoes = {run for text in fixed_texts for run in _iter_runs(text)} - own
        self._headings = get_headings(fixed_texts)
        self._heading_starts = _list_starts(self._headings, own_text=own_text)
        self._heading_parts = _list_parts(self._headings)
        self._max_words, self._allows_heads, self._allows_json = max_words, allows_heads, allows_json
        self.restart()

    def restart(self) -> None:
        """Forget the text so far."""
        self._text = ""
        # Where to go on with words, and with lines.
        self._word_position = self._line_position = 0
        self._word_count = 0
        self._recent: deque[tuple[str, int]] = deque(maxlen=ECHO_LENGTH)
        self._words_of_line: list[str] = []
        self._full_at: int | None = None

    def feed(self, text: str) -> Cut | None:
        """Check the next piece of a text. Return a Cut if the text must be cut off, otherwise None."""
        self._text += text
        if not self._allows_json and _JSON_HEAD.match(self._text.lstrip()):
            return Cut(0, "echo")
        return _find_first(
            self._check_words(is_end=False), self._check_lines(is_end=False), self._check_length()
        )

    def finish(self) -> Cut | None:
        """Check the end of a complete text. Return a Cut if the text must be cut off, otherwise None.

        Only now are the last word and the last line complete.
        """
        return _find_first(self._check_words(is_end=True), self._check_lines(is_end=True))

    def _check_words(self, *, is_end: bool) -> Cut | None:
        for match in _WORD.finditer(self._text, self._word_position):
            if match.end() == len(self._text) and not is_end:
                break  # it may go on
            if "\n" in self._text[self._word_position : match.start()]:
                self._words_of_line = []
            self._word_position = match.end()
            self._word_count += 1
            if self._word_count == self._max_words:
                self._full_at = match.end()
            if self._is_delimiter_code(match.group()) or self._begins_like_heading(match.group()):
                return Cut(self._text.rfind("\n", 0, match.start()) + 1, "echo")
            self._recent.append((match.group().casefold(), match.start()))
            if len(self._recent) == ECHO_LENGTH and tuple(word for word, _ in self._recent) in self._echoes:
                return Cut(self._recent[0][1], "echo")
        return None

    def _is_delimiter_code(self, word: str) -> bool:
        is_code = _DELIMITER_CODE.fullmatch(word) and not word.isdecimal()
        return bool(is_code) and word.casefold() not in self._own_text

    def _begins_like_heading(self, word: str) -> bool:
        """Add a word to its line, and return whether the line is now the beginning of a heading."""
        if len(self._words_of_line) == ECHO_LENGTH or (not self._words_of_line and word.isdecimal()):
            return False  # by then it is an echo or a sentence; a list has numbers
        self._words_of_line.append(word.casefold())
        return " ".join(self._words_of_line) in self._heading_starts

    def _check_lines(self, *, is_end: bool) -> Cut | None:
        while True:
            start, end = self._line_position, self._text.find("\n", self._line_position)
            if end < 0 and not is_end:
                return None
            line = self._text[start : end if end >= 0 else len(self._text)].strip()
            if reason := self._judge_line(line):
                return Cut(start, reason)
            if end < 0:
                return None
            self._line_position = end + 1

    def _judge_line(self, line: str) -> str:
        if not line or len(line) > _LONGEST_HEAD:
            return ""
        folded = _fold(line)
        if folded in self._heading_parts or (line.endswith(":") and folded in self._headings):
            return "echo"
        is_head = not self._allows_heads and (_TIME_HEAD.match(line) or _is_date_head(line))
        return "forged" if is_head else ""

    def _check_length(self) -> Cut | None:
        if self._full_at is None:
            return None
        # A sentence may end with the text so far, or with a number that goes on: "3.5".
        end = _SENTENCE_END.search(self._text, max(0, self._full_at - 1))
        return Cut(end.end(), "") if end and end.end() < len(self._text) else None


def _find_first(*cuts: Cut | None) -> Cut | None:
    """Return the earliest cut, or None; one piece of text may contain several reasons for a cut."""
    return min((cut for cut in cuts if cut is not None), key=lambda cut: cut.length, default=None)


def _list_starts(headings: Iterable[str], *, own_text: str) -> frozenset[str]:
    """Return the beginnings of headings that make a line an echo, except those that the person wrote too."""
    own = f" {_fold(own_text)} "
    starts = set()
    for words in (heading.split() for heading in headings):
        length = min(max(_HEADING_LENGTH + 1, (len(words) + 1) // 2), ECHO_LENGTH)
        if len(words) >= _HEADING_LENGTH:
            starts.add(" ".join(words[:length]))
    return frozenset(start for start in starts if f" {start} " not in own)


def _list_parts(headings: Iterable[str]) -> frozenset[str]:
    """Return the beginnings of headings, and whole headings, that are an echo if they are a whole line."""
    parts = (heading.split() for heading in headings)
    return frozenset(
        " ".join(words[:length]) for words in parts for length in range(_HEADING_LENGTH, len(words) + 1)
    )


def _fold(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _iter_runs(text: str) -> Iterator[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return (tuple(words[start : start + ECHO_LENGTH]) for start in range(len(words) - ECHO_LENGTH + 1))


def _is_date_head(line: str) -> bool:
    """Return whether a line is nothing but a day with its year, with or without its weekday."""
    if not _YEAR.search(line):
        return False
    head = line.strip("#*_[]():. \t")
    # The weekday may be wrong, or right only in another calendar.
    whens = [resolve(text, _ANY_DAY) for text in (head, *head.split(None, 1)[1:])]
    return any(when is not None and when.kind == "day" for when in whens)
