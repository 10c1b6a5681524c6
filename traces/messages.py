"""The sentences of traces that people read, except those of templates."""

from typing import Final

from traces.names import MAX_NAME_LENGTH

UNREADABLE_NAME: Final = "unreadable trace"

# Refusals, by the codes of `traces.names` and `traces.editing.errors`.
_REFUSALS: Final = {
    "name": "That name can't be used. Choose another.",
    "empty": "Type a name: a word, a few words, or an emoji.",
    "too_long": f"That name is too long. Use at most {MAX_NAME_LENGTH} characters.",
    "not_a_name": "That name contains a character that can't be saved. Type it again.",
    "name_taken": "Another trace already has that name. Merge the two, or choose another name.",
    "same_trace": "Choose a different trace to merge this one into.",
}
NOT_SAVED_TITLE: Final = "Not saved"
NOT_UNDONE_TITLE: Final = "Not undone"
UNDO_NAME_TAKEN: Final = "That name is now used by another trace. Rename that one first, then undo again."

# The orders of the list of traces.
SORT_COUNT: Final = "Most used"
SORT_RECENT: Final = "Last used"
SORT_FIRST: Final = "First used"
SORT_NAME: Final = "Name"

# Summaries.
SUMMARIZE: Final = "Summarize these entries"
SUMMARIZE_AGAIN: Final = "Summarize again"
SUMMARIZING: Final = "Reading these entries."
SUMMARY_STALE: Final = "The entries have changed since this was written."
SUMMARY_OF_LATEST: Final = "Based on the latest {read} of {of} entries."

# What of an imported entry is left out.
IMPORT_NOT_A_LIST: Final = "its traces are not a list"
IMPORT_BAD_NAME: Final = "trace {number} can't be imported: {code}"
IMPORT_NOT_TEXT: Final = "trace {number} is not text"
IMPORT_DAMAGED_TRACE: Final = "one of its traces is damaged in this diary"
IMPORT_BAD_PROPOSAL: Final = "its suggested traces can't be imported"


def get_refusal_message(code: str) -> str:
    """Return the sentence for the code of a refusal."""
    return _REFUSALS.get(code, _REFUSALS["name"])


# What of an imported fact is left out.
FACT_LABEL: Final = "Fact {number}"
FACT_INCOMPLETE: Final = "{label} has no sentence that can be imported"
FACT_FORGOTTEN: Final = "{label} was forgotten or declined in this diary, and is not imported"
FACT_HISTORY_INCOMPLETE: Final = "{label} is imported without its history, which is not complete"
