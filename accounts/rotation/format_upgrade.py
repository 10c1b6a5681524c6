"""The rotation that moves a diary from encryption format 1 to 2, at its owner's next unlock."""

from dataclasses import replace

from accounts.keys.key_checks import check_keys_match
from accounts.keys.key_slots import OpenedSlot
from accounts.models import Vault
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from accounts.rotation.errors import refuse_failed_rotation
from llamora.database import truncate_wal


def move_to_format_2(opened: OpenedSlot) -> OpenedSlot:
    """Move a diary of format 1 to format 2 by a rotation, and return its opened slot.

    If the diary is of format 2, return the given slot. The rotation closes the keyring of the given slot and
    locks other browsers. It signs nobody out, because no secret has become known. If the vault has no list of
    key slots, only the secret that was just typed is known to be the owner's; then the result has a new
    recovery code. Raise KeysDoNotMatch, DamagedSlot, DerivationQueueFull, DerivationOutOfMemory or
    NotWritten.
    """
    if not opened.keyring.is_of_format_1:
        return opened
    check_keys_match(opened.keyring, vault=Vault.objects.get(owner_id=opened.person.id))
    with refuse_failed_rotation():
        begun = begin_rotation(opened, others=OtherBrowsers.LOCK)
    opened.keyring.close()
    truncate_wal()
    person = type(opened.person).objects.select_related("vault").get(id=opened.person.id)
    # A recovery code that is replaced is shown, so nobody need be told that the former one is refused.
    refused = tuple(slot for slot in begun.refused_slots if not begun.recovery_code)
    return replace(
        opened,
        person=person,
        slot=begun.slot,
        keyring=begun.keyring,
        recovery_code=begun.recovery_code,
        refused_slots=refused,
    )
