"""Texts of the model, as far as a program may read them: one made from untrusted texts is untrusted too."""

from datetime import date

from diary.generation.prompt_record import PromptRecord
from diary.models import TRUSTED_ORIGINS, Entry, Opening, Recap, Reply
from diary.origins.clean_texts import is_clean_text
from llamora.api.call import Call
from search.index.sources import filter_current_recaps


def load_opening(call: Call, day: date) -> str | None:
    """Return the opening of a day, or None if there is none that the program may read."""
    opening = Opening.objects.filter(owner_id=call.owner, day=day, is_dismissed=False).first()
    return read_model_text(call, opening) if opening else None


def load_recap(call: Call, day: date) -> str | None:
    """Return the recap of a day, or None if there is none, or if an entry of the day changed since."""
    recap = filter_current_recaps(Recap.objects.filter(owner_id=call.owner, day=day)).first()
    return read_model_text(call, recap) if recap else None


def read_model_text(call: Call, row: Opening | Recap | Reply) -> str | None:
    """Return the text of a row, or None if it is damaged or made from what the program may not read."""
    if isinstance(row, Recap):
        return _read_recap(call, row)
    text = row.open_or("text", None) or None
    if text is None or call.terms.reads_untrusted:
        return text
    record = PromptRecord.from_json(row.open_or("read", None))
    return text if is_clean_text(call.owner, text, record) else None


def _read_recap(call: Call, recap: Recap) -> str | None:
    """Return its text. It does not say of which entries it was made: a day with untrusted ones has none."""
    body = recap.open_or("body", None)
    if not isinstance(body, dict):
        return None
    if not call.terms.reads_untrusted:
        others = Entry.objects.filter(owner_id=call.owner, day=recap.day).exclude(origin__in=TRUSTED_ORIGINS)
        if body.get("clean") is not True or others.exists():
            return None
    return str(body.get("text", "")) or None
