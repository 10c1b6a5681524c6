"""The sentences of the diary that people read, except those of templates and help texts of commands."""

from typing import Final

from llamora.inference.messages import NOTHING_WRITTEN, PARTIAL_SAVED
from llamora.pluralize import pluralize

# --- Entries and drafts ----------------------------------------------------------------------------------

NOT_SAVED_TITLE: Final = "Not saved"
NOT_CHANGED_TITLE: Final = "Not changed"
ENTRY_DAMAGED_TITLE: Final = "This entry can't be changed"

INVALID_TEXT: Final = "This text can't be saved as it is."
EMPTY_TEXT: Final = "There is nothing to save yet."
INVALID_CHARACTERS: Final = (
    "This text contains a broken or invisible character that can't be saved. Delete it and save again."
)
EDIT_CONFLICT: Final = "This was changed in another window."
DAY_NOT_BEGUN: Final = "This day has not begun yet. Copy your text and save it on today's page."
DAY_NOT_BEGUN_BY_CLOCK: Final = (
    "The clock of this server was set back, and by it this day has not begun yet. Leave your text in this "
    "page, and ask the administrator to correct the clock. Then save it."
)
DRAFT_ONLY_IN_PAGE: Final = (
    "Your diary is locked, so this draft is only in this page. Unlock your diary to save it."
)
ENTRY_GONE: Final = (
    "This entry was deleted, so nothing was saved. Copy what you typed and save it as a new entry."
)
NO_DAY: Final = "Choose a day for this entry."

PLAIN_TEXT: Final = "Shown as plain text: too much formatting."
DAMAGED_ENTRY: Final = (
    "This entry can't be opened: its data was changed on the disk. A backup from before that may still "
    "contain it. If the entry was edited, you can restore an earlier version from its history."
)
DAMAGED_DRAFT: Final = (
    "This draft can't be opened: its data was changed on the disk. A backup from before that may still "
    "contain it. What you write now replaces it."
)
DAMAGED_SAVED_DRAFT: Final = "The draft saved here before can't be opened, so it was not replaced."
DAMAGED_REPLY: Final = "This reply can't be opened: its data was changed on the disk."


def get_text_too_long_message(*, length: int, limit: int) -> str:
    """Return the message for a text that is too long for an entry."""
    return (
        f"This text has {length:,} characters; an entry can have {limit:,}. Save it as two entries, or "
        f"shorten it by {length - limit:,}."
    )


def get_notes_claimed_message(count: int) -> str:
    """Return the sentence that says how many notes were claimed at once."""
    return "One note is yours now." if count == 1 else f"{count} notes are yours now."


def get_notes_left_out_message(count: int) -> str:
    """Return a sentence on how many notes did not fit into the model's prompt, or "" if all did."""
    if not count:
        return ""
    notes = "One note was" if count == 1 else f"{count} notes were"
    return f"{notes} left out, because it was too much for the model."


def get_draft_too_long_message(*, length: int, limit: int) -> str:
    """Return the message for a text that is too long for a draft."""
    return (
        f"This text has {length:,} characters; a draft can have {limit:,}, and an entry even fewer. It is "
        f"only in this page until you shorten it by {length - limit:,}."
    )


# --- Inbox -----------------------------------------------------------------------------------------------

INBOX_FULL: Final = (
    "Too many texts of this program are waiting in the Inbox. Accept or delete some of them, then send again."
)
INBOX_CHANGED: Final = "The Inbox changed since this page was shown. Read it again, then accept."

# --- Notes -----------------------------------------------------------------------------------------------

