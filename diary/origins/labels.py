"""Labels that say where a text is from, shown beside the text and never in it."""

from dataclasses import dataclass, field
from typing import Final

from diary.models import Entry, Origin
from diary.origins.provenance import Provenance

# The words before the name of a source, and the words without a name.
_WORDS: Final = {
    Origin.OWN_TOKEN: ("from", "written with a program"),
    Origin.IMPORTED: ("imported from", "imported"),
    Origin.PROGRAM: ("from", "from a program"),
    Origin.MODEL: ("written by", "written by the model"),
}
_RESTORED: Final = "restored, of unknown origin"


@dataclass(frozen=True, kw_only=True)
class OriginLabel:
    """A label that says where a text is from: fixed words, and separately the name of the source.

    Anyone can choose the name of a source.
    """

    words: str
    source: str = field(default="", repr=False)


def build_label(origin: str, *, source: str) -> OriginLabel | None:
    """Return the label that says where a text is from, or None if its owner wrote it here."""
    if origin not in Origin.values or origin == Origin.OWN:
        return None
    with_name, without = _WORDS[Origin(origin)]
    return OriginLabel(words=with_name if source else without, source=source)


def get_entry_label(entry: Entry) -> OriginLabel | None:
    """Return the label that says where an entry is from, or None if its owner wrote it here.

    Call inside `in_force`, unless the entry was written here.
    """
    if entry.origin == Origin.OWN:
        return None
    provenance = Provenance.load(entry)
    if provenance.is_restored and entry.origin == Origin.IMPORTED:
        return OriginLabel(words=_RESTORED)
    return build_label(entry.origin, source=provenance.source)
