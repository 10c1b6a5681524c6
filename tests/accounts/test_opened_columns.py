"""Tests of the cache of decrypted vault columns: valid only for the exact bytes and key."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.keys import opened_columns
from accounts.keys.opened_columns import load_column
from accounts.keys.sealed_preferences import load_preferences
from accounts.keys.vault_state import load_state
from accounts.models import Vault
from accounts.signals import data_key_rotated, person_deleted
from llamora.crypto import Context, EnvelopeError, Keyring, NotAuthentic, in_force, secret_bytes
from llamora.fields import new_id
from tests.people import Resident

COLUMNS = ("state", "preferences")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of what was opened, in this order."""
    labels: list[str] = []
    unseal = Keyring.unseal

    def record(keyring: Keyring, envelope: bytes, context: Context) -> bytes:
        labels.append(context.label)
        return unseal(keyring, envelope, context)

    monkeypatch.setattr(Keyring, "unseal", record)
    return labels


def write(owner: UUID, **columns: object) -> None:
    """Write columns of a vault as somebody can who has the database and no key."""
    with connection.cursor() as cursor:
        names = ", ".join(f'"{name}" = %s' for name in columns)
        cursor.execute(
            f"UPDATE accounts_vault SET {names} WHERE owner_id = %s", [*columns.values(), owner.hex]
        )
        assert cursor.rowcount == 1


def read_stored(owner: UUID, name: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{name}" FROM accounts_vault WHERE owner_id = %s', [owner.hex])
        return bytes(cursor.fetchone()[0])


def load(vault: Vault, keyring: Keyring, name: str = "preferences") -> Any:
    with in_force(keyring):
        return load_column(vault, name, parse=repr)


def damage(envelope: bytes) -> bytes:
    """Return an envelope of the same epoch with one bit changed."""
    return envelope[:-1] + bytes([envelope[-1] ^ 1])


def test_the_next_request_opens_neither_again(owner: Resident, opened: list[str]) -> None:
    opened_columns._opened.clear()
    assert owner.is_unlocked()
    assert {"accounts.vault.state", "accounts.vault.preferences"} <= set(opened)
    opened.clear()

    assert owner.is_unlocked()

    assert not {"accounts.vault.state", "accounts.vault.preferences"} & set(opened)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("change", [damage, lambda _: None], ids=["one bit", "nothing"])
def test_the_next_request_after_its_bytes_changed_opens_nothing(
    owner: Resident, housemate: Resident, column: str, change: Any
) -> None:
    assert owner.is_unlocked()
    sound = read_stored(owner.id, column)

    write(owner.id, **{column: change(sound)})

    with owner.unlocked():
        changed = owner.get_vault()
        if column == "state":
            assert load_state(changed) is None
        else:
            with pytest.raises(EnvelopeError):
                load_preferences(changed)
    if column == "preferences":
        assert not owner.is_unlocked()
    assert housemate.is_unlocked()


def test_a_preference_that_was_saved_holds_at_the_next_request(owner: Resident) -> None:
    owner.set_preferences(idle_minutes=15)
    assert owner.is_unlocked()

    owner.set_preferences(idle_minutes=30)

    with owner.unlocked():
        assert load_preferences(owner.get_vault())["idle_minutes"] == 30


@pytest.mark.parametrize("column", COLUMNS)
def test_bytes_of_another_row_are_not_believed(owner: Resident, column: str) -> None:
    load(owner.get_vault(), owner.keyring, column)

    write(owner.id, id=new_id().hex)

    with pytest.raises(EnvelopeError):
        load(owner.get_vault(), owner.keyring, column)


def test_bytes_of_another_persons_row_are_not_believed(owner: Resident, housemate: Resident) -> None:
    load(owner.get_vault(), owner.keyring)
    load(housemate.get_vault(), housemate.keyring)

    write(owner.id, preferences=read_stored(housemate.id, "preferences"))

    with pytest.raises(EnvelopeError):
        load(owner.get_vault(), owner.keyring)
    with pytest.raises(EnvelopeError):
        load(owner.get_vault(), housemate.keyring)


def test_bytes_of_another_column_are_not_believed(owner: Resident) -> None:
    load(owner.get_vault(), owner.keyring, "preferences")

    write(owner.id, state=read_stored(owner.id, "preferences"))

    with pytest.raises(EnvelopeError):
        load(owner.get_vault(), owner.keyring, "state")


def test_what_one_key_opened_is_not_believed_under_another(owner: Resident) -> None:
    vault = owner.get_vault()
    load(vault, owner.keyring)

    for other in (
        Keyring(owner=owner.id, epoch=1, keys={1: secret_bytes(32)}),
        Keyring(owner=owner.id, epoch=2, keys={2: owner.data_key}),
        Keyring(owner=new_id(), epoch=1, keys={1: owner.data_key}),
    ):
        with pytest.raises(EnvelopeError):
            load(vault, other)


def test_what_a_key_opened_is_not_believed_once_it_is_a_former_one(owner: Resident) -> None:
    vault, next_key = owner.get_vault(), secret_bytes(32)
    load(vault, owner.keyring)

    # Not even with it: columns of a vault open in its current epoch only.
    for keys in ({2: next_key}, {1: owner.data_key, 2: next_key}):
        with pytest.raises(NotAuthentic):
            load(vault, Keyring(owner=owner.id, epoch=2, keys=keys))


def test_a_value_that_was_assigned_wins_over_what_was_opened(owner: Resident) -> None:
    vault = owner.get_vault()
    load(vault, owner.keyring)

    vault.preferences = {"model": "wren:3b"}

    assert load(vault, owner.keyring) == "{'model': 'wren:3b'}"


def test_a_caller_changes_only_its_own_copy(owner: Resident) -> None:
    with owner.unlocked():
        load_preferences(owner.get_vault())["idle_minutes"] = 1

        assert load_preferences(owner.get_vault())["idle_minutes"] is None


@pytest.mark.django_db(transaction=True)
def test_nothing_stays_in_memory_after_the_last_lock(owner: Resident, housemate: Resident) -> None:
    assert owner.is_unlocked()
    assert housemate.is_unlocked()

    owner.lock()

    held = {place[0].owner for place in opened_columns._opened}
    assert held & {owner.id, housemate.id} == {housemate.id}


@pytest.mark.parametrize("signal", [data_key_rotated, person_deleted])
def test_nothing_stays_in_memory_of_a_key_that_was_replaced_or_of_a_person_who_left(
    owner: Resident, signal: Any
) -> None:
    assert owner.is_unlocked()
    former = owner.keyring.key_id

    signal.send_robust(None, person_id=owner.id, keyring=owner.keyring, former_key_id=former)

    assert owner.id not in {place[0].owner for place in opened_columns._opened}


def test_their_number_is_bounded(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_columns, "_MAX_COLUMNS", 1)

    for name in COLUMNS:
        load(owner.get_vault(), owner.keyring, name)

    assert [place[2] for place in opened_columns._opened] == [COLUMNS[-1]]