NOTE_PATH_EMPTY: Final = "Give the note a name, such as knowledge/garden.md."
NOTE_PATH_INVISIBLE: Final = (
    "The name of a note is one line without invisible characters. Type it again without them."
)
NOTE_PATH_ABSOLUTE: Final = (
    "The name of a note begins with its first folder or its file name, and folders are divided by /: "
    "knowledge/garden.md."
)
NOTE_PATH_DOTS: Final = (
    "A folder or a file of a note needs a name other than . and .., and one / alone between two of them."
)
NOTE_PATH_TAKEN: Final = (
    "There is a note or a folder with this name already. Choose another name, or edit the note that has it."
)
NOTE_IS_NO_TEXT: Final = (
    "This file is not a text, and a note of this name has to be one. Save it as UTF-8, or give it another "
    "name."
)
TOO_MANY_NOTES: Final = "You have as many notes as there can be. Delete some of them, then save again."
NOTE_PROTECTED: Final = (
    "This note is its owner's own, and a program can't change or delete it. Save the text under another name."
)
DAMAGED_NOTE: Final = (
    "This note can't be opened: its data was changed on the disk. A backup from before that may still "
    "contain it. You can restore an earlier version from its history, or delete it."
)


NOTE_LABEL: Final = "Note {number}"
NOTE_INCOMPLETE: Final = "{label} has no name or no text, so it was left out"
NOTES_ADDED: Final = "{count} from {source}."
NOTES_SAME: Final = "{count} with the same text already."
NOTES_REPLACED: Final = "{count} replaced; what they said before is in their history for thirty days."
NOTES_LEFT: Final = (
    "{count} with another text here stayed as they are. Run this again with --replace, and the files take "
    "their place:"
)
NOTES_REFUSED: Final = "{count} not imported:"
NOTES_IMPORTED_HINT: Final = (
    "What was imported is not used before you have read it: open Notes, and choose This is mine or approve "
    "the skill."
)
WORKSPACE_EMPTY: Final = (
    "There is no file in it. Choose the folder that has SOUL.md, knowledge or skills in it."
)
WORKSPACE_NO_ZIP: Final = "Choose the zip of a folder with notes."
WORKSPACE_GONE: Final = (
    "This file is not here any more: it waits for half an hour, while your diary is unlocked. Nothing was "
    "imported. Choose it again."
)
WORKSPACE_TWICE: Final = "This file is there more than once. Leave one of them, then import again."
WORKSPACE_NO_FILE: Final = "This is a link or no file, so it is left out. Put the file itself in its place."
WORKSPACE_ENCRYPTED: Final = "This file has a password. Unpack it, and import the folder."
WORKSPACE_UNREADABLE: Final = "This file in the zip can't be read. Unpack it, and import the folder."
NOT_A_WORKSPACE: Final = "This is no folder. Choose the folder that has SOUL.md, knowledge or skills in it."


def get_workspace_too_big_message() -> str:
    """Return the message for a workspace with too many files, or with too large files."""
    return (
        "This has more files than there can be notes: 2,000, and 64 MB together. Move what is no part of the "
        "workspace out of it, then import again."
    )


def get_note_path_too_long_message(*, length: int, limit: int) -> str:
    """Return the message for a path of a note that is too long."""
    return (
        f"The name of a note has at most {limit} characters with its folders, and this one has {length}. "
        f"Shorten it; an emoji counts for several in a name."
    )


def get_note_too_long_message(*, length: int, limit: int, is_persona: bool) -> str:
    """Return the message for a text that is too long for a note."""
    what = "The persona" if is_persona else "A note"
    return (
        f"{what} can have {limit:,} characters, and this text has {length:,}. Shorten it by "
        f"{length - limit:,}{'' if is_persona else ', or make two notes of it'}."
    )


def get_note_file_too_big_message(*, size: int, limit: int) -> str:
    """Return the message for a file that is too large for a note."""
    return f"A file among the notes can have {limit:,} bytes, and this one has {size:,}."


