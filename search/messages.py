"""All sentences of search that people read, except those of templates and the help texts of commands."""

from collections.abc import Collection
from typing import Final

from search.embedder import get_search_settings

_WORDS_WORK: Final = "You can still search for words and phrases."
_EMBEDDING: Final = {
    "opening": "Still preparing related-entry search. You can already search for words and phrases.",
    "absent": f"Related-entry search is off: its model is not installed. {_WORDS_WORK}",
    "broken": f"Related-entry search is off: its model could not be loaded ({{model}}). {_WORDS_WORK}",
}
EMBEDDING_PROGRESS: Final = (
    "Related-entry search covers {done:,} of {total:,} texts so far. You can already search for words and "
    "phrases."
)

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
_NOT_RECALLED: Final = {
    "absent": (
        "No related entries are found: the model of related-entry search is not installed. The README says "
        "how to install it, under Search."
    ),
    "broken": (
        "No related entries are found: the model of related-entry search ({model}) could not be loaded."
    ),
}

# Commands.
TOO_FEW_ENTRIES: Final = "Use at least 200 entries; with fewer the figures mean little."
DOWNLOADING: Final = "Downloading {model} to {folder}."
NOT_DOWNLOADED: Final = f"The model could not be downloaded. {_WORDS_WORK}"
INDEXED_WORDS: Final = "{texts:,} texts are indexed by their words."
INDEXED_MEANING: Final = "Related-entry search has indexed {chunks:,} passages of them."


def get_embedding_message(reason: str) -> str:
    """Return why related-entry search is off; an unknown reason counts as a model that cannot be loaded."""
    return _EMBEDDING.get(reason, _EMBEDDING["broken"]).format(model=get_search_settings().model)


def get_not_recalled_message(reason: str) -> str:
    """Return why no related entries are read for replies, or nothing."""
    return _NOT_RECALLED.get(reason, "").format(model=get_search_settings().model)


def describe_reasons(reasons: Collection[str]) -> str:
    """Return why a result was found, as it is shown beside it."""
    return ", ".join(_REASONS.get(reason, reason) for reason in reasons)
