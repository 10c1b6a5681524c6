"""Tests of browser keys, and of MACs made with them."""

from dataclasses import replace
from hashlib import blake2b
from uuid import UUID

import pytest

from llamora.crypto import (
    Context,
    DraftKey,
    EnvelopeError,
    NotAuthentic,
    check_draft_mac,
    compute_draft_mac,
    derive_browser_key,
    encode_draft_key,
    open_draft_key,
)
from tests.crypto.cast import ENTRY, OTHER_ENTRY, OWNER

HALF, SIGN_IN = bytes(range(32)), UUID(int=7)
KEY = DraftKey(3, bytes(range(100, 132)))
BROWSER_KEY = derive_browser_key(HALF, sign_in_id=SIGN_IN)
CONTEXT = Context(purpose="late_draft", label="diary.late_draft.box", row=ENTRY, owner=OWNER)


def pad_person(name: bytes) -> bytes:
    return name.ljust(16, b"\0")


def test_a_key_is_made_as_documented() -> None:
    expected = blake2b(SIGN_IN.bytes, key=HALF, digest_size=32, person=pad_person(b"llamora.browser"))

    assert expected.digest() == BROWSER_KEY


def test_a_draft_key_is_stored_as_documented() -> None:
    content = OWNER.bytes + (3).to_bytes(4, "big") + KEY.public
    mac = blake2b(
        b"\1key" + content, key=BROWSER_KEY, digest_size=32, person=pad_person(b"llamora.bmac")
    ).digest()

    stored = encode_draft_key(KEY, browser_key=BROWSER_KEY, owner=OWNER)

    assert stored == b"\1" + (3).to_bytes(4, "big") + KEY.public + mac
    assert open_draft_key(stored, browser_key=BROWSER_KEY, owner=OWNER) == KEY


def test_a_draft_has_its_code_as_documented() -> None:
    encoded = CONTEXT.encode(0)
    data = b"\1draft" + len(encoded).to_bytes(4, "big") + encoded + b"the box"
    expected = blake2b(data, key=BROWSER_KEY, digest_size=32, person=pad_person(b"llamora.bmac")).digest()

    assert compute_draft_mac(BROWSER_KEY, box=b"the box", context=CONTEXT) == expected
    check_draft_mac(BROWSER_KEY, expected, box=b"the box", context=CONTEXT)


def test_another_browser_or_owner_has_another_draft_key() -> None:
    stored = encode_draft_key(KEY, browser_key=BROWSER_KEY, owner=OWNER)

    for key, owner in (
        (derive_browser_key(HALF, sign_in_id=UUID(int=8)), OWNER),
        (derive_browser_key(bytes(32), sign_in_id=SIGN_IN), OWNER),
        (BROWSER_KEY, UUID(int=9)),
    ):
        with pytest.raises(NotAuthentic):
            open_draft_key(stored, browser_key=key, owner=owner)


@pytest.mark.parametrize("place", range(1 + 4 + 32 + 32))
def test_no_byte_of_a_draft_key_can_be_changed(place: int) -> None:
    stored = bytearray(encode_draft_key(KEY, browser_key=BROWSER_KEY, owner=OWNER))
    stored[place] ^= 1

    with pytest.raises(EnvelopeError):
        open_draft_key(bytes(stored), browser_key=BROWSER_KEY, owner=OWNER)


@pytest.mark.parametrize("stored", [b"", b"\1", b"\2" * 69, b"\1" * 68, b"\1" * 70])
def test_what_is_no_draft_key_is_refused(stored: bytes) -> None:
    with pytest.raises(EnvelopeError):
        open_draft_key(stored, browser_key=BROWSER_KEY, owner=OWNER)


def test_a_code_is_of_one_box_in_one_context_by_one_browser() -> None:
    mac = compute_draft_mac(BROWSER_KEY, box=b"the box", context=CONTEXT)
    moved = replace(CONTEXT, row=OTHER_ENTRY)

    for key, box, context in (
        (BROWSER_KEY, b"the bux", CONTEXT),
        (BROWSER_KEY, b"the box", moved),
        (bytes(32), b"the box", CONTEXT),
    ):
        with pytest.raises(NotAuthentic):
            check_draft_mac(key, mac, box=box, context=context)
    for other in (b"", mac[:-1], mac + b"\0"):
        with pytest.raises(NotAuthentic):
            check_draft_mac(BROWSER_KEY, other, box=b"the box", context=CONTEXT)


def test_a_half_of_another_length_makes_no_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_browser_key(b"short", sign_in_id=SIGN_IN)
