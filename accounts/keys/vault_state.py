"""The sealed state of a vault: its epochs in use, and whether its recovery code is unconfirmed.

    {"format_2_since": epoch, "finished": epoch, "unconfirmed_code": true}

`format_2_since` is the first epoch in which envelopes are of format 2. `finished` is the oldest epoch that a
row may still be sealed under; if it is the current epoch, no rotation is unfinished, and a former key in the
database is forged. `unconfirmed_code` is set when a recovery code is created, and removed when its owner has
confirmed it. Until then they may never have seen the code, because the page was closed, the program crashed
or the disk was full. So the next sign-in or unlock creates and shows another one
(`accounts.rotation.unconfirmed_code`).

A vault of format 1 has no state. It is recognised by its envelopes, and moved to format 2 by a rotation at
the first unlock.
"""

from dataclasses import dataclass, replace
from typing import Any, cast

from accounts.keys.opened_columns import load_column
from accounts.models import Vault
from llamora.crypto import FORMAT_1, EnvelopeError, Keyring, in_force, read_header
from llamora.database import write_transaction
from llamora.fields import SealedField

_UNCONFIRMED = "unconfirmed_code"
_PRIVATE_KEY = cast("SealedField", Vault._meta.get_field("private_key"))


@dataclass(frozen=True, kw_only=True)
class VaultState:
    """The state of a vault: which epochs it uses, and whether its recovery code is unconfirmed.

    `format_2_since` is the first epoch of encryption format 2, `finished` the oldest epoch in use.
    """

    format_2_since: int
    finished: int
    has_unconfirmed_code: bool = False

    def to_json(self) -> dict[str, int | bool]:
        """Return the value of the vault's column `state`."""
        value: dict[str, int | bool] = {"format_2_since": self.format_2_since, "finished": self.finished}
        return {**value, _UNCONFIRMED: True} if self.has_unconfirmed_code else value

    @classmethod
    def parse(cls, value: Any) -> "VaultState | None":
        """Return the state from the column's value, or None if the value is invalid."""
        if not isinstance(value, dict):
            return None
        since, finished = value.get("format_2_since"), value.get("finished")
        if not isinstance(since, int) or not isinstance(finished, int):
            return None
        unconfirmed = value.get(_UNCONFIRMED) is True
        return cls(format_2_since=since, finished=finished, has_unconfirmed_code=unconfirmed)


def is_of_format_1(vault: Vault) -> bool:
    """Return whether a vault has not been moved to format 2 yet.

    This needs no key.
    """
    envelope = vault.get_envelope(_PRIVATE_KEY)
    try:
        return envelope is not None and read_header(envelope.envelope).format == FORMAT_1
    except EnvelopeError:
        return False


def load_state(vault: Vault) -> VaultState | None:
    """Return the decrypted state of a vault, or None if it is missing or damaged; call inside `in_force`."""
    try:
        return load_column(vault, "state", parse=VaultState.parse)
    except EnvelopeError:
        return None


def has_unconfirmed_code(keyring: Keyring) -> bool:
    """Return whether a person's recovery code is unconfirmed, so that they may never have seen it."""
    with in_force(keyring):
        state = load_state(Vault.objects.get(owner_id=keyring.owner))
    return state is not None and state.has_unconfirmed_code


def confirm_code(keyring: Keyring) -> None:
    """Record that a person has seen their recovery code; raise NotWritten."""
    if not has_unconfirmed_code(keyring):
        return
    with write_transaction(), in_force(keyring):
        vault = Vault.objects.get(owner_id=keyring.owner)
        state = load_state(vault)
        if state is not None:
            vault.state = replace(state, has_unconfirmed_code=False).to_json()
            vault.save(update_fields=["state"])
