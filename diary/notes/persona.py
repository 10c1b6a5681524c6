"""The persona note: how its owner wants the assistant to be, for the system message of each reply."""

from typing import Final

from diary.generation.unique_jobs import may_send_unrequested
from diary.notes.kinds import MAX_PERSONA, PERSONA_PATH
from diary.notes.queries import find_note
from llamora.crypto import Realm, RealmKeyring
from llamora.inference import model_server

_NONE: Final = ""


def read_usable_persona(keyring: RealmKeyring, *, is_beside_others: bool) -> str:
    """Return the persona, or "" if it must not be in one prompt with untrusted texts.

    With untrusted texts (`is_beside_others`), the persona is used only if the model runs on this machine.
    """
    status = model_server.get_status()
    if is_beside_others and not (status.is_ready and may_send_unrequested(status)):
        # While the model is not ready, it is not known on which machine it runs.
        return _NONE
    return read_persona(keyring)


def read_persona(keyring: RealmKeyring) -> str:
    """Return the text of the persona note, or "" if there is none that may be used.

    It must be its owner's own, and a text that can be decrypted and is not too long. With a keyring without
    the realm `notes`, return "".
    """
    if not keyring.has_realm(Realm.NOTES):
        return _NONE
    note = find_note(keyring, PERSONA_PATH)
    if note is None or not note.is_trusted or note.text is None or len(note.text) > MAX_PERSONA:
        return _NONE
    return note.text.strip()
