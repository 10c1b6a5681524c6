"""Opens every envelope a person has, and keeps nothing of what is inside."""

from dataclasses import dataclass, field

from accounts.rotation.columns import sealed_tables
from accounts.rotation.errors import DamagedEnvelope
from llamora.crypto import EnvelopeError, Keyring


@dataclass
class Verified:
    """What was opened, and what did not open."""

    rows: int = 0
    envelopes: int = 0
    damaged: list[DamagedEnvelope] = field(default_factory=list)


def verify(keyring: Keyring) -> Verified:
    """Open every sealed column of every row of the keyring's owner."""
    found = Verified()
    for table in sealed_tables():
        contexts = table.contexts(keyring.owner)
        for rows in table.batches(keyring.owner, but=None):
            found.rows += len(rows)
            for row in rows:
                for field_, envelope, context in contexts(row):
                    found.envelopes += 1
                    try:
                        field_.decode(keyring.unseal(envelope, context))
                    except EnvelopeError as error:
                        found.damaged.append(DamagedEnvelope(field_.label, context.row, error.code))
    return found
