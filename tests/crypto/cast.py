"""The fixed ids, keys and costs of the cryptography tests, with which golden bytes were made."""

from dataclasses import fields, is_dataclass
from uuid import UUID

from llamora.crypto import Context, Cost, RealmKeyring

OWNER = UUID("0192f0c4-7a00-7000-8000-000000000001")
HOUSEMATE = UUID("0192f0c4-7a00-7000-8000-000000000002")
ENTRY = UUID("0192f0c4-7a00-7000-8000-0000000000e1")
OTHER_ENTRY = UUID("0192f0c4-7a00-7000-8000-0000000000e2")
SLOT = UUID("0192f0c4-7a00-7000-8000-0000000000a1")
OTHER_SLOT = UUID("0192f0c4-7a00-7000-8000-0000000000a2")
SESSION = UUID("0192f0c4-7a00-7000-8000-0000000000c1")

DATA_KEY = bytes(range(32))
NEXT_DATA_KEY = bytes(range(100, 132))
SALT = bytes(range(16, 32))
CHEAP = Cost(memory_kib=64, time=2, lanes=2)

ENTRY_TEXT = Context(
    purpose="field",
    label="diary.entry.text",
    row=ENTRY,
    owner=OWNER,
    bound=(("diary.entry.day", b"2026-11-20"), ("diary.entry.kind", b"entry")),
)
VAULT_STATE = Context(purpose="field", label="accounts.vault.state", row=ENTRY, owner=OWNER)
ENTRY_COLUMNS = Context(
    purpose="columns",
    label="diary.entry.mac",
    row=ENTRY,
    owner=OWNER,
    bound=(
        ("diary.entry.created_at", b"t:2026-11-20T10:00:00.000+00:00"),
        ("diary.entry.deleted_at", b"n:"),
    ),
)


def find_keys(keyring: RealmKeyring) -> set[bytes]:
    """Return everything of 32 bytes that a keyring holds, wherever it holds it."""
    slots = [name for kind in type(keyring).__mro__ for name in getattr(kind, "__slots__", ())]
    return set().union(*(_find_keys(getattr(keyring, name, None)) for name in slots if name != "__weakref__"))


def _find_keys(held: object) -> set[bytes]:
    match held:
        case bytes() | bytearray():
            return {bytes(held)} if len(held) == 32 else set()
        case dict():
            return set().union(*map(_find_keys, [*held.keys(), *held.values()]))
        case tuple() | list():
            return set().union(*map(_find_keys, held))
    if is_dataclass(held):
        return set().union(*(_find_keys(getattr(held, field.name)) for field in fields(held)))
    return set()
