"""Replacement of a recovery code that its owner has never confirmed, and may never have seen."""

from contextlib import suppress
from dataclasses import replace

from accounts.errors import DerivationOutOfMemory, RetryLater
from accounts.keys.key_slots import OpenedSlot
from accounts.keys.vault_state import has_unconfirmed_code
from accounts.models import SlotKind
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from accounts.rotation.errors import RotationError
from llamora import crypto
from llamora.database import NotWritten, truncate_wal


def replace_unconfirmed_code(opened: OpenedSlot) -> OpenedSlot:
    """Replace the recovery code if it is unconfirmed, and return an opened slot with the new code.

    If the code is confirmed, return the given slot. The code is replaced by a rotation, which closes the
    keyring of the given slot and locks other browsers. If the rotation fails, the present code stays
    unconfirmed, and the next unlock tries again.
    """
    if opened.recovery_code or not has_unconfirmed_code(opened.keyring):
        return opened
    code = crypto.new_recovery_code()
    secrets = {SlotKind.RECOVERY: crypto.parse_recovery_code(code)}
    with suppress(RotationError, RetryLater, DerivationOutOfMemory, NotWritten):
        begun = begin_rotation(opened, new_secrets=secrets, others=OtherBrowsers.LOCK)
        opened.keyring.close()
        truncate_wal()
        person = type(opened.person).objects.select_related("vault").get(id=opened.person.id)
        return replace(opened, person=person, slot=begun.slot, keyring=begun.keyring, recovery_code=code)
    return opened
