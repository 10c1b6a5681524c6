"""Functions that normalize text for comparison (case, accents, full-width forms) and split it into words.

`fold` is for literal comparison. `to_index_form` is the input of FTS5's tokenizer: folded, and with each
character of a script without spaces (Chinese, Japanese, Thai, ...), each vowel sign, each pictograph and
each sign of a currency or percentage as a word of its own, so that a phrase finds a run of them anywhere.
Such a character becomes a private-use letter and its number: SQLite's tables know no character younger than
2012, and treat vowel signs as spaces.

Different spellings have the same form: `U.S.A.` and `USA`, `$20` and `20 $`, a word with marks of
emphasis inside it, Arabic and Hebrew with and without vowel marks. A telephone number is indexed by its
digits as well, last digit first, so that it is found with and without the code of its country.
"""

import re
import unicodedata
from functools import lru_cache

from llamora.normalization import normalize

MARK = "\ue000"
_NUMBER_MARK = "\ue001"

# What can be skipped when no other character than these and ASCII is there: nothing of it needs decomposing.
_UNUSUAL = re.compile("[^\x00-\x7f‐-‟£€§°–—]")
# Accents, vowel marks of Hebrew and Arabic and the tatweel, and characters that are not seen: joiners,
# directions, the soft hyphen.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\ufe0e\ufe0f\u200b-\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\u061c\u00ad]"
)
_QUOTES = (("‘", "'"), ("’", "'"), ("‛", "'"), ("“", '"'), ("”", '"'), ("„", '"'), ("‐", "-"), ("‑", "-"))
_DIGITS = {chr(first + digit): str(digit) for first in (0x660, 0x6F0, 0x966) for digit in range(10)}
_TO_ASCII_DIGITS = str.maketrans(_DIGITS)
_OTHER_DIGIT = re.compile(f"[{''.join(_DIGITS)}]")
# Letters that no decomposition takes apart, though people type them without their stroke; letters that
# keyboards for Arabic, Persian and Urdu write differently; digits of these and of Hindi.
_ALIKE = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
    | {"\u0671": "\u0627", "\u0649": "\u064a", "\u06cc": "\u064a", "\u06d2": "\u064a", "\u06a9": "\u0643"}
    | {"\u0629": "\u0647", "\u06c1": "\u0647", "\u06be": "\u0647", "\u06d5": "\u0647"}
    | _DIGITS
)
# Letters of scripts with spaces between words, that stood in Unicode long before SQLite's tables were made.
_SPACED = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u0373\u0376\u0377\u037b-\u037d\u0388-\u03ff"
    "\u0400-\u0481\u048a-\u0523\u0531-\u0556\u0561-\u0587\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u0671-\u06d3"
    "\u0904-\u0939\u10d0-\u10fa\u1100-\u1159\u115f-\u11a2\u11a8-\u11f9\u1e00-\u1eff\u1f00-\u1f15"
)
_SIGNS = "$%€£¥₹₽₩₺฿‰"
_ANY_SIGN = re.compile(f"[{_SIGNS}]")
_SIGN_FIRST = re.compile(f"([{_SIGNS}]) ?([0-9](?:[0-9.,]*[0-9])?)")
_OWN_WORD = re.compile(f"[$%]|[^\x00-\x7f{_SPACED}]")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_WORD = re.compile(f"(?:[^\\W_]|{MARK})+")
# The full stops of an abbreviation, and marks of emphasis inside a word.
_INSIDE_WORDS = re.compile(
    r"(?<![\w.])(?:[^\W\d_]\.)+[^\W\d_](?!\w)|(?<=[^\W\d_])(?:\*{1,3}|~~|==)(?=[^\W\d_])"
)
# Without these nothing of the kind is in a text, and looking for one of them is five times as quick.
_MAYBE_INSIDE_WORDS = re.compile(r"\.[^\W\d_]|[*~=]")
_NOT_LETTERS = re.compile(r"[\W_]+")
# Seven digits at least, in groups as people write the number of a telephone.
_LONG_NUMBER = re.compile(r"(?<![\w.,:/])\+?\(?[0-9](?:[ \u00a0()/.\-]{0,2}[0-9]){6,17}(?![\w:])")
_DAY = re.compile(r"[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}")
_MIN_DIGITS = 7
_MAX_COUNTRY_CODE = 5


def fold(text: str) -> str:
    """Return the text without differences of case, accents, widths and curly quotes."""
    if text.isascii():
        return text.lower()
    if not _UNUSUAL.search(text):
        return _straighten_quotes(text).lower()
    plain = _ACCENTS.sub("", normalize("NFKD", text)).casefold()
    return _straighten_quotes(_ACCENTS.sub("", plain)).translate(_ALIKE)


