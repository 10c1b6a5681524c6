"""The numbers of sources in an answer, as in "in May [2, 5]": nonexistent ones are removed. Pure.

A model also invents numbers, and a claim with a nonexistent source looks proven. Small models make claims
that no source supports, mostly without a number; such an answer is refused as a whole. The prompt asks for
[0] if nothing answers the question: that is the same in every language.
"""

import re
from typing import Final

from llamora.inference.job import Cut, OutputCheck

NO_SOURCE: Final = "no_source"
NOTHING: Final = "nothing"
# What an answer ends with that is no text of a model to show.
WITHOUT_TEXT: Final = frozenset({NO_SOURCE, NOTHING})

_NUMBERS: Final = re.compile(
    r"(?P<gap>[ \t]{0,3})\[(?P<said>[ \t]?[0-9]{1,3}(?:[ \t]?[,;–-][ \t]?[0-9]{1,3}){0,11}[ \t]?)\]"
)
# What may become such numbers with the next piece, longer than any of them.
_OPEN: Final = re.compile(r"[ \t]{0,3}(?:\[[0-9 \t,;–-]{0,80})?\Z")
_DIGITS: Final = re.compile(r"[0-9]+")
# What a model puts around a sentence.
_AROUND: Final = " \t\n\"'“”„»«*_.!"


def drop_unknown_numbers(text: str, *, count: int) -> str:
    """Return an answer with only the source numbers from 1 to `count`."""
    return _NUMBERS.sub(lambda found: _select_known(found, count), text)


def _select_known(found: re.Match[str], count: int) -> str:
    numbers = [int(number) for number in _DIGITS.findall(found["said"])]
    known = [number for number in numbers if 1 <= number <= count]
    if len(known) == len(numbers):
        return found[0]
    return f"{found['gap']}[{', '.join(map(str, known))}]" if known else ""


class SourceNumberFilter:
    """Filter that removes numbers of unknown sources from an answer while it is generated.

    It holds back the beginning of a number until the rest has arrived.
    """

    def __init__(self, *, count: int) -> None:
        self._count = count
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece of the answer, and return the text that can be shown now."""
        held = self._held + text
        found = _OPEN.search(held)
        end = found.start() if found else len(held)
        self._held = held[end:]
        return drop_unknown_numbers(held[:end], count=self._count)

    def finish(self) -> str:
        """Return the text that `feed` held back. Call this when the answer has ended."""
        held, self._held = self._held, ""
        return drop_unknown_numbers(held, count=self._count)


class SourceCheck:
    """Output check that requires an answer to cite an existing source, or to say `nothing`.

    The rules of `check` apply too. `needs_source` is False if the model also read texts that have no number.
    """

    def __init__(self, check: OutputCheck, *, count: int, nothing: str, needs_source: bool = True) -> None:
        self._check = check
        self._count = count
        self._needs_source = needs_source
        self._nothing = nothing.strip(_AROUND).casefold()
        self._text = ""

    def restart(self) -> None:
        """Forget the text so far."""
        self._text = ""
        self._check.restart()

    def feed(self, text: str) -> Cut | None:
        """Check the next piece of a text. Return a Cut if the text must be cut off, otherwise None."""
        self._text += text
        cut = self._check.feed(text)
        return self._judge_end(cut) if cut is not None else None

    def finish(self) -> Cut | None:
        """Check the complete text. Return a Cut if the text must be cut off, otherwise None."""
        cut = self._check.finish()
        if cut is not None:
            return self._judge_end(cut)
        return self._judge(self._text)

    def _judge_end(self, cut: Cut) -> Cut:
        return cut if cut.reason else self._judge(self._text[: cut.length]) or cut

    def _judge(self, text: str) -> Cut | None:
        """Return None for a text that names a source or claims nothing, else the cut that discards it."""
        said = [int(number) for found in _NUMBERS.finditer(text) for number in _DIGITS.findall(found["said"])]
        if any(1 <= number <= self._count for number in said):
            return None
        if 0 in said:
            # Whatever stands beside it, in whatever language: no source says it.
            return Cut(0, NOTHING)
        is_allowed = not self._needs_source or text.strip(_AROUND).casefold() in ("", self._nothing)
        return None if is_allowed else Cut(0, NO_SOURCE)
