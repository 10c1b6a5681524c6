"""Tests of padding: its lengths, and refused paddings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.crypto import BadPadding, pad, padded_size, unpad


@given(st.binary(max_size=5000))
def test_what_is_padded_comes_back(plaintext: bytes) -> None:
    padded = pad(plaintext)

    assert unpad(padded) == plaintext
    assert len(padded) == padded_size(len(plaintext)) >= 64


@given(st.integers(min_value=0, max_value=2**31))
def test_padding_adds_at_most_twelve_per_cent_above_the_smallest(length: int) -> None:
    total = max(64, 4 + length)

    assert total <= padded_size(length) <= total * 1.12


def test_lengths_nearby_look_alike() -> None:
    sizes = {padded_size(length) for length in range(1000, 2000)}

    assert padded_size(0) == padded_size(60) == 64
    assert len(sizes) < 40


def test_sizes_are_those_of_the_paper() -> None:
    """Padme rounds a length L up so that only about log2(log2 L) leading bits vary."""
    assert [padded_size(length - 4) for length in (64, 65, 100, 1000, 9000, 1_000_000)] == [
        64, 72, 104, 1024, 9216, 1_015_808,
    ]  # fmt: skip


@given(st.binary(max_size=300), st.data())
def test_a_padding_with_a_changed_byte_is_refused_or_another_plaintext(
    plaintext: bytes, data: st.DataObject
) -> None:
    padded = bytearray(pad(plaintext))
    at = data.draw(st.integers(4 + len(plaintext), len(padded)))
    if at == len(padded):
        padded.append(0)
    else:
        padded[at] ^= 1

    with pytest.raises(BadPadding):
        unpad(bytes(padded))


@pytest.mark.parametrize(
    "padded",
    [b"", bytes(63), b"\xff" * 64, (61).to_bytes(4, "big") + bytes(60), (100).to_bytes(4, "big") + bytes(60)],
)
def test_what_is_no_padding_is_refused(padded: bytes) -> None:
    with pytest.raises(BadPadding):
        unpad(padded)


def test_a_plaintext_padded_more_than_needed_is_refused() -> None:
    """Each plaintext has one valid padding, so that lengths carry no hidden information."""
    roomy = (5).to_bytes(4, "big") + b"hello" + bytes(128 - 9)

    with pytest.raises(BadPadding):
        unpad(roomy)
