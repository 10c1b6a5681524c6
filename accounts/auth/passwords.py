"""Password strength: the rules for a new password, and its rating by zxcvbn."""

import threading
import unicodedata
from dataclasses import dataclass
from math import isqrt

from accounts.usernames import fold_username

MIN_LENGTH = 10
MAX_LENGTH = 256
MIN_SCORE = 2
# zxcvbn's time grows fast with length; its documentation advises to bound it. A longer password is
# rated by its beginning.
_RATED_LENGTH = 72
# It also looks for words in every reading of signs that may stand for letters ("1" for "i" or "l"), of which
# some passwords have seven hundred; so many readings of the longest text take a few tenths of a second.
_MOST_READINGS = 8
_SHORTEST_WORD = 2
# zxcvbn puts the name into a dictionary that all threads share.
_zxcvbn_lock = threading.Lock()
_SENTENCES = (
    "Very easy to guess.",
    "Easy to guess. Make it longer: four unrelated words are a good password.",
    "Acceptable. One or two more words would make it stronger.",
    "A good password.",
    "A very good password.",
)


class UnacceptablePassword(ValueError):  # noqa: N818 - its text is a sentence for the form
    """Raised when a new password is too weak; its text is a sentence for the person."""


@dataclass(frozen=True)
class PasswordStrength:
    """The strength of a password: a score from 0 to 4, and a sentence about it."""

    score: int
    sentence: str


def get_password_strength(password: str, *, name: str) -> PasswordStrength:
    """Return how strong a password is against an attacker who knows the person's name."""
    score, _ = _rate_with_zxcvbn(password, name=name)
    if len(_normalize(password)) < MIN_LENGTH:
        return PasswordStrength(min(score, MIN_SCORE - 1), f"Use at least {MIN_LENGTH} characters.")
    return PasswordStrength(score, _SENTENCES[score])


def check_password(password: str, *, name: str) -> None:
    """Raise UnacceptablePassword with the reason if the password is too weak."""
    length = len(_normalize(password))
    if length < MIN_LENGTH:
        raise UnacceptablePassword(f"Use at least {MIN_LENGTH} characters.")
    if length > MAX_LENGTH:
        raise UnacceptablePassword(f"Use at most {MAX_LENGTH} characters.")
    score, is_known = _rate_with_zxcvbn(password, name=name)
    if is_known:
        raise UnacceptablePassword("This password is on lists of common passwords. Choose another.")
    if score < MIN_SCORE:
        raise UnacceptablePassword(
            "This is too easy to guess. Make it longer: four unrelated words are a good password."
        )


def _normalize(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _rate_with_zxcvbn(password: str, *, name: str) -> tuple[int, bool]:
    """Return zxcvbn's score, and whether the whole password is one word of a dictionary."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - a tenth of a second and 20 MiB, needed by few

    rated = _cut_to_rated_length(_normalize(password)[:_RATED_LENGTH])
    if not rated:
        return 0, False
    known = [
        word for word in (name, fold_username(name), *fold_username(name).split(), "llamora", "diary") if word
    ]
    with _zxcvbn_lock:
        result = zxcvbn(rated, user_inputs=known)
    if _is_mostly_name(rated, name=name):
        return 0, False
    matches = result["sequence"]
    is_known = len(matches) == 1 and matches[0]["pattern"] == "dictionary"
    return int(result["score"]), is_known


def _cut_to_rated_length(password: str) -> str:
    """Return the beginning of a password that zxcvbn rates quickly; its time is quadratic in the length."""
    from zxcvbn.matching import (  # noqa: PLC0415 - as above
        L33T_TABLE,
        enumerate_l33t_subs,
        relevant_l33t_subtable,
    )

    readings = len(enumerate_l33t_subs(relevant_l33t_subtable(password, L33T_TABLE)))
    length = isqrt(_MOST_READINGS * _RATED_LENGTH**2 // max(1, readings))
    return password[: max(MIN_LENGTH, length)]


def _is_mostly_name(password: str, *, name: str) -> bool:
    """Return whether a password is little more than the name; zxcvbn rates repeated names too high."""
    bare = fold_username(password)
    rest = bare
    for word in sorted({fold_username(name), *fold_username(name).split()}, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) > _SHORTEST_WORD else rest
    return rest != bare and len(rest.replace(" ", "")) < MIN_LENGTH // 2
