"""The sealed state of a vault: the first epoch of format 2, and the oldest epoch that is still in use.

    {"format_2_since": epoch, "finished": epoch}

`format_2_since` is the first epoch in which envelopes are of format 2. `finished` is the oldest epoch that a
row may still be sealed under; if it is the current one, no rotation is unfinished, and a former key that lies
in the database was put there by somebody else. A vault of format 1 has no state; it is told by its envelopes,
and moved to format 2 by a rotation at the first unlock.
"""

from dataclasses import asdict, dataclass
from typing import Any, cast

from accounts.keys.opened_columns import load_column
from accounts.models import Vault
from llamora.crypto import FORMAT_1, EnvelopeError, read_header
from llamora.fields import SealedField

_PRIVATE_KEY = cast("SealedField", Vault._meta.get_field("private_key"))


@dataclass(frozen=True, kw_only=True)
class VaultState:
    """The first epoch of format 2, and the oldest epoch that is still in use."""

    format_2_since: int
    finished: int

    def to_json(self) -> dict[str, int]:
        """Return the value of the vault's column `state`."""
        return asdict(self)

    @classmethod
    def parse(cls, value: Any) -> "VaultState | None":
        """Return the state in the column's value, or None if the value is not one."""
        if not isinstance(value, dict):
            return None
        since, finished = value.get("format_2_since"), value.get("finished")
        if not isinstance(since, int) or not isinstance(finished, int):
            return None
        return cls(format_2_since=since, finished=finished)


def is_of_format_1(vault: Vault) -> bool:
    """Return whether a vault was not yet moved to format 2; needs no key."""
    envelope = vault.get_envelope(_PRIVATE_KEY)
    try:
        return envelope is not None and read_header(envelope.envelope).format == FORMAT_1
    except EnvelopeError:
        return False


def load_state(vault: Vault) -> VaultState | None:
    """Return the state of a vault, or None if it is missing or does not open; needs its keyring in force."""
    try:
        return load_column(vault, "state", parse=VaultState.parse)
    except EnvelopeError:
        return None
