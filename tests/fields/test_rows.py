"""Tests of bulk decryption without model instances: it opens exactly the rows that instances open."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from llamora.crypto import Context, Keyring, Realm, RowContext, VaultLocked, encode_value
from llamora.fields.rows import OpenedRows, RowReader, format_id, format_moment
from llamora.fields.sealed import SealedField
from tests.people import Resident
from tests.traces.facts.fact_steps import accept_new, add_fact
from traces.facts.models import Fact

NAMES = ("id", "entry_id", "state", "subject_index", "created_at", "changed_at")
HEADER = b"\x02\0\0\0\x01"
LATER = "2027-01-02 03:04:05.678901"


def store(fact: Fact, column: str, value: Any) -> None:
    """Write a value of a fact as somebody without a key can."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE traces_fact SET {column} = %s WHERE id = %s", [value, fact.id.hex])


def build_reader(owner: Resident, opened: OpenedRows | None = None, **options: Any) -> RowReader:
    rows = Fact.objects.for_owner(owner.id).order_by("created_at")
    return RowReader(rows, "body", NAMES, opened=opened, **{"keyring": owner.keyring, **options})


def read(owner: Resident, opened: OpenedRows | None = None) -> list[tuple[list[Any], bytes | None]]:
    reader = build_reader(owner, opened)
    convert = reader.build_converter(NAMES)
    return [(convert(row), plaintext) for row, plaintext in reader]


def open_rows(owner: Resident, *, most_bytes: int = 2**20) -> OpenedRows:
    """Return the opened facts of a person, as many as there is room for."""
    opened = OpenedRows(owner.keyring.get_key_id(Realm.FACTS), most_bytes=most_bytes)
    reader = build_reader(owner)
    for row, plaintext in reader:
        assert plaintext is not None
        reader.add_opened(opened, row, plaintext)
    return opened


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "accepted"),
        ("state", "ended"),
        ("state", b"accepted"),
        ("origin", "program"),
        ("entry_id", None),
        ("entry_id", "0" * 32),
        ("entry_id", b"\xff"),
        ("subject_index", b"x" * 32),
        ("subject_index", "x" * 32),
        ("mac", None),
        ("mac", HEADER + b"x" * 32),
        ("mac", HEADER),
        ("body", HEADER),
        ("body", HEADER + b"x" * 200),
        ("created_at", LATER),
        ("created_at", "no moment"),
        ("created_at", 5),
        ("changed_at", LATER[:19]),
    ],
)
def test_a_row_opens_exactly_when_its_instance_does(owner: Resident, column: str, value: Any) -> None:
    entry = owner.write("Walked the dog.")
    facts = [accept_new(owner, "You have a dog", entry=entry), add_fact(owner, "You like tea")]
    before = open_rows(owner)
    store(facts[0], column, value)

    with owner.unlocked():
        expected = {row.id: row.open_or("body", None) for row in Fact.objects.for_owner(owner.id)}
        opened = read(owner)

        assert {values[0]: plaintext is not None for values, plaintext in opened} == {
            id_: body is not None for id_, body in expected.items()
        }
        for values, _ in opened:
            row = Fact.objects.get(id=values[0])
            assert values == [getattr(row, name) for name in NAMES]
        assert read(owner, before) == opened


@pytest.mark.parametrize(
    ("change", "opens"),
    [
        (lambda stored: stored[:19], False),
        (lambda stored: stored[:23] + "999", True),
        # The same digits, of another moment: in another zone, or in a week's date.
        (lambda stored: stored[:23] + "+01", False),
        (lambda stored: stored[:10] + "T" + stored[11:], True),
        (lambda stored: stored + "+00:00", True),
    ],
)
def test_a_moment_in_another_form_is_that_moment_or_damaged(
    owner: Resident, change: Any, *, opens: bool
) -> None:
    fact = add_fact(owner, "You like tea")
    with connection.cursor() as cursor:
        cursor.execute("SELECT created_at FROM traces_fact")
        (stored,) = cursor.fetchone()
    assert len(stored) == len(LATER)
    store(fact, "created_at", change(stored))

    with owner.unlocked():
        [(values, plaintext)] = read(owner)
        row = Fact.objects.get()

        assert (plaintext is not None) is opens is (row.open_or("body", None) is not None)
        assert values[4] == row.created_at


