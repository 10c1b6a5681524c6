"""Fixed ids, keys and costs of the cryptography tests, so that golden bytes stay valid."""

from uuid import UUID

from llamora.crypto import Context, Cost

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
