"""What makes a password good enough, judged by zxcvbn on the server."""

import threading
import unicodedata
from dataclasses import dataclass

from accounts.names import name_key

MIN_LENGTH = 10
MAX_LENGTH = 256
MIN_SCORE = 2
# zxcvbn's time grows fast with length; its documentation advises to bound it. A longer password is
# judged by its beginning.
_JUDGED = 72
_SHORTEST_WORD = 2
# zxcvbn puts the name into a dictionary that all threads share.
_one_at_a_time = threading.Lock()
_SENTENCES = (
    "Far too easy to guess.",
    "Easy to guess. Make it longer: four unrelated words are a good password.",
    "It will do. Another word or two would make it better.",
    "A good password.",
    "A very good password.",
)


class BadPassword(ValueError):  # noqa: N818 - its text is a sentence for the form
    """Raised with a sentence for whoever chose the password."""


@dataclass(frozen=True)
class Strength:
    """A judgement between 0 and 4, with a sentence."""

    score: int
    sentence: str


def strength(password: str, *, name: str) -> Strength:
    """Return how hard a password is to guess for somebody who knows the person's name."""
    score, _ = _judge(password, name=name)
    if len(_composed(password)) < MIN_LENGTH:
        return Strength(min(score, MIN_SCORE - 1), f"At least {MIN_LENGTH} characters, please.")
    return Strength(score, _SENTENCES[score])


def check_password(password: str, *, name: str) -> None:
    """Raise BadPassword with the reason unless the password is good enough."""
    length = len(_composed(password))
    if length < MIN_LENGTH:
        raise BadPassword(f"A password has at least {MIN_LENGTH} characters.")
    if length > MAX_LENGTH:
        raise BadPassword(f"A password has {MAX_LENGTH} characters at most.")
    score, is_known = _judge(password, name=name)
    if is_known:
        raise BadPassword("This is a well-known password. Choose one of your own.")
    if score < MIN_SCORE:
        raise BadPassword(
            "This is too easy to guess. Make it longer: four unrelated words are a good password."
        )


def _composed(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _judge(password: str, *, name: str) -> tuple[int, bool]:
    """Return zxcvbn's score, and whether the whole password stands in one of its lists."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - a tenth of a second and 20 MiB, needed by few

    judged = _composed(password)[:_JUDGED]
    if not judged:
        return 0, False
    known = [word for word in (name, name_key(name), *name_key(name).split(), "llamora", "diary") if word]
    with _one_at_a_time:
        result = zxcvbn(judged, user_inputs=known)
    if _is_mostly_name(judged, name=name):
        return 0, False
    matches = result["sequence"]
    is_known = len(matches) == 1 and matches[0]["pattern"] == "dictionary"
    return int(result["score"]), is_known


def _is_mostly_name(password: str, *, name: str) -> bool:
    """Return whether little is left without the name; zxcvbn thinks well of names strung together."""
    bare = name_key(password)
    rest = bare
    for word in sorted({name_key(name), *name_key(name).split()}, key=len, reverse=True):
        rest = rest.replace(word, "") if len(word) > _SHORTEST_WORD else rest
    return rest != bare and len(rest.replace(" ", "")) < MIN_LENGTH // 2
