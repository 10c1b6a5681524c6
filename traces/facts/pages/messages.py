"""Sentences of the pages of facts, except those of templates."""

from typing import Final

from traces.facts.comparison import Strategy
from traces.facts.models import FactState

OF_OWNER: Final = "You"
OTHER_SUBJECT: Final = "Other things"
OTHER_KIND: Final = "Other"
UNREADABLE_FACT: Final = "Could not be opened"
# After a search for facts in an entry, where nothing can be suggested.
NO_NEW_FACTS: Final = (
    "No new facts were found in this entry. They are looked for in English and German alone."
)
SEARCH_INTERRUPTED: Final = "The search for facts was interrupted. Start it again."
NO_MODEL_FOR_SEARCH: Final = "Facts are looked for by a model on this machine, and none is ready now."
ONLY_OWN_ENTRIES: Final = "Facts are looked for only in entries that you wrote yourself."
KIND_LABELS: Final = {
    "people": "People",
    "places": "Places",
    "belongings": "Belongings",
    "dates": "Dates",
    "habits": "Habits",
    "preferences": "Preferences",
}
STATE_LABELS: Final = {
    FactState.ACCEPTED: "Facts",
    FactState.PROPOSED: "Suggested",
    FactState.ENDED: "No longer so",
    FactState.ARCHIVED: "Archived",
}

# What a person can do about two facts: the words of the button, and what it does.
STRATEGY_LABELS: Final = {
    Strategy.SAID_AGAIN: ("Said again", "The earlier fact stays, and notes that you said it again."),
    Strategy.REPLACE: ("This changed", "The earlier fact is no longer so. This one takes its place."),
    Strategy.MERGE: ("Merge into one", "This sentence says both. Correct it first if it doesn’t yet."),
    Strategy.LINK: ("Link the two", "Both are so, and each leads to the other."),
    Strategy.CREATE_NEW: ("Add as another", "This is about something else. The earlier fact stays."),
    Strategy.BOTH: ("Keep both", "Both are so."),
    Strategy.ARCHIVE_OLD: ("Archive the earlier", "The earlier fact is not read any more."),
}

# What was done to a fact, by the kind of its change.
_CHANGES: Final = {
    "propose": "Suggested",
    "add": "Added",
    "accept": "Accepted",
    "correct": "Corrected",
    "end": "Marked as no longer so",
    "undo": "Undone",
    "not_read": "Not read for replies any more",
    "read_again": "Read for replies again",
    "claim": "Said to be yours",
    Strategy.SAID_AGAIN.value: "Said again",
    Strategy.REPLACE.value: "Took the place of an earlier fact",
    Strategy.MERGE.value: "Merged with an earlier fact",
    Strategy.LINK.value: "Accepted and linked with an earlier fact",
    Strategy.CREATE_NEW.value: "Accepted beside an earlier fact",
    Strategy.BOTH.value: "Accepted beside an earlier fact",
    Strategy.ARCHIVE_OLD.value: "Accepted; the earlier fact was archived",
}
# The same of the earlier one of two facts.
_CHANGES_OF_EARLIER: Final = {
    Strategy.SAID_AGAIN.value: "Said again",
    Strategy.REPLACE.value: "Replaced by a newer fact",
    Strategy.MERGE.value: "Merged into another fact",
    Strategy.LINK.value: "Linked with another fact",
    Strategy.CREATE_NEW.value: "Another fact was added beside it",
    Strategy.BOTH.value: "Another fact was added beside it",
    Strategy.ARCHIVE_OLD.value: "Archived",
}
# After a change.
ACCEPTED: Final = "Accepted. It is one of your facts now."
DECLINED: Final = "Declined. It won’t be suggested again."
ADDED: Final = "Added."
SAID_AGAIN: Final = "You have this fact already. It notes that you said it again."
CORRECTED: Final = "Corrected. What it said before is in its history."
ENDED: Final = "Saved. This is no longer so."
REPLACED: Final = "Saved. The earlier fact is no longer so."
UNDONE: Final = "Undone."
NOT_READ: Final = "Saved. No reply and no answer reads this fact any more."
READ_AGAIN: Final = "Saved. Replies and answers may read this fact again."
CLAIMED: Final = "Saved. This fact counts as yours now."
CLAIMS_CHANGED: Final = (
    "These facts changed while you were reading. Nothing was saved. Look through them again, and then say so."
)
FORGOTTEN: Final = "Forgotten. The sentence, its quote and its history are deleted."

SUGGESTED_BY: Final = "suggested by"
SUGGESTED_BY_MODEL: Final = "suggested by the model"
CHOICES_SAVED: Final = "Saved."

# Before one.
NO_FILE: Final = "Choose a file first."
UNTIL_BEFORE_SINCE: Final = "This is before the first day. Choose a later one, or leave it empty."
EARLIER_FACTS: Final = "An earlier fact may be about the same. Choose what to do about the two."
EARLIER_CHANGED: Final = "The earlier fact was changed meanwhile. Nothing was saved: look at it, then choose."
NOT_UNDONE_TITLE: Final = "Not undone"
NOT_UNDONE: Final = (
    "This can't be undone: nothing is left to undo, or the other fact was changed since. "
    "Open the other fact and undo that change first."
)
NO_SUCH_DAY: Final = "This is not a day. Choose one from the calendar, or leave the field empty."
SAME_SENTENCE: Final = "That is the same sentence. Write what is so now, or leave the field empty."


def get_change_label(kind: str, *, is_earlier: bool) -> str:
    """Return the label of a change in the history of a fact. `kind` is the kind of the change.

    If the change decided a conflict of two facts, set `is_earlier` for the history of the earlier fact.
    """
    labels = _CHANGES | _CHANGES_OF_EARLIER if is_earlier else _CHANGES
    return labels.get(kind, "Changed")


def get_claimed_message(count: int) -> str:
    """Return the sentence that says how many facts were marked as the person's own."""
    return "One fact is yours now." if count == 1 else f"{count:,} facts are yours now."


def get_unclaimed_message(count: int) -> str:
    """Return the sentence that says how many facts are no longer marked as the person's own."""
    return (
        "One fact does not count as yours any more."
        if count == 1
        else f"{count:,} facts do not count as yours any more."
    )