# On the pages of notes.
SKILL_NAME_HAS_FOLDER: Final = "The name of a skill has no / in it. Choose another."
ANOTHER_NOTE_BEGUN: Final = (
    "You began this note and did not save it. Save it, or discard its draft, then begin another."
)
NOTE_GONE: Final = (
    "This note was deleted in another window while you were editing it. Copy your text into a new note."
)
NOTE_CHANGED: Final = "This note changed since the page was shown. Read it as it is now, then decide again."
NOTE_RESTORED: Final = "The earlier version is back. The text that it replaced is an earlier version now."
NOTE_CLAIMED: Final = "This note is yours now."
NOTE_UNCLAIMED: Final = "This note does not count as yours any more."
NOTES_UNCLAIMED: Final = "These notes do not count as yours any more."
NOTE_DELETED: Final = "The note was deleted."
SKILL_APPROVED: Final = "You approved this skill. When its text changes, it waits for you again."


# --- Imports ---------------------------------------------------------------------------------------------

IMPORT_CHANGED: Final = (
    "This import changed since this page was shown. Nothing was marked as yours. Look through it again, then "
    "confirm."
)

# --- Replies ---------------------------------------------------------------------------------------------

REPLY_NOT_STARTED_TITLE: Final = "No reply was started"
REPLY_REFUSED: Final = "No reply could be started now."
TOO_MANY_REPLIES: Final = (
    "Several replies are already being written. Wait for one of them or stop one, then try again."
)
NO_REPLY_TO_DAMAGED: Final = (
    "This entry can't be opened, so the model can't reply to it. A backup may still contain the entry."
)
NO_REPLY_WITHOUT_MODEL: Final = "No reply was started. {}"
REPLY_STYLE_DELETED: Final = "The style of this reply was deleted. Choose another under the entry."
REPLY_STYLE_IMPORTED: Final = (
    "This reply style came with an import. Read it under “Your own styles”, and choose “This is mine” there."
)
SKILL_NOT_APPROVED: Final = (
    "This skill has changed, or came from elsewhere, and you have not approved it as it is now. Read it "
    "under Notes, and approve it there."
)
REPLY_STYLE_EMPTY: Final = "The name and the instruction of a reply style need visible characters."


def get_style_too_long_message(*, max_name: int, max_instruction: int) -> str:
    """Return the message for a custom reply style whose name or instruction is too long (or missing)."""
    return (
        f"A reply style needs a name of up to {max_name} characters and an instruction of up to "
        f"{max_instruction}."
    )


def get_too_many_styles_message(limit: int) -> str:
    """Return the message for a person who already has `limit` custom reply styles and wants to add one."""
    return f"You already have {limit} reply styles. Delete one, then add this one."


# --- Jobs: replies, openings and summaries while they are written ----------------------------------------

JOB_STOPPED: Final = "Stopped."
JOB_PARTIAL_SAVED: Final = f"{PARTIAL_SAVED}."
JOB_NOTHING_WRITTEN: Final = f"{NOTHING_WRITTEN}."
JOB_LENGTH_REACHED: Final = "This reached the maximum length; the model may have had more to say."
JOB_NOT_SAVED: Final = "This could not be saved yet. Llamora will try again; to be safe, copy it."
JOB_THINKING: Final = "Thinking."
JOB_WAITING: Final = "Waiting for the model."
JOB_NEXT: Final = "Waiting for the model. You are next."
# By the code of the reason.
JOB_INTERRUPTED: Final = {
    "locked": "Your diary was locked while this was being written.",
    "new_key": "Your diary got a new encryption key while this was being written.",
    "closing": "Llamora was closed while this was being written.",
    "consent_withdrawn": "You withdrew your consent while this was being written on another machine.",
    "crashed": "Llamora stopped while this was being written.",
}
JOB_FAILED: Final = {
    "not_written": "Nothing can be written to the disk now, so no reply was started. Try again later.",
    "empty": "The model wrote nothing this time. Try again.",
    "echo": (
        f"The model repeated its instructions and was stopped. {PARTIAL_SAVED}. Try again; if it happens "
        "often, a larger model will help."
    ),
    "no_source": (
        "The model named no source for what it wrote, so that is left out. The sources may answer the "
        "question themselves."
    ),
    "nothing": "Nothing in your diary answers this.",
    "forged": (
        f"The model began to write an entry of its own and was stopped. {PARTIAL_SAVED}. Try again; if it "
        "happens often, a larger model will help."
    ),
    "internal": f"Something went wrong in Llamora; its log has the details. {PARTIAL_SAVED}. Try again.",
}


