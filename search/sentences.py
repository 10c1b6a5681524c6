"""What search says of itself, in full sentences; all its words for people that are not in a template."""

from typing import Final

from search.services import Meaning

WHY_NOT: Final = {
    "opening": "Meaning is being made ready; words find everything already.",
    "absent": "There is no model for meaning in this house, so search goes by words alone.",
    "broken": "The model for meaning cannot be loaded, so search goes by words alone. "
    "Whoever runs the household finds more in the server's log.",
}


def sentence_of(meaning: Meaning) -> str:
    """Return how far meaning has come, or nothing once it is whole."""
    if meaning.why_not:
        return WHY_NOT.get(meaning.why_not, WHY_NOT["broken"])
    if meaning.is_whole:
        return ""
    return (
        f"By meaning, {meaning.done:,} of {meaning.total:,} texts can be found so far; "
        "words find everything already."
    )
