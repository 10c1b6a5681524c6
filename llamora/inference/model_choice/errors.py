"""Errors of choosing, adding or downloading a model, each with a code and a sentence for people."""

from typing import Final

_SENTENCES: Final = {
    # A choice.
    "set_elsewhere": "The model is set by {setting}. To choose here, restart Llamora without it.",
    "choice_unreadable": (
        "The file choice.json in the folder models can't be read, so it is passed over. Choose a model again."
    ),
    "not_saved": "The choice could not be saved: {reason}. Try again when that is solved.",
    "no_such_file": "There is no such model file. Choose one from the list.",
    "no_file_at": "There is no file at {path}. Correct the path.",
    "unknown_name": (
        "No model file, list entry or model of a running server has the name “{name}”. `manage.py model "
        "list` shows those that there are."
    ),
    "not_downloaded": "{name} is not on this machine yet. Download it with `manage.py model get {name}`.",
    "in_use": "This model is in use. Choose another one first.",
    "not_deleted": "The file could not be deleted: {reason}. Try again when that is solved.",
    "not_added": "The file could not be written: {reason}. Try again when that is solved.",
    "elsewhere": "This file lies outside the folder models, so Llamora doesn't delete it.",
    "wrong_address": "The address of a model server begins with http:// or https://. Correct it.",
    "unknown_format": "There is no such format. Choose one from the list.",
    "remote_not_allowed": (
        "This server is on another machine, and your text would be sent there. To allow this, set "
        "LLAMORA_MODEL_ALLOW_REMOTE to true and restart Llamora."
    ),
    # A file.
    "no_gguf": "This is not a model file. Choose a file whose name ends in .gguf.",
    "damaged": "This model file is damaged. Delete it and get it again.",
    "unsupported": "This model file is of a version that can't be used. Get a newer one.",
    "incomplete": "This model file is not complete. Wait until it is copied, or get it again.",
    "no_text_model": "This model turns text or pictures into numbers and writes nothing. Choose another one.",
    "unreadable": "This model file can't be read: {reason}. Allow Llamora to read it, or choose another one.",
    "bad_name": (
        "A model file needs a name of letters, digits, dots and dashes that ends in .gguf. Rename it."
    ),
    "file_exists": "The folder models already has a file {name}. Delete it first, or rename the new one.",
    "split_file": (
        "This model consists of several files. Put all of them into the folder models by other means."
    ),
    # A download.
    "bad_source": (
        "Name a model of the list, or a file of the hub as maker/repository/file.gguf. The list is shown by "
        "`manage.py model list`."
    ),
    "already_running": "A download is already running. Wait for it, or cancel it first.",
    "not_found": (
        "The hub has no such file, or shows it only to people with an account. Check the name, or put the "
        "file into the folder models by other means."
    ),
    "already_here": "{name} is already on this machine. To download it again, delete it first.",
    "hub_away": (
        "The hub can't be reached. Check the connection to the internet and LLAMORA_MODEL_HUB, and try again."
    ),
    "hub_error": ("The hub's answer could not be used. Try again later, or choose another file."),
    "wrong_redirect": (
        "The hub led to an address that is not encrypted, so nothing was loaded. Check LLAMORA_MODEL_HUB."
    ),
    "broken_off": (
        "The connection was lost several times. What has arrived is saved: download the model again to go on."
    ),
    "cancelled": "The download was cancelled. What has arrived is saved: download the model again to go on.",
    "checksum_wrong": (
        "What arrived is not what the hub promised, so it was deleted. Download the model again."
    ),
    "interrupted": "The download failed: {reason}. Try again when that is solved.",
    "disk_full": (
        "The disk has too little space: {needed} are needed and {free} are free. Free some space, then try "
        "again."
    ),
}


class ChoiceRefused(Exception):  # noqa: N818 - states what happened
    """Raised when a model cannot be chosen, added, downloaded or deleted; its text is for people."""

    def __init__(self, code: str, **facts: str) -> None:
        self.code, self.facts = code, facts
        super().__init__(get_sentence(code, **facts))


def get_sentence(code: str, **facts: str) -> str:
    """Return the sentence for a code."""
    return _SENTENCES[code].format_map(facts)
