"""Tests of envelopes of format 1, which were bound to fewer columns, in rows without a MAC."""

import pytest
from django.db import transaction

from diary.models import Entry
from llamora.crypto import (
    FORMAT_1,
    FORMAT_2,
    FormerFormat,
    Keyring,
    NotAuthentic,
    in_force,
    read_header,
    secret_bytes,
)
from llamora.fields import SealedField
from llamora.fields.rows import RowReader
from tests.fields.stored import (
    OTHER_DAY,
    WORDS,
    change_behind_the_back,
    read_stored_bytes,
    write,
    write_stored_bytes,
)
from tests.people import Resident
from tests.rotation.format_1 import seal_in_format_1

TEXT = Entry._meta.get_field("text")
LATER = {"revision": 7, "origin": "imported", "utc_offset": -3600, "deleted_at": "2026-11-22 09:30:15"}


@pytest.fixture
def entry(owner: Resident) -> Entry:
    """An entry as a version before format 2 wrote it."""
    assert isinstance(TEXT, SealedField)
    entry = write(owner)
    columns = entry.get_current_columns(TEXT)
    context = TEXT.context_for(columns, number=FORMAT_1)
    sealed = seal_in_format_1(WORDS.encode(), context, data_key=owner.data_key, epoch=1)
    write_stored_bytes(entry, sealed)
    change_behind_the_back(entry, mac=None)
    return Entry.objects.get(id=entry.id)


@pytest.fixture
def former(owner: Resident) -> Keyring:
    """The owner's keyring as it is before the move to format 2."""
    return Keyring(owner=owner.id, epoch=1, keys={1: owner.data_key}, format_2_since=2)


@pytest.fixture
def moving(owner: Resident) -> Keyring:
    """The owner's keyring while the move to format 2 is unfinished."""
    return Keyring(owner=owner.id, epoch=2, keys={1: owner.data_key, 2: secret_bytes()}, format_2_since=2)


def load(entry: Entry) -> Entry:
    return Entry.objects.get(id=entry.id)


def test_what_was_not_bound_in_format_1_may_have_changed(entry: Entry, former: Keyring) -> None:
    change_behind_the_back(entry, **LATER)

    with in_force(former):
        assert load(entry).text == WORDS


def test_what_was_bound_in_format_1_still_is(entry: Entry, former: Keyring) -> None:
    change_behind_the_back(entry, day=OTHER_DAY)

    with in_force(former), pytest.raises(NotAuthentic):
        _ = load(entry).text


def test_a_format_1_envelope_opens_nowhere_under_format_2(entry: Entry, owner: Resident) -> None:
    with owner.unlocked(), pytest.raises(NotAuthentic):
        _ = load(entry).text
    change_behind_the_back(entry, mac=owner_code(entry, owner))
    with owner.unlocked(), pytest.raises(NotAuthentic):
        _ = load(entry).text


def owner_code(entry: Entry, owner: Resident) -> bytes:
    """Return the code of an entry under its owner's current key."""
    field = Entry._meta.get_field("mac")
    assert isinstance(field, SealedField)
    return owner.keyring.compute_mac(field.context_for(load(entry).get_current_columns(field)))


@pytest.mark.parametrize("changes", [{"text": "new"}, {"day": OTHER_DAY}], ids=["text", "day"])
def test_a_diary_of_format_1_saves_nothing_that_would_be_sealed(
    entry: Entry, former: Keyring, changes: dict[str, object]
) -> None:
    before = read_stored_bytes(entry)

    for column, value in changes.items():
        setattr(entry, column, value)
    with in_force(former), pytest.raises(FormerFormat), transaction.atomic():
        entry.save()

    assert read_stored_bytes(entry) == before


def test_a_diary_of_format_1_makes_no_codes(entry: Entry, former: Keyring) -> None:
    """They are made by the move to format 2, for all rows at once."""
    with in_force(former):
        entry.deleted_at = entry.created_at
        entry.save(update_fields=["deleted_at"])

        assert load(entry).text == WORDS
    assert load(entry).__dict__["mac"] is None


def test_an_envelope_is_moved_to_format_2_and_bound_to_all(entry: Entry, moving: Keyring) -> None:
    assert isinstance(TEXT, SealedField)
    columns = entry.get_current_columns(TEXT)

    moved = TEXT.reseal(moving, read_stored_bytes(entry), columns)

    assert read_header(read_stored_bytes(entry)).format == FORMAT_1
    assert read_header(moved).format == FORMAT_2
    assert TEXT.unseal(moving, moved, columns) == WORDS.encode()
    for column, value in {"revision": 7, "origin": "imported", "utc_offset": -3600, "day": OTHER_DAY}.items():
        with pytest.raises(NotAuthentic):
            TEXT.unseal(moving, moved, {**columns, column: value})


@pytest.mark.parametrize("keys", ["former", "moving", "current"])
def test_a_reader_of_rows_opens_it_as_its_instance_does(
    owner: Resident, entry: Entry, former: Keyring, moving: Keyring, keys: str
) -> None:
    keyring = {"former": former, "moving": moving, "current": owner.keyring}[keys]
    rows = RowReader(Entry.objects.filter(id=entry.id), "text", ("id", "day"), keyring=keyring)

    [(_, plaintext)] = rows

    with in_force(keyring):
        opened = load(entry).open_or("text", None)
    assert plaintext == (None if opened is None else opened.encode())
    assert (plaintext is not None) is (keys == "former")
