"""Tests of the encoding of contexts: unambiguous and pinned."""

import struct
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamora.crypto import Context
from tests.crypto import golden, reader
from tests.crypto.cast import ENTRY, ENTRY_TEXT, OWNER

names = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
contexts = st.builds(
    Context,
    purpose=names,
    label=names,
    row=st.uuids(),
    owner=st.uuids(),
    bound=st.dictionaries(names, st.binary(max_size=12), max_size=4).map(lambda bound: tuple(bound.items())),
)
epochs = st.integers(min_value=0, max_value=2**32 - 1)


def decode(encoded: bytes) -> tuple[int, Context]:
    """Decode an encoding into its parts, which shows that the encoding is injective."""
    assert encoded[:19] == b"llamora context v1\n"
    epoch, row, owner = struct.unpack_from(">I16s16s", encoded, 19)
    rest = encoded[55:]

    def take(size: int) -> bytes:
        nonlocal rest
        length = int.from_bytes(rest[:size], "big")
        part, rest = rest[size : size + length], rest[size + length :]
        return part

    purpose, label = take(2).decode(), take(2).decode()
    count, rest = int.from_bytes(rest[:2], "big"), rest[2:]
    bound = tuple((take(2).decode(), take(4)) for _ in range(count))
    assert rest == b""
    return epoch, Context(
        purpose=purpose, label=label, row=UUID(bytes=row), owner=UUID(bytes=owner), bound=bound
    )


@given(contexts, epochs)
def test_an_encoding_reads_back_to_exactly_what_was_encoded(context: Context, epoch: int) -> None:
    read_epoch, read = decode(context.encode(epoch))

    assert read_epoch == epoch
    assert dict(read.bound) == dict(context.bound)
    assert [name for name, _ in read.bound] == sorted(dict(context.bound), key=str.encode)
    assert (read.purpose, read.label, read.row, read.owner) == (
        context.purpose, context.label, context.row, context.owner,
    )  # fmt: skip


@given(names, names, st.binary(max_size=8), st.integers(0, 8))
def test_moving_bytes_across_a_border_changes_the_encoding(
    first: str, second: str, value: bytes, cut: int
) -> None:
    """A naive encoding would join different parts to the same bytes."""
    joined = first + second
    at = 1 + cut % max(1, len(joined) - 1)
    one = Context(purpose=first, label=second, row=ENTRY, owner=OWNER, bound=(("a", value),))
    other = Context(purpose=joined[:at], label=joined[at:], row=ENTRY, owner=OWNER, bound=(("a", value),))

    assert (one.encode(1) == other.encode(1)) == (one == other)


def test_the_order_of_bound_values_does_not_matter() -> None:
    turned = Context(
        purpose="field", label="diary.entry.text", row=ENTRY, owner=OWNER, bound=ENTRY_TEXT.bound[::-1]
    )

    assert turned.encode(3) == ENTRY_TEXT.encode(3)


def test_an_encoding_stays_as_pinned_and_as_the_docstring_says() -> None:
    by_the_book = reader.additional_data(
        number=1,
        epoch=3,
        row=ENTRY,
        owner=OWNER,
        purpose="field",
        label="diary.entry.text",
        bound={"diary.entry.kind": b"entry", "diary.entry.day": b"2026-11-20"},
    )

    assert ENTRY_TEXT.encode(3) == golden.ENTRY_TEXT_AAD
    assert by_the_book == b"\x01" + golden.ENTRY_TEXT_AAD


@pytest.mark.parametrize("epoch", [-1, 2**32])
def test_an_epoch_outside_32_bits_is_refused(epoch: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        ENTRY_TEXT.encode(epoch)


@pytest.mark.parametrize(
    "context",
    [
        replace(ENTRY_TEXT, purpose=""),
        replace(ENTRY_TEXT, label=""),
        replace(ENTRY_TEXT, label="x" * 65536),
        replace(ENTRY_TEXT, bound=(("a", b"1"), ("a", b"2"))),
        replace(ENTRY_TEXT, bound=(("", b""),)),
    ],
    ids=["no purpose", "no label", "long label", "named twice", "no name"],
)
def test_a_context_that_cannot_be_told_from_another_is_refused(context: Context) -> None:
    with pytest.raises(ValueError, match="name"):
        context.encode(1)
