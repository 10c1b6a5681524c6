"""What the rows of a diary are called where a person is told what they have."""

from accounts.holdings import Words, name
from diary.made import Opening, OwnKind, Recap
from diary.models import Draft, Entry, Reply, Version


def connect() -> None:
    """Say it; called once from `AppConfig.ready`."""
    name(Entry, Words(one="entry", many="entries"))
    name(Version, Words(one="earlier version of an entry", many="earlier versions of entries"))
    name(Draft, Words(one="draft", many="drafts"))
    name(Reply, Words(one="reply of the model", many="replies of the model"))
    name(Opening, Words(one="opening of a day", many="openings of days"))
    name(Recap, Words(one="recap of a day", many="recaps of days"))
    name(OwnKind, Words(one="way of answering", many="ways of answering"))
