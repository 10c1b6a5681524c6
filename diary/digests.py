"""Keyed digests of what a person wrote: the same under every epoch of their data key, and for nobody else."""

from uuid import UUID

from accounts.models import Vault
from llamora.database import Prepared


def digest_key(owner_id: UUID) -> bytes:
    """Return the key under which a person's digests are made. Needs their keyring in force."""
    (vault,) = _vault_of(owner_id=owner_id)
    return bytes(vault.digest_key)


_vault_of: Prepared[Vault] = Prepared(lambda owner_id: Vault.objects.filter(owner_id=owner_id))
