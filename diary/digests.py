"""Keyed digests of what a person wrote: the same under every epoch of their data key, and for nobody else."""

from uuid import UUID

from accounts.models import Vault


def digest_key(owner_id: UUID) -> bytes:
    """Return the key under which a person's digests are made. Needs their keyring in force."""
    return bytes(Vault.objects.get(owner_id=owner_id).digest_key)