def get_waiting_message(others: int) -> str:
    """Return the sentence for a job that waits until this many other jobs are finished."""
    return f"Waiting for the model, after {'one other' if others == 1 else f'{others} others'}."


READ_IMPORTED: Final = "Read imported text."
PERSONA_LEFT_OUT: Final = "Your persona note was left out: it was too long for the model."


def get_not_read_message(count: int) -> str:
    """Return a sentence on how many entries were not read because their owner did not write them, or ""."""
    nouns = "imported entry was", "imported entries were"
    return f"{pluralize(count, *nouns)} not read." if count else ""


def get_reading_message(entries: int) -> str:
    """Return the sentence for a job whose model is reading this many entries, or an empty string for none."""
    return f"Reading {pluralize(entries, 'entry', 'entries')}." if entries else ""


# --- The model on a day page -----------------------------------------------------------------------------

MODEL_CHECKED_AGAIN: Final = "Llamora looks for it again every half minute."


def get_queue_message(writing: int, waiting: int) -> str:
    """Return a sentence on how many texts are being written and how many wait; empty if there are none."""
    if not writing and not waiting:
        return ""
    sentence = f"Now writing {pluralize(writing, 'text', 'texts')}"
    return f"{sentence}; {pluralize(waiting, 'waits', 'wait')}." if waiting else f"{sentence}."


# --- Openings and recaps ---------------------------------------------------------------------------------

OPENING_NOT_REPLACED: Final = "No new opening was written. {}."
NO_OPENING_NOW: Final = "No new opening can be written now. {}"
NO_RECAP_NOW: Final = "No recap can be written now. {}"
READING_DAY: Final = "Reading that day."
RECAP_FAILED: Final = "No recap was written this time. Try again in a moment."
NOTHING_TO_RECAP: Final = "There is nothing to summarize."

# --- Export ----------------------------------------------------------------------------------------------

EXPORT_UNREADABLE_TEXT: Final = "*This can't be opened: its encrypted data is damaged.*"
EXPORT_EXISTS: Final = "{path} already exists; nothing was written."
EXPORT_NOT_WRITTEN: Final = "The export could not be written: {error}. Nothing unfinished is left."
EXPORT_NO_FOLDER: Final = "There is no folder {folder}; nothing was written."
EXPORT_STOPPED: Final = "Stopped; nothing was exported."
EXPORT_WARNING: Final = "Anyone who has this file can read it. Store it where only you can get it."
EXPORT_DAMAGED: Final = "{label} of {row} can't be opened: {code}."
EXPORT_INCOMPLETE: Final = "{count} can't be opened; everything else was exported."

# --- Import ----------------------------------------------------------------------------------------------

UNKNOWN_PERSON: Final = "Nobody in this household has that name."
NO_PASSWORD: Final = "No password was given, so nothing was imported."  # noqa: S105 - a sentence
IMPORT_CONTINUES: Final = "What was imported so far stays; run the same command again to continue."
IMPORT_STOPPED: Final = f"Stopped. {IMPORT_CONTINUES}"
IMPORT_BROKEN: Final = "The file is damaged after entry {seen:,}; the rest could not be read."
IMPORT_UNREADABLE: Final = "The file can't be read: {error}."
IMPORT_NO_LINE: Final = "This file has no line that can be imported."
IMPORT_RANGE: Final = "From {first} to {last}: {count}."
IMPORT_REJECTED: Final = "Not imported, for the reasons above: {count}."
IMPORT_MORE_REJECTED: Final = "And {count:,} more."
IMPORT_PREVIEWED: Final = "This was a preview; nothing was imported."
IMPORT_COUNTS: Final = "Imported {added:,}; {known:,} were already in the diary."
IMPORT_ROWS: Final = "Also imported: {}."
IMPORT_SKIPPED: Final = "Not imported: {}."

