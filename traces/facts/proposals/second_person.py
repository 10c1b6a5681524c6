"""Sentences about a diary's owner, changed to the second person: "I have a dog" becomes "You have a dog".

Models are asked for "you", but small ones write "I" or "the user". English and German only; a sentence
with an unknown verb stays as it is.
"""

import re
from collections.abc import Callable
from typing import Final

_FIRST_PERSON: Final = re.compile(r"(?:I|We)(?='|’| |$)")
_WRITER: Final = re.compile(
    r"(?:The |the )?(?:[Uu]ser|[Ww]riter|[Aa]uthor|[Dd]iarist)(?P<own>['’]s)?(?= |$|[.,])"
)
_CONTRACTIONS: Final = {
    "I'm": "I am",
    "I've": "I have",
    "I'll": "I will",
    "I'd": "I would",
    "We're": "We are",
}
_CONTRACTION: Final = re.compile(rf"^(?:{'|'.join(_CONTRACTIONS)})\b")
_PRONOUNS: Final = {
    "my": "your",
    "our": "your",
    "mine": "yours",
    "me": "you",
    "us": "you",
    "myself": "yourself",
    "I": "you",
    "we": "you",
}
_VERBS_OF_I: Final = {"am": "are", "was": "were"}
_VERBS_OF_USER: Final = {
    "is": "are",
    "was": "were",
    "has": "have",
    "does": "do",
    "isn't": "aren't",
    "wasn't": "weren't",
    "hasn't": "haven't",
    "doesn't": "don't",
}
_ADVERBS: Final = frozenset(
    ["also", "always", "never", "often", "still", "now", "no", "longer", "just", "not", "sometimes", "once"]
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_GERMAN_WRITER: Final = re.compile(r"(?:Der|Die) (?:Nutzer|Nutzerin|Schreiber|Schreiberin)(?= )")
_GERMAN_PRONOUNS: Final = {"mich": "dich", "mir": "dir", "ich": "du", "uns": "dich"}
_GERMAN_OWN: Final = re.compile(r"\b([Mm])ein(e[mnrs]?)?\b")
_GERMAN_VERBS: Final = {
    "bin": "bist",
    "ist": "bist",
    "habe": "hast",
    "hat": "hast",
    "war": "warst",
    "werde": "wirst",
    "wird": "wirst",
    "kann": "kannst",
    "muss": "musst",
    "will": "willst",
    "mag": "magst",
    "weiß": "weißt",
    "darf": "darfst",
    "soll": "sollst",
}


def address_owner(sentence: str, *, language: str) -> str:
    """Return a sentence in the second person if it is about the owner in the first or third person."""
    return _address_in_german(sentence) if language == "de" else _address_in_english(sentence)


def _address_in_english(sentence: str) -> str:
    text = _CONTRACTION.sub(lambda match: _CONTRACTIONS[match[0]], sentence.replace("’", "'"))
    if _FIRST_PERSON.match(text):
        text = _FIRST_PERSON.sub("You", text, count=1)
        text = _change_verb(text, 1, lambda verb: _VERBS_OF_I.get(verb, verb))
    elif (match := _WRITER.match(text)) is not None:
        text = ("Your" if match["own"] else "You") + text[match.end() :]
        if not match["own"]:
            text = _change_verb(text, 1, _get_verb_of_you)
    text = _WRITER.sub(lambda match: "your" if match["own"] else "you", text)
    return _replace_words(text, _PRONOUNS)


def _get_verb_of_you(verb: str) -> str:
    if verb in _VERBS_OF_USER:
        return _VERBS_OF_USER[verb]
    if verb.endswith("ies") and len(verb) > len("lies"):
        return verb[:-3] + "y"
    if verb.endswith(("sses", "shes", "ches", "xes", "zes", "oes")):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def _change_verb(text: str, place: int, change: Callable[[str], str]) -> str:
    """Change the first word that is not an adverb, from word number `place` on."""
    for match in list(_WORD.finditer(text))[place:]:
        word = match.group()
        if word not in _ADVERBS and not word.endswith("ly"):
            return text[: match.start()] + change(word) + text[match.end() :]
    return text


def _replace_words(text: str, words: dict[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        word = match.group()
        if word in words:
            return words[word]
        # "My" at the beginning; "US" is a country, and "Me" in a title is left alone.
        is_first = match.start() == 0 and word[1:].islower()
        return words[word.lower()].capitalize() if is_first and word.lower() in words else word

    return _WORD.sub(replace, text)


def _address_in_german(sentence: str) -> str:
    match = re.match(r"Ich(?= )", sentence) or _GERMAN_WRITER.match(sentence)
    text = sentence
    if match is not None:
        words = sentence[match.end() :].split(" ", 2)
        verb = _get_german_verb(words[1]) if len(words) > 1 else ""
        if not verb:
            return sentence
        text = " ".join(["Du", verb, *words[2:]])
    text = _GERMAN_OWN.sub(lambda own: ("D" if own[1] == "M" else "d") + "ein" + (own[2] or ""), text)
    return _replace_words(text, _GERMAN_PRONOUNS)


def _get_german_verb(verb: str) -> str:
    """Return the form of a verb for "du", given that for "ich" or "er"; "" if it is irregular and unknown."""
    if verb in _GERMAN_VERBS:
        return _GERMAN_VERBS[verb]
    if verb.endswith("te"):
        return verb + "st"
    stem = verb[:-1] if verb.endswith(("e", "t")) else ""
    if not stem or not stem.isalpha():
        return ""
    if stem.endswith(("s", "ß", "z", "x")):
        return stem + "t"
    return stem + ("est" if stem.endswith(("t", "d")) else "st")
