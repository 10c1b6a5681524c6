"""Tests of keyed digests: unambiguous and pinned."""

from hypothesis import given
from hypothesis import strategies as st

from llamora.crypto import keyed_digest, secret_bytes
from tests.crypto import golden, reader

KEY = bytes(range(32))
parts = st.lists(st.binary(max_size=6), max_size=4)


@given(parts, parts)
def test_digests_are_equal_for_the_same_parts_only(one: list[bytes], other: list[bytes]) -> None:
    assert (keyed_digest(KEY, one) == keyed_digest(KEY, other)) == (one == other)


def test_borders_between_parts_count() -> None:
    digests = {
        keyed_digest(KEY, parts)
        for parts in ([b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"abc", b""], [], [b""])
    }

    assert len(digests) == 6


def test_another_key_gives_another_digest() -> None:
    assert keyed_digest(KEY, [b"snow"]) != keyed_digest(secret_bytes(), [b"snow"])


def test_a_digest_is_pinned_and_made_as_documented() -> None:
    by_the_book = reader.personal_blake2b(
        data=bytes(7) + b"\x02ab" + bytes(7) + b"\x01c", key=KEY, person="llamora.digest"
    )

    assert keyed_digest(KEY, iter([b"ab", b"c"])) == golden.DIGEST == by_the_book
