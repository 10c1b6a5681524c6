"""Tests of the text of access tokens: a single spelling, with a checksum."""

from uuid import UUID

import pytest

from llamora.crypto import DamagedToken, NoToken, TokenText, new_token, parse_token
from tests.crypto import reader
from tests.crypto.cast import SLOT

SECRET = bytes(range(32))
TOKEN = TokenText(SLOT, SECRET)
# Made once: it must be read for ever.
GOLDEN = "llamora_01jbrc8yg0e008000000000051_0001081g81860w40j2gb1g6gw3rg2491650n2rbhg68t3ce1t7gz_wpcpr1"
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def encode(number: int, *, letters: int) -> str:
    return "".join(LETTERS[number >> 5 * at & 31] for at in reversed(range(letters)))


def check(text: str) -> str:
    digest = reader.personal_blake2b(data=text.encode(), key=b"", person="llamora.tokcheck")
    return encode(int.from_bytes(digest[:4], "big") >> 2, letters=6)


def test_the_golden_token_is_read_for_ever() -> None:
    assert TOKEN.encode() == GOLDEN
    assert parse_token(GOLDEN) == TOKEN


def test_a_token_is_written_as_documented() -> None:
    body = f"llamora_{encode(SLOT.int, letters=26)}_{encode(int.from_bytes(SECRET, 'big'), letters=52)}"

    assert TOKEN.encode() == f"{body}_{check(body)}"
    assert len(TOKEN.encode()) == 94


def test_the_key_of_a_token_is_made_as_documented() -> None:
    assert TOKEN.derive_key() == reader.personal_blake2b(data=SLOT.bytes, key=SECRET, person="llamora.token")


def test_each_token_has_a_secret_of_its_own() -> None:
    one, other = new_token(SLOT), new_token(SLOT)

    assert one.secret != other.secret
    assert len(one.secret) == 32
    assert parse_token(one.encode()) == one


def test_the_extreme_tokens_are_read() -> None:
    for token in (TokenText(UUID(int=0), bytes(32)), TokenText(UUID(int=2**128 - 1), b"\xff" * 32)):
        assert parse_token(token.encode()) == token


def test_white_space_around_a_copied_token_is_left_out() -> None:
    assert parse_token(f"\n  {GOLDEN}\r\n") == TOKEN


@pytest.mark.parametrize(
    "text", ["", "llamora", "Llamora_" + GOLDEN[8:], "sk-" + GOLDEN, "000G-40R4-0M30", GOLDEN.upper()]
)
def test_a_text_of_another_kind_is_no_token(text: str) -> None:
    with pytest.raises(NoToken) as refused:
        parse_token(text)

    assert refused.value.code == "no_token"


def test_a_token_with_one_wrong_character_anywhere_is_damaged() -> None:
    for at in range(len("llamora_"), len(GOLDEN)):
        for letter in ("0" if GOLDEN[at] != "0" else "1", "U", "é", " ", "_" if GOLDEN[at] != "_" else "0"):
            with pytest.raises(DamagedToken) as refused:
                parse_token(GOLDEN[:at] + letter + GOLDEN[at + 1 :])
            assert refused.value.code == "damaged_token"


@pytest.mark.parametrize(
    "text", [GOLDEN[:-1], GOLDEN[:60], GOLDEN + "0", "llamora_", GOLDEN[:8] + GOLDEN, GOLDEN + "_" + GOLDEN]
)
def test_a_token_that_was_cut_or_pasted_twice_is_damaged(text: str) -> None:
    with pytest.raises(DamagedToken):
        parse_token(text)


@pytest.mark.parametrize(("token_id", "secret"), [(2**128, 0), (0, 2**256)], ids=["id", "secret"])
def test_a_number_too_large_is_no_second_spelling_of_a_token(token_id: int, secret: int) -> None:
    body = f"llamora_{encode(token_id, letters=26)}_{encode(secret, letters=52)}"

    with pytest.raises(DamagedToken):
        parse_token(f"{body}_{check(body)}")


def test_a_letter_moved_across_the_line_is_no_second_spelling_of_a_token() -> None:
    body = f"llamora_{encode(SLOT.int, letters=26)[1:]}_{encode(int.from_bytes(SECRET, 'big'), letters=53)}"

    with pytest.raises(DamagedToken):
        parse_token(f"{body}_{check(body)}")


@pytest.mark.parametrize(
    "letter", ["+", "-", " ", "_", "A", "i", "l", "o", "u", "١", "٣", "\u00a0", "\0", "\uff11"]
)
@pytest.mark.parametrize("at", [0, 1, 20, -1], ids=["first", "second", "middle", "last"])
def test_a_character_that_is_no_letter_of_a_token_is_damage_also_with_a_right_check(
    letter: str, at: int
) -> None:
    """A number of Python may have signs, spaces, underscores, capitals and digits of other scripts."""
    for place in (1, 2):
        parts = GOLDEN.split("_")
        letters = list(parts[place])
        letters[at] = letter
        parts[place] = "".join(letters)
        body = "_".join(parts[:3])

        with pytest.raises(DamagedToken):
            parse_token(f"{body}_{check(body)}")


def test_no_error_and_no_print_shows_a_token() -> None:
    assert SECRET.hex() not in repr(TOKEN)
    assert repr(SECRET) not in repr(TOKEN)
    for text in (GOLDEN[:-1], "my secret"):
        with pytest.raises((DamagedToken, NoToken)) as refused:
            parse_token(text)
        assert text not in str(refused.value)
        assert refused.value.args == ()
