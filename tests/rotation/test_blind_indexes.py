"""Tests that a blind index finds the same rows after a rotation."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from django.db import connection, models

from accounts.models import Person
from accounts.rotation.blind_indexes import BlindIndex, register_blind_index, unregister_blind_index
from accounts.rotation.epoch_change import begin_rotation
from llamora.crypto import REALMS, Keyring, Realm, in_force
from llamora.fields import SealedModel, SealedTextField
from tests.people import Resident

LABEL = "tests.named.name"


class NamedRow(SealedModel):
    """A row with a sealed name and a blind index, of no installed app."""

    owner = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    name = SealedTextField(label="tests.named.words")
    name_index = models.BinaryField(null=True)

    class Meta:
        app_label = "tests_keys"
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "name_index"], name="named_once")]


@pytest.fixture
def named(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Create the table of named rows, with a blind index that rotations compute again."""
    monkeypatch.setitem(REALMS, "tests.named", Realm.CONTENT)
    with connection.schema_editor() as editor:
        editor.create_model(NamedRow)
    register_blind_index(
        BlindIndex(model=NamedRow, column="name_index", label=LABEL, value=lambda row: row.name)
    )
    yield
    unregister_blind_index(LABEL)
    with connection.schema_editor() as editor:
        editor.delete_model(NamedRow)


def compute_index(keyring: Keyring, name: str) -> bytes:
    return keyring.blind_index(label=LABEL, value=name)


def save_named_row(owner: Resident, name: str) -> NamedRow:
    keyring = owner.open_keyring()
    with in_force(keyring):
        return NamedRow.objects.create(owner=owner.person, name=name, name_index=compute_index(keyring, name))


@pytest.mark.usefixtures("named")
def test_the_index_is_made_anew_with_the_next_key(owner: Resident) -> None:
    rows = {name: save_named_row(owner, name) for name in ("river", "bread", "sister")}
    old = compute_index(owner.open_keyring(), "river")

    turned = begin_rotation(owner.open_slot())

    assert not NamedRow.objects.filter(name_index=old).exists()
    for name, row in rows.items():
        assert NamedRow.objects.get(name_index=compute_index(turned.keyring, name)).id == row.id


@pytest.mark.usefixtures("named")
def test_a_housemates_index_stays(owner: Resident, housemate: Resident) -> None:
    theirs = save_named_row(housemate, "river")

    begin_rotation(owner.open_slot())

    assert bytes(NamedRow.objects.get(id=theirs.id).name_index) == bytes(theirs.name_index)


@pytest.mark.usefixtures("named")
def test_a_damaged_row_does_not_keep_the_key_from_being_rotated(owner: Resident) -> None:
    first, second = save_named_row(owner, "river"), save_named_row(owner, "bread")
    NamedRow.objects.filter(id=first.id).delete()
    owner.write_many(3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tests_keys_namedrow SET name = zeroblob(200) WHERE id = %s", [second.id.hex])

    turned = begin_rotation(owner.open_slot())

    assert turned.keyring.epoch == 2
