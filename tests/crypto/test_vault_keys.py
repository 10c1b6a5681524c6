"""Tests of boxes that are sealed to the public key of a vault."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_box_seal

from llamora.crypto import (
    Context,
    NotAuthentic,
    Truncated,
    UnknownFormat,
    new_vault_keys,
    open_sealed,
    seal_to,
)
from tests.crypto import golden
from tests.crypto.cast import ENTRY, ENTRY_TEXT, OTHER_ENTRY, OWNER

PRIVATE, PUBLIC = golden.VAULT_PRIVATE, golden.VAULT_PUBLIC
REPLY_TEXT = Context(purpose="field", label="diary.reply.text", row=ENTRY, owner=OWNER)


@given(st.binary(max_size=500))
def test_only_the_private_half_opens_what_was_sealed_to_the_public_one(plaintext: bytes) -> None:
    sealed = seal_to(PUBLIC, plaintext)
    strangers_private, strangers_public = new_vault_keys()

    assert open_sealed(PRIVATE, PUBLIC, sealed) == plaintext
    with pytest.raises(NotAuthentic):
        open_sealed(strangers_private, strangers_public, sealed)


def test_the_golden_sealed_value_opens_for_ever() -> None:
    assert open_sealed(PRIVATE, PUBLIC, golden.SEALED_TO_VAULT, context=REPLY_TEXT) == b"while locked"


def test_lengths_are_hidden() -> None:
    assert len(seal_to(PUBLIC, b"a")) == len(seal_to(PUBLIC, b"a" * 60))


@pytest.mark.parametrize(
    "context", [None, replace(ENTRY_TEXT, row=OTHER_ENTRY), replace(ENTRY_TEXT, bound=())]
)
def test_a_sealed_value_moved_elsewhere_is_refused(context: Context | None) -> None:
    sealed = seal_to(PUBLIC, b"while locked", context=ENTRY_TEXT)

    assert open_sealed(PRIVATE, PUBLIC, sealed, context=ENTRY_TEXT) == b"while locked"
    with pytest.raises(NotAuthentic):
        open_sealed(PRIVATE, PUBLIC, sealed, context=context)


def test_a_flipped_byte_anywhere_is_refused() -> None:
    sealed = golden.SEALED_TO_VAULT

    for at in range(len(sealed)):
        flipped = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(UnknownFormat if at == 0 else NotAuthentic):
            open_sealed(PRIVATE, PUBLIC, flipped, context=REPLY_TEXT)


def test_a_value_cut_short_is_refused() -> None:
    for length in range(len(golden.SEALED_TO_VAULT)):
        with pytest.raises(Truncated):
            open_sealed(PRIVATE, PUBLIC, golden.SEALED_TO_VAULT[:length], context=REPLY_TEXT)


def test_a_box_without_a_binding_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        open_sealed(PRIVATE, PUBLIC, b"\x01" + crypto_box_seal(bytes(96), PUBLIC))
