"""The persona note: how its owner wants the assistant to be, for the system message of each reply."""

from typing import Final

from diary.generation.ask_once import may_send_unrequested
from diary.notes.kinds import MAX_PERSONA, PERSONA_PATH
from diary.notes.queries import find_note
from llamora.crypto import Realm, RealmKeyring
from llamora.inference import model_server

_NONE: Final = ""


def read_usable_persona(keyring: RealmKeyring, *, is_beside_others: bool) -> str:
    """Return the persona, or "" if it would be sent to another machine with untrusted texts."""
    status = model_server.get_status()
    if is_beside_others and not (status.is_ready and may_send_unrequested(status)):
        # It is not known of a model that is not ready on which machine it is.
        return _NONE
    return read_persona(keyring)


def read_persona(keyring: RealmKeyring) -> str:
    """Return the text of the persona note, or "" unless the note is its owner's own and valid.

    One that was imported, that a program wrote, that is damaged, that is no text or that is too long is not
    read. With a keyring that has no keys of notes there is none.
    """
    if not keyring.has_realm(Realm.NOTES):
        return _NONE
    note = find_note(keyring, PERSONA_PATH)
    if note is None or not note.is_trusted or note.text is None or len(note.text) > MAX_PERSONA:
        return _NONE
    return note.text.strip()