def test_ids_and_moments_are_written_as_in_every_export() -> None:
    id_ = UUID("01a22b3f-bbde-73cd-9b64-1c432e81d488")

    assert format_id(id_.hex) == str(id_)
    assert format_moment(LATER) == "2027-01-02T03:04:05.678901+00:00"
    assert format_moment(LATER[:19]) is format_moment(5) is None


@given(
    st.uuids(), st.dictionaries(st.sampled_from("abcde"), st.binary(max_size=9)), st.integers(1, 2**32 - 1)
)
def test_a_context_of_a_row_is_encoded_like_any_other(row: UUID, bound: dict[str, bytes], epoch: int) -> None:
    owner = UUID(int=7)
    context = Context(purpose="field", label="a.b.c", row=row, owner=owner, bound=tuple(bound.items()))
    of_rows = RowContext(purpose="field", label="a.b.c", owner=owner, names=tuple(bound))
    for id_ in (UUID(int=1), row):
        of_rows.set_row(id_.bytes, [encode_value(list(bound.values())[place]) for place in of_rows.order])

    assert of_rows.encode(epoch) == context.encode(epoch)
    with pytest.raises(ValueError, match="size"):
        of_rows.set_row(row.bytes, [b""] * (len(bound) + 1))


# --- Rows that were opened before --------------------------------------------------------------------------


@pytest.fixture
def decrypted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The envelopes that are decrypted from now on."""
    envelopes: list[bytes] = []
    unseal_in = SealedField.unseal_in

    def unseal(self: SealedField, keyring: Any, envelope: bytes, context: Any) -> bytes:
        envelopes.append(envelope)
        return unseal_in(self, keyring, envelope, context)

    monkeypatch.setattr(SealedField, "unseal_in", unseal)
    return envelopes


def test_a_row_that_did_not_change_is_not_decrypted_again(owner: Resident, decrypted: list[bytes]) -> None:
    facts = [add_fact(owner, "You like tea"), add_fact(owner, "You have a dog")]
    opened, expected = open_rows(owner), read(owner)
    decrypted.clear()

    assert read(owner, opened) == expected
    assert decrypted == []
    # A program that may read facts has the keys of their realm alone.
    program = owner.keyring.restrict([Realm.FACTS])
    assert [plaintext for _, plaintext in build_reader(owner, opened, keyring=program)] == [
        plaintext for _, plaintext in expected
    ]
    assert decrypted == []
    opened.discard(facts[0].id.hex)
    assert read(owner, opened) == expected
    assert len(decrypted) == len(opened) == 1


def test_opened_rows_are_found_with_the_same_open_keys_alone(owner: Resident, decrypted: list[bytes]) -> None:
    add_fact(owner, "You like tea")
    opened = open_rows(owner)
    other = Keyring(owner=owner.id, epoch=owner.keyring.epoch, keys={owner.keyring.epoch: bytes(32)})
    closed = owner.keyring.restrict([Realm.FACTS])
    reader = build_reader(owner, opened, keyring=closed)
    closed.close()

    assert [plaintext for _, plaintext in build_reader(owner, opened, keyring=other)] == [None]
    with pytest.raises(VaultLocked):
        list(reader)
    with pytest.raises(VaultLocked):
        list(build_reader(owner, opened, keyring=owner.keyring.restrict([Realm.CONTENT])))


def test_opened_rows_take_no_more_memory_than_they_may(owner: Resident) -> None:
    fact = add_fact(owner, "You like tea")
    size = open_rows(owner).size
    add_fact(owner, "You have a dog")

    both, one = open_rows(owner), open_rows(owner, most_bytes=size)

    assert (len(both), len(one), one.size) == (2, 1, size)
    assert size < both.size
    assert [plaintext for _, plaintext in read(owner, one)] == [plaintext for _, plaintext in read(owner)]
    one.discard(fact.id.hex)
    both.close()
    both.add(fact.id.hex, (), b"")
    assert (len(one), one.size, len(both), both.size) == (0, 0, 0, 0)
