"""Tests of the keys of sessions: they open with all their parts only."""

from typing import Any

import pytest

from llamora.crypto import (
    NotAuthentic,
    Truncated,
    UnknownFormat,
    WrongEpoch,
    hash_half,
    secret_bytes,
    unwrap_dek,
    wrap_dek,
)
from tests.crypto import golden, reader
from tests.crypto.cast import DATA_KEY, ENTRY, HOUSEMATE, OWNER, SALT, SESSION

HALF = bytes(range(32, 64))
RUN_SECRET = bytes(range(64, 96))
GOLDEN_PARTS: dict[str, Any] = {
    "half": HALF, "salt": SALT, "run_secret": RUN_SECRET, "row": ENTRY, "owner": OWNER, "epoch": 3,
}  # fmt: skip
PARTS = GOLDEN_PARTS | {"row": SESSION}


def test_a_session_opens_with_all_its_parts() -> None:
    wrapped = wrap_dek(dek=DATA_KEY, **PARTS)

    assert unwrap_dek(wrapped=wrapped, **PARTS) == DATA_KEY


def test_the_golden_sessions_open_for_ever() -> None:
    assert unwrap_dek(wrapped=golden.WRAPPED_DEK, **GOLDEN_PARTS) == DATA_KEY
    assert unwrap_dek(wrapped=golden.WRAPPED_DEK_2, **PARTS) == DATA_KEY
    assert hash_half(HALF) == golden.HALF_HASH


def test_a_stranger_opens_a_session_with_the_documented_format_alone() -> None:
    key = reader.personal_blake2b(data=b"\0\x10" + SALT + RUN_SECRET, key=HALF, person="llamora.session")

    read = reader.open_envelope(
        golden.WRAPPED_DEK, key=key, row=ENTRY, owner=OWNER, purpose="session", label="session.dek", bound={}
    )

    assert read == DATA_KEY
    assert reader.personal_blake2b(data=HALF, key=b"", person="llamora.half") == hash_half(HALF)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"half": secret_bytes()}, NotAuthentic),
        ({"salt": bytes(16)}, NotAuthentic),
        ({"salt": SALT + b"\0"}, NotAuthentic),
        ({"run_secret": secret_bytes()}, NotAuthentic),
        ({"row": ENTRY}, NotAuthentic),
        ({"owner": HOUSEMATE}, NotAuthentic),
        ({"epoch": 4}, WrongEpoch),
    ],
    ids=["half", "salt", "longer salt", "run secret", "row", "owner", "epoch"],
)
def test_a_session_opens_with_nothing_else(changes: dict[str, Any], expected: type[Exception]) -> None:
    wrapped = wrap_dek(dek=DATA_KEY, **PARTS)

    with pytest.raises(expected):
        unwrap_dek(wrapped=wrapped, **(PARTS | changes))


def test_a_flipped_byte_anywhere_is_refused() -> None:
    sealed = golden.WRAPPED_DEK

    for at in range(len(sealed)):
        flipped = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        expected = UnknownFormat if at == 0 else WrongEpoch if at < 5 else NotAuthentic
        with pytest.raises(expected):
            unwrap_dek(wrapped=flipped, **GOLDEN_PARTS)


def test_a_session_cut_short_is_refused() -> None:
    for length in (0, 4, 5, 60, 108):
        with pytest.raises(Truncated):
            unwrap_dek(wrapped=golden.WRAPPED_DEK[:length], **GOLDEN_PARTS)


@pytest.mark.parametrize("changes", [{"half": b""}, {"half": bytes(31)}, {"run_secret": b""}, {"salt": b""}])
def test_a_missing_part_makes_no_key(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="bytes"):
        wrap_dek(dek=DATA_KEY, **(PARTS | changes))


def test_the_hash_of_a_half_opens_nothing() -> None:
    with pytest.raises(NotAuthentic):
        unwrap_dek(wrapped=golden.WRAPPED_DEK, **(GOLDEN_PARTS | {"half": hash_half(HALF)}))
