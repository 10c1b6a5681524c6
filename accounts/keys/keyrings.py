"""Keyrings built from a data key, and from the former data key while a rotation is unfinished.

The former key opens rows that are not re-encrypted yet; the current key seals new values.
"""

from uuid import UUID

from accounts.models import FormerKey
from llamora.crypto import EnvelopeError, Keyring, in_force


def build_keyring(*, owner: UUID, epoch: int, dek: bytes, former: FormerKey | None) -> Keyring:
    """Return the keyring of an owner's current data key and, if they have one, their former key."""
    keyring = Keyring(owner=owner, epoch=epoch, keys={epoch: dek})
    if former is None:
        return keyring
    try:
        with in_force(keyring):
            keys = {epoch: dek, former.epoch: bytes(former.data_key)}
    except EnvelopeError:
        # The former key is of another epoch or damaged: rows under the current key are readable all the same.
        return keyring
    keyring.close()
    return Keyring(owner=owner, epoch=epoch, keys=keys)


def get_former_key(owner: UUID) -> FormerKey | None:
    """Return the row of an owner's former key, or None unless a rotation is unfinished."""
    return FormerKey.objects.filter(owner_id=owner).first()


def copy_with_former_key(keyring: Keyring) -> Keyring:
    """Return a copy of a keyring, with the former key if there is one, for work that outlasts the request."""
    return build_keyring(
        owner=keyring.owner,
        epoch=keyring.epoch,
        dek=keyring.data_key(),
        former=get_former_key(keyring.owner),
    )
