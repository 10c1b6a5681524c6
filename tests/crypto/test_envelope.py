"""Tests of envelopes: they open with the right key and context only, and in their golden bytes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from llamora.crypto import (
    FORMAT_1,
    FORMAT_2,
    BadPadding,
    Context,
    Header,
    NotAuthentic,
    Realm,
    SubkeyUse,
    Truncated,
    UnknownFormat,
    derive_realm_keys,
    encode_header,
    newest_header,
    read_header,
    seal,
    subkey,
    unseal,
)
from tests.crypto import golden, reader
from tests.crypto.cast import (
    DATA_KEY,
    ENTRY,
    ENTRY_TEXT,
    HOUSEMATE,
    NEXT_DATA_KEY,
    OTHER_ENTRY,
    OWNER,
    VAULT_STATE,
)

KEY = subkey(DATA_KEY, SubkeyUse.CONTENT)
REPLY_TEXT = Context(purpose="field", label="diary.reply.text", row=ENTRY, owner=OWNER)


@given(st.binary(max_size=3000), st.integers(0, 2**32 - 1))
def test_what_is_sealed_opens_again(plaintext: bytes, epoch: int) -> None:
    sealed = seal(key=KEY, plaintext=plaintext, context=ENTRY_TEXT, epoch=epoch)

    assert unseal(key=KEY, envelope=sealed, context=ENTRY_TEXT) == plaintext
    assert read_header(sealed) == Header(FORMAT_2, epoch)


def test_sealing_twice_gives_different_bytes_of_the_same_length() -> None:
    one = seal(key=KEY, plaintext=b"snow", context=ENTRY_TEXT, epoch=1)
    other = seal(key=KEY, plaintext=b"a much longer line of snow", context=ENTRY_TEXT, epoch=1)

    assert one[5:29] != other[5:29]
    assert len(one) == len(other) == 5 + 24 + 64 + 16


@pytest.mark.parametrize(
    ("sealed", "context", "text"),
    [
        (golden.SHORT, ENTRY_TEXT, golden.SHORT_TEXT),
        (golden.EMPTY, ENTRY_TEXT, ""),
        (golden.LONG, REPLY_TEXT, golden.LONG_TEXT),
    ],
    ids=["short", "empty", "long"],
)
def test_golden_envelopes_open_for_ever(sealed: bytes, context: Context, text: str) -> None:
    assert unseal(key=KEY, envelope=sealed, context=context).decode() == text
    assert read_header(sealed) == Header(format=FORMAT_1, epoch=3)


@pytest.mark.parametrize(
    ("sealed", "realm", "context", "plaintext"),
    [
        (golden.SHORT_2, Realm.CONTENT, ENTRY_TEXT, golden.SHORT_TEXT.encode()),
        (golden.STATE_2, Realm.VAULT, VAULT_STATE, golden.STATE_TEXT),
    ],
    ids=["content", "vault"],
)
def test_golden_envelopes_of_format_2_open_for_ever(
    sealed: bytes, realm: Realm, context: Context, plaintext: bytes
) -> None:
    key = derive_realm_keys(DATA_KEY, realm).sealing

    assert unseal(key=key, envelope=sealed, context=context) == plaintext
    assert read_header(sealed) == Header(format=FORMAT_2, epoch=3)


@pytest.mark.parametrize(
    ("sealed", "number"), [(golden.SHORT, FORMAT_2), (golden.SHORT_2, FORMAT_1)], ids=["as 2", "as 1"]
)
def test_a_relabelled_format_is_refused(sealed: bytes, number: int) -> None:
    """Also with the key that sealed it: the format is authenticated."""
    for key in (KEY, derive_realm_keys(DATA_KEY, Realm.CONTENT).sealing):
        with pytest.raises(NotAuthentic):
            unseal(key=key, envelope=bytes([number]) + sealed[1:], context=ENTRY_TEXT)


def test_headers_are_what_envelopes_begin_with() -> None:
    assert golden.SHORT.startswith(encode_header(FORMAT_1, 3))
    assert golden.SHORT_2.startswith(encode_header(FORMAT_2, 3))
    assert newest_header(3) == encode_header(FORMAT_2, 3)


ENTRY_TEXT_PARTS: dict[str, Any] = {
    "row": ENTRY,
    "owner": OWNER,
    "purpose": "field",
    "label": "diary.entry.text",
    "bound": {"diary.entry.day": b"2026-11-20", "diary.entry.kind": b"entry"},
}


@given(st.binary(max_size=500))
def test_a_stranger_opens_an_envelope_with_the_documented_format_alone(plaintext: bytes) -> None:
    key = derive_realm_keys(DATA_KEY, Realm.CONTENT).sealing
    sealed = seal(key=key, plaintext=plaintext, context=ENTRY_TEXT, epoch=3)

    theirs = reader.realm_key(data_key=DATA_KEY, realm="content", use="sealing")

    assert reader.open_envelope(sealed, key=theirs, **ENTRY_TEXT_PARTS) == plaintext


def test_a_stranger_opens_golden_envelopes_of_both_formats() -> None:
    text = golden.SHORT_TEXT.encode()
    format_1 = reader.personal_blake2b(data=b"", key=DATA_KEY, person="llamora.content")
    format_2 = reader.realm_key(data_key=DATA_KEY, realm="content", use="sealing")

    assert reader.open_envelope(golden.SHORT, key=format_1, **ENTRY_TEXT_PARTS) == text
    assert reader.open_envelope(golden.SHORT_2, key=format_2, **ENTRY_TEXT_PARTS) == text


def test_a_flipped_bit_anywhere_is_refused() -> None:
    for at in range(len(golden.SHORT)):
        flipped = bytearray(golden.SHORT)
        flipped[at] ^= 0x04
        expected = UnknownFormat if at == 0 else NotAuthentic

        with pytest.raises(expected):
            unseal(key=KEY, envelope=bytes(flipped), context=ENTRY_TEXT)


def test_an_envelope_cut_short_anywhere_is_refused() -> None:
    for length in range(len(golden.LONG)):
        with pytest.raises((Truncated, NotAuthentic)) as refused:
            unseal(key=KEY, envelope=golden.LONG[:length], context=REPLY_TEXT)

        assert (refused.type is Truncated) == (length < 5 + 24 + 64 + 16)


def test_an_envelope_with_something_behind_it_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        unseal(key=KEY, envelope=golden.SHORT + b"\0", context=ENTRY_TEXT)


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(ENTRY_TEXT, row=OTHER_ENTRY),
        replace(ENTRY_TEXT, owner=HOUSEMATE),
        replace(ENTRY_TEXT, label="diary.draft.text"),
        replace(ENTRY_TEXT, purpose="snapshot"),
        replace(ENTRY_TEXT, bound=(("diary.entry.day", b"2026-11-21"), ("diary.entry.kind", b"entry"))),
        replace(ENTRY_TEXT, bound=(("diary.entry.kind", b"2026-11-20"), ("diary.entry.day", b"entry"))),
        replace(ENTRY_TEXT, bound=ENTRY_TEXT.bound[:1]),
        replace(ENTRY_TEXT, bound=()),
    ],
    ids=[
        "row",
        "owner",
        "label",
        "purpose",
        "bound value",
        "bound values swapped",
        "bound missing",
        "nothing bound",
    ],
)
def test_an_envelope_moved_elsewhere_is_refused(elsewhere: Context) -> None:
    with pytest.raises(NotAuthentic) as refused:
        unseal(key=KEY, envelope=golden.SHORT, context=elsewhere)

    assert refused.value.code == "not_authentic"


def test_two_envelopes_swapped_between_rows_are_both_refused() -> None:
    there = replace(ENTRY_TEXT, row=OTHER_ENTRY)
    here_sealed = seal(key=KEY, plaintext=b"here", context=ENTRY_TEXT, epoch=1)
    there_sealed = seal(key=KEY, plaintext=b"there", context=there, epoch=1)

    for sealed, context in ((there_sealed, ENTRY_TEXT), (here_sealed, there)):
        with pytest.raises(NotAuthentic):
            unseal(key=KEY, envelope=sealed, context=context)


def test_an_envelope_relabelled_with_another_epoch_is_refused() -> None:
    relabelled = golden.SHORT[:1] + (4).to_bytes(4, "big") + golden.SHORT[5:]

    with pytest.raises(NotAuthentic):
        unseal(key=KEY, envelope=relabelled, context=ENTRY_TEXT)


def test_the_wrong_key_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        unseal(key=subkey(DATA_KEY, SubkeyUse.SNAPSHOT), envelope=golden.SHORT, context=ENTRY_TEXT)


@pytest.mark.parametrize("number", [0, 3, 127, 255])
def test_an_unknown_format_is_refused(number: int) -> None:
    unknown = bytes([number]) + golden.SHORT[1:]

    with pytest.raises(UnknownFormat) as refused:
        unseal(key=KEY, envelope=unknown, context=ENTRY_TEXT)
    with pytest.raises(UnknownFormat):
        read_header(unknown)

    assert refused.value.code == "unknown_format"


@pytest.mark.parametrize("too_short", [b"", b"\x01", b"\x01\0\0\0"])
def test_a_header_cut_short_is_refused(too_short: bytes) -> None:
    with pytest.raises(Truncated):
        read_header(too_short)
    with pytest.raises(Truncated):
        unseal(key=KEY, envelope=too_short, context=ENTRY_TEXT)


def test_an_authentic_envelope_with_foreign_padding_is_refused() -> None:
    """Only a holder of the key can create such an envelope; even then it is refused."""
    aad = b"\x01" + ENTRY_TEXT.encode(3)
    odd = golden.SHORT[:29] + crypto_aead_xchacha20poly1305_ietf_encrypt(
        b"\xff" * 64, aad, golden.SHORT[5:29], KEY
    )

    with pytest.raises(BadPadding):
        unseal(key=KEY, envelope=odd, context=ENTRY_TEXT)


def test_the_golden_former_key_opens_for_ever() -> None:
    """As `accounts.keys.former_keys` describes it."""
    label, key = "accounts.former_key.wrapped", golden.FORMER_KEY_FILE
    context = Context(purpose="former_key", label=label, row=OWNER, owner=OWNER)

    opened = unseal(key=key, envelope=golden.WRAPPED_FORMER_KEY_2, context=context)
    read = reader.open_envelope(
        golden.WRAPPED_FORMER_KEY_2,
        key=key,
        row=OWNER,
        owner=OWNER,
        purpose="former_key",
        label=label,
        bound={},
    )

    assert opened == read == NEXT_DATA_KEY
    assert read_header(golden.WRAPPED_FORMER_KEY_2) == Header(format=2, epoch=2)
