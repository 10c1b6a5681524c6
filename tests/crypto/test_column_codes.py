"""Tests of the MACs of plaintext columns: valid for one row, one owner, one epoch and one label."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.crypto import (
    FORMAT_1,
    Context,
    EnvelopeError,
    Keyring,
    NotAuthentic,
    Truncated,
    UnknownFormat,
    WrongEpoch,
    encode_header,
    newest_header,
)
from tests.crypto import golden, reader
from tests.crypto.cast import DATA_KEY, ENTRY, ENTRY_COLUMNS, NEXT_DATA_KEY, OTHER_ENTRY, OWNER

CREATED, DELETED = ENTRY_COLUMNS.bound


def test_a_code_stays_as_pinned_and_is_right(keyring: Keyring) -> None:
    code = keyring.compute_mac(ENTRY_COLUMNS)

    assert code == golden.CODE_2
    assert code.startswith(newest_header(3))
    keyring.check_mac(code, ENTRY_COLUMNS)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_stranger_makes_a_code_with_the_documented_format_alone(created: bytes, deleted: bytes) -> None:
    bound = {"diary.entry.created_at": created, "diary.entry.deleted_at": deleted}
    key = reader.realm_key(data_key=DATA_KEY, realm="content", use="columns")

    code = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY}).compute_mac(
        replace(ENTRY_COLUMNS, bound=tuple(bound.items()))
    )

    assert code == reader.column_code(
        key=key, epoch=3, row=ENTRY, owner=OWNER, label="diary.entry.mac", bound=bound
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(ENTRY_COLUMNS, row=OTHER_ENTRY),
        replace(ENTRY_COLUMNS, label="traces.trace.mac"),
        replace(ENTRY_COLUMNS, label="accounts.vault.mac"),
        replace(ENTRY_COLUMNS, purpose="field"),
        replace(ENTRY_COLUMNS, bound=(CREATED, (DELETED[0], b"t:2026-11-21T10:00:00.000+00:00"))),
        replace(ENTRY_COLUMNS, bound=((CREATED[0], b"t:2026-11-20T10:00:01.000+00:00"), DELETED)),
        replace(ENTRY_COLUMNS, bound=((CREATED[0], DELETED[1]), (DELETED[0], CREATED[1]))),
        replace(ENTRY_COLUMNS, bound=(CREATED,)),
        replace(ENTRY_COLUMNS, bound=()),
    ],
    ids=[
        "row",
        "label",
        "label of another realm",
        "purpose",
        "deleted",
        "created",
        "swapped",
        "one missing",
        "nothing",
    ],
)
def test_a_code_is_wrong_for_anything_else(keyring: Keyring, elsewhere: Context) -> None:
    with pytest.raises(NotAuthentic) as refused:
        keyring.check_mac(golden.CODE_2, elsewhere)

    assert refused.value.code == "not_authentic"
    assert keyring.compute_mac(elsewhere) != golden.CODE_2


def test_a_code_of_another_owner_is_wrong(keyring: Keyring) -> None:
    """Also one of a person whose data key is the same, which never happens."""
    housemate = OTHER_ENTRY
    theirs = Keyring(owner=housemate, epoch=3, keys={3: DATA_KEY})

    with pytest.raises(NotAuthentic):
        theirs.check_mac(golden.CODE_2, replace(ENTRY_COLUMNS, owner=housemate))


def test_codes_of_former_epochs_are_right_while_their_keys_are_held(keyring: Keyring) -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})
    rotated = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY})

    rotating.check_mac(golden.CODE_2, ENTRY_COLUMNS)
    code = rotating.compute_mac(ENTRY_COLUMNS)
    rotated.check_mac(code, ENTRY_COLUMNS)

    assert code.startswith(newest_header(4))
    assert code[5:] != golden.CODE_2[5:]
    with pytest.raises(WrongEpoch):
        rotated.check_mac(golden.CODE_2, ENTRY_COLUMNS)
    with pytest.raises(WrongEpoch):
        keyring.check_mac(code, ENTRY_COLUMNS)


def test_a_code_relabelled_to_another_epoch_is_wrong() -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})
    # Of the same data key, so that the epoch alone differs.
    same_key = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: DATA_KEY})

    for keyring in (rotating, same_key):
        with pytest.raises(NotAuthentic):
            keyring.check_mac(newest_header(4) + golden.CODE_2[5:], ENTRY_COLUMNS)


def test_a_code_has_format_2_only(keyring: Keyring) -> None:
    with pytest.raises(NotAuthentic):
        keyring.check_mac(encode_header(FORMAT_1, 3) + golden.CODE_2[5:], ENTRY_COLUMNS)
    with pytest.raises(UnknownFormat):
        keyring.check_mac(b"\x03" + golden.CODE_2[1:], ENTRY_COLUMNS)


def test_a_flipped_bit_anywhere_is_refused(keyring: Keyring) -> None:
    for at in range(len(golden.CODE_2)):
        for bit in range(8):
            flipped = bytearray(golden.CODE_2)
            flipped[at] ^= 1 << bit
            with pytest.raises(EnvelopeError):
                keyring.check_mac(bytes(flipped), ENTRY_COLUMNS)


def test_a_code_cut_short_or_made_longer_is_refused(keyring: Keyring) -> None:
    for length in range(len(golden.CODE_2)):
        with pytest.raises(Truncated):
            keyring.check_mac(golden.CODE_2[:length], ENTRY_COLUMNS)
    with pytest.raises(EnvelopeError):
        keyring.check_mac(golden.CODE_2 + b"\0", ENTRY_COLUMNS)


def test_an_envelope_is_no_code_and_a_code_no_envelope(keyring: Keyring) -> None:
    with pytest.raises(EnvelopeError):
        keyring.check_mac(keyring.seal(b"", ENTRY_COLUMNS), ENTRY_COLUMNS)
    with pytest.raises(EnvelopeError):
        keyring.unseal(golden.CODE_2, ENTRY_COLUMNS)