NOT_AN_EXPORT: Final = "This is not an export of a Llamora diary."
LATER_EXPORT: Final = "A later version of Llamora wrote this file. Update Llamora, then import it."
UNREADABLE_ZIP: Final = "This zip is damaged, or packed in a way that Llamora can't read."
ZIP_TOO_LARGE: Final = "The {name} in this zip is far larger than a diary. Nothing was imported."
NOT_IN_FOLDER: Final = "There is no {name} in this folder."
NOT_IN_ZIP: Final = "There is no {name} in this zip, or more than one."
UTF16_FILE: Final = "The file is UTF-16. Save it as UTF-8, then import it."

# Why a line or an entry is not imported; each follows "Line 12" or "Entry 12".
LINE_TOO_LONG: Final = "is longer than an entry can be"
LINE_NOT_UTF8: Final = "is not UTF-8"
LINE_NOT_JSON: Final = "is not JSON"
LINE_NOT_OBJECT: Final = "is not an object with a date and a text"
LINE_NO_DATE: Final = "has no date"
LINE_BAD_DATE: Final = "has a date that does not exist or is not written as YYYY-MM-DD"
LINE_FUTURE: Final = "has a date in the future"
LINE_NO_TEXT: Final = "has no text"
LINE_EMPTY: Final = "has an empty text"
LINE_LONG_TEXT: Final = "has a text that is longer than an entry can be"
LINE_INVALID_TEXT: Final = "contains a broken or invisible character, which can't be saved"

# What of an entry is not imported; each follows "Entry 12:".
FAULT_VALUE: Final = "{name} can't be imported"
FAULT_NOT_A_LIST: Final = "{kind} is not a list"
FAULT_NOT_A_ROW: Final = "{kind} contains a value that is not an object"
FAULT_LATER_VERSION: Final = "the file has a later version of it, which was not imported"
FAULT_VERSION_PREFIX: Final = "an earlier version's "
FAULT_VERSION_NUMBER: Final = "an earlier version has no revision number that can be used"
FAULT_VERSION_TEXT: Final = "an earlier version's text can't be imported"
FAULT_REPLY_PREFIX: Final = "a reply's "
FAULT_REPLY_TEXT: Final = "a reply's text can't be imported"

# Which other rows are not imported.
OPENING_LABEL: Final = "Opening {number}"
STYLE_LABEL: Final = "Reply style {number}"
DRAFT_LABEL: Final = "Draft {number}"
OPENING_INCOMPLETE: Final = "{label} has no day, or no text, that can be imported"
STYLE_INCOMPLETE: Final = "{label} has no name, or no instruction, that can be imported"
STYLE_TOO_MANY: Final = "{label} is left out: you already have {limit} reply styles"
INBOX_ITEM_INCOMPLETE: Final = "Text {number} of the Inbox has no day, or no text, that can be imported"
DRAFT_IN_INBOX: Final = "{label} is not from this diary, and waits in the Inbox"
DRAFT_INCOMPLETE: Final = "{label} has no text, or belongs to no day or entry in this diary"
DRAFT_IN_PLACE: Final = "{label} is left out: there is already another draft"

# Kinds of rows whose key in an export is not their name.
_ROW_KIND_NAMES: Final = {"ways_of_answering": "reply styles", "inbox_items": "texts in the Inbox"}


def get_row_kind_name(kind: str) -> str:
    """Return the name of a kind of rows of an export."""
    return _ROW_KIND_NAMES.get(kind, kind.replace("_", " "))