def _straighten_quotes(text: str) -> str:
    # Six times faster than `translate`, which is what building an index would otherwise spend its time on.
    for curly, straight in _QUOTES:
        text = text.replace(curly, straight)
    return text


@lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    """Return the folded form of a character: usually one character, sometimes none or several."""
    return fold(character)


def fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and the offset in `text` of each of its characters and of its end.

    The full stops of abbreviations and marks of emphasis inside words are left out, as they are in the index.
    """
    left_out = set()
    if _MAYBE_INSIDE_WORDS.search(text):
        left_out = {
            found.start() + gap
            for found in _INSIDE_WORDS.finditer(text)
            for gap, character in enumerate(found[0])
            if not character.isalpha()
        }
    if not left_out and not _UNUSUAL.search(text):
        # Each character folds to one.
        return fold(text), list(range(len(text) + 1))
    folded: list[str] = []
    offsets: list[int] = []
    for offset, character in enumerate(text):
        piece = "" if offset in left_out else fold_character(character)
        folded.append(piece)
        offsets.extend([offset] * len(piece))
    return "".join(folded), [*offsets, len(text)]


def _spell_out(match: re.Match[str]) -> str:
    kind = unicodedata.category(match[0])
    is_word = kind[0] in "LMN" or kind == "So" or match[0] in _SIGNS
    return f" {MARK}{ord(match[0]):x} " if is_word else " "


def _join_letters(match: re.Match[str]) -> str:
    return _NOT_LETTERS.sub("", match[0])


def to_index_form(text: str) -> str:
    """Return the text in the form for FTS5's tokenizer."""
    form = _separate_words(text)
    numbers = [build_number_word(digits) for digits, _ in find_long_numbers(text)]
    return " ".join([form, *numbers]) if numbers else form


def _separate_words(text: str) -> str:
    folded = fold(text)
    if _MAYBE_INSIDE_WORDS.search(folded):
        folded = _INSIDE_WORDS.sub(_join_letters, folded)
    if folded.isascii() and not _ANY_SIGN.search(folded):
        return folded
    folded = _SIGN_FIRST.sub(r" \2 \1 ", folded)
    return " ".join(_WORD.findall(_OWN_WORD.sub(_spell_out, _SKIN_TONES.sub("", folded))))


def split_words(text: str) -> list[str]:
    """Return the words into which FTS5 splits a text.

    The strings by which the word index finds long numbers (`list_number_words`) are not returned.
    """
    return _WORD.findall(_separate_words(text))


def find_long_numbers(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Return the numbers of seven digits and more, without leading zeros, and their spans in the text."""
    found = []
    if _OTHER_DIGIT.search(text):
        text = text.translate(_TO_ASCII_DIGITS)
    for match in _LONG_NUMBER.finditer(text):
        digits = "".join(filter(str.isdigit, match[0])).lstrip("0")
        if len(digits) >= _MIN_DIGITS and not _DAY.fullmatch(match[0]):
            found.append((digits, match.span()))
    return found


def build_number_word(digits: str) -> str:
    """Return the string of digits by which the word index finds a long number.

    It has the digits of the number in reverse order, after a mark.
    """
    return _NUMBER_MARK + digits[::-1]


def list_number_words(digits: str) -> list[str]:
    """Return the strings of digits by which the word index finds a telephone number or other long number.

    The first string is for the whole number. Each further one lacks one more of the leading digits, which may
    be a country code. See `build_number_word` for the form of a string.
    """
    shortest = max(_MIN_DIGITS, len(digits) - _MAX_COUNTRY_CODE)
    return [build_number_word(digits[first:]) for first in range(len(digits) - shortest + 1)]


def is_same_number(one: str, other: str) -> bool:
    """Return whether two long numbers are equal, or differ only by a country code in front."""
    return one.endswith(other) or other.endswith(one)


def is_unbroken(word: str) -> bool:
    """Return whether a word is a single character of a script without spaces, or a pictograph.

    The word must be in the form that `split_words` returns.
    """
    return word.startswith(MARK)


def is_sign(word: str) -> bool:
    """Return whether a word, in the form that `split_words` returns, is a currency or percent sign."""
    return is_unbroken(word) and to_printed_form(word) in _SIGNS


def to_printed_form(word: str) -> str:
    """Return the character that a word from `split_words` encodes in hexadecimal, or else the word itself.

    `split_words` encodes pictographs, currency signs, and each character of a script without spaces.
    """
    return chr(int(word[1:], 16)) if is_unbroken(word) else word
