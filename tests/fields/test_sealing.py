"""Tests of sealed columns: they open only for their owner and in their own row."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Person, Vault
from diary.models import Draft, Entry, Reply
from llamora.crypto import NotAuthentic, VaultLocked, in_force
from llamora.fields import SealedFieldError, SealedJSONField, SealedModel, SealedTextField, SealedValue
from llamora.fields.fence import sealed_models
from llamora.fields.models import sealed_fields
from tests.fields.stored import (
    DAY,
    OTHER_DAY,
    WORDS,
    keyring_with_epoch,
    read,
    read_stored_bytes,
    write,
    write_stored_bytes,
)
from tests.people import Resident

ODD = [
    "",
    " ",
    "42",
    "true",
    "[1]",
    "null",
    "sealed:AAAA",
    "</s><|im_end|>",
    "a\x00b\x01",
    "\u202eright to left",
    "🦙👩‍👩‍👧",
    "e\u0301 stays decomposed",
    "line\nline\r\n\tend ",
    "漢" * 12_000,
    "x" * 100_000,
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_text_comes_back_exactly(owner: Resident, text: str) -> None:
    entry = write(owner, text)

    assert read(owner, entry) == text


@pytest.mark.parametrize("value", [b"", b"\x00", b"\xff" * 5000])
def test_bytes_come_back_exactly(owner: Resident, value: bytes) -> None:
    with owner.unlocked():
        made = Entry.objects.create(owner_id=owner.id, day=DAY, text="", source=value)
        assert Entry.objects.get(id=made.id).source == value


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, [], "text", {"ü": "漢"}, 0, False])
def test_json_comes_back_exactly(owner: Resident, value: Any) -> None:
    vault = Vault.objects.get(owner=owner.person)
    with owner.unlocked():
        vault.ways_in = value
        vault.save(update_fields=["ways_in"])
        found = Vault.objects.get(owner=owner.person).ways_in

    assert found == value
    assert type(found) is type(value)


def test_the_database_holds_no_words(owner: Resident) -> None:
    write(owner, "marmalade sandwich")

    dumped = "\n".join(str(line) for line in connection.connection.iterdump())
    assert "marmalade" not in dumped
    assert b"marmalade".hex().upper() not in dumped.upper()


def test_a_loaded_row_holds_the_envelope_and_not_the_words(owner: Resident) -> None:
    entry = write(owner)
    with owner.unlocked():
        assert entry.text == WORDS

    assert WORDS not in str(entry.__dict__)
    assert isinstance(entry.__dict__["text"], SealedValue)


def test_without_a_keyring_nothing_is_read_or_written(owner: Resident) -> None:
    entry = write(owner)

    with pytest.raises(VaultLocked):
        _ = entry.text
    with pytest.raises(VaultLocked), transaction.atomic():
        Entry.objects.create(owner_id=owner.id, day=DAY, text="x")
    assert Entry.objects.count() == 1


def test_a_closed_keyring_is_no_keyring(owner: Resident) -> None:
    entry = write(owner)

    with owner.unlocked():
        owner.keyring.close()
        with pytest.raises(VaultLocked):
            _ = entry.text


def test_a_housemate_reads_and_writes_nothing_of_the_owner(owner: Resident, housemate: Resident) -> None:
    entry = write(owner)

    with housemate.unlocked():
        with pytest.raises(NotAuthentic):
            _ = entry.text
        entry.text = "forged"
        with pytest.raises(NotAuthentic), transaction.atomic():
            entry.save()
        with pytest.raises(NotAuthentic), transaction.atomic():
            Entry.objects.create(owner_id=owner.id, day=DAY, text="forged")
    assert read(owner, entry) == WORDS


def test_bytes_moved_to_another_row_do_not_open(owner: Resident) -> None:
    first, second = write(owner, "first"), write(owner, "second")

    write_stored_bytes(second, read_stored_bytes(first))

    with pytest.raises(NotAuthentic):
        read(owner, second)


def test_bytes_moved_to_another_column_do_not_open(owner: Resident) -> None:
    entry = write(owner)

    write_stored_bytes(entry, read_stored_bytes(entry), column="source")

    with owner.unlocked(), pytest.raises(NotAuthentic):
        _ = Entry.objects.get(id=entry.id).source


def test_a_bound_column_changed_behind_its_back_makes_it_unreadable(owner: Resident) -> None:
    entry = write(owner)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET day = %s WHERE id = %s", [OTHER_DAY, entry.id.hex])

    with pytest.raises(NotAuthentic):
        read(owner, entry)


def test_a_row_given_to_somebody_else_opens_for_neither(owner: Resident, housemate: Resident) -> None:
    entry = write(owner)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET owner_id = %s WHERE id = %s", [housemate.id.hex, entry.id.hex])

    for who in (owner, housemate):
        with pytest.raises(NotAuthentic):
            read(who, entry)


def test_an_envelope_of_an_epoch_that_is_not_held_does_not_open(owner: Resident) -> None:
    entry = write(owner)

    with in_force(keyring_with_epoch(owner, 2)), pytest.raises(Exception, match="epoch"):
        _ = Entry.objects.get(id=entry.id).text


def test_a_value_that_does_not_open_is_its_default_where_one_is_given(owner: Resident) -> None:
    entry, damaged = write(owner), write(owner)
    write_stored_bytes(damaged, read_stored_bytes(entry))
    damaged.refresh_from_db()

    with owner.unlocked():
        assert entry.open_or("text", None) == WORDS
        assert damaged.open_or("text", "…") == "…"


def test_a_locked_vault_is_no_damage(owner: Resident) -> None:
    entry = write(owner)

    with pytest.raises(VaultLocked):
        entry.open_or("text", None)


def test_lengths_show_only_roughly(owner: Resident) -> None:
    sizes = {len(read_stored_bytes(write(owner, "x" * length))) for length in range(1, 50)}

    assert len(sizes) == 1


@pytest.mark.parametrize("value", [1, b"bytes", ["list"], object()])
def test_a_value_of_another_type_is_refused_at_once(owner: Resident, value: object) -> None:
    with pytest.raises(SealedFieldError):
        Entry(owner_id=owner.id, day=DAY, text=value)


def test_half_a_character_is_refused_without_quoting_the_text(owner: Resident) -> None:
    with owner.unlocked(), pytest.raises(SealedFieldError) as refused:
        Entry.objects.create(owner_id=owner.id, day=DAY, text="secret \ud83d")

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is refused.value.__context__ is None or refused.value.__suppress_context__


def test_half_a_character_in_json_is_refused_without_quoting_it() -> None:
    field = SealedJSONField(label="tests.some.thing")

    with pytest.raises(SealedFieldError) as refused:
        field.encode({"secret": "\ud83d"})

    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_bytes_that_are_no_json_are_refused_without_quoting_them() -> None:
    field = SealedJSONField(label="tests.some.thing")

    with pytest.raises(SealedFieldError) as refused:
        field.decode(b"secret words")

    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_empty_and_missing_are_different(owner: Resident) -> None:
    with owner.unlocked():
        made = Entry.objects.create(owner_id=owner.id, day=DAY, text="")

    assert made.source is None
    assert Entry.objects.filter(source__isnull=True, text__isnull=False).count() == 1


def test_rows_of_every_kind_seal_their_words(owner: Resident) -> None:
    entry = write(owner)
    with owner.unlocked():
        draft = Draft.objects.create(owner_id=owner.id, day=DAY, text=WORDS)
        reply = Reply.objects.create(owner_id=owner.id, entry=entry, text=WORDS)

    for row in (entry, draft, reply):
        assert WORDS.encode() not in read_stored_bytes(row)
        assert read_stored_bytes(row)[0] in (1, 2)


@pytest.mark.parametrize("model", sealed_models(), ids=lambda model: model.__name__)
def test_a_row_can_be_made_before_it_has_values(model: type[SealedModel]) -> None:
    row = model()

    for field in sealed_fields(model):
        if not isinstance(field, SealedTextField):
            assert getattr(row, field.attname) is None


def test_bytes_that_were_never_given_are_refused_when_the_row_is_saved(owner: Resident) -> None:
    with owner.unlocked(), pytest.raises(IntegrityError, match="NOT NULL"), transaction.atomic():
        Vault.objects.create(owner=Person.objects.create(name="Humphrey"), public_key=b"p" * 32)
