"""Attacks with rows of keys and sessions in every shape that a database can hold: each is refused.

None causes a server error, none affects another person, and rows that open nothing are deleted.
"""

import html
import io
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import Client

from accounts import error_messages
from accounts.errors import DamagedSlot
from accounts.keys import row_shapes
from accounts.models import KeySlot, SignIn, Unlock, Vault
from accounts.sessions import services as sessions_services
from accounts.throttling.throttle import throttle
from llamora.ops.doctor import household
from tests.people import NEW_PASSWORD, Resident, new_resident, register_resident

TABLES: tuple[type[models.Model], ...] = (KeySlot, Vault, SignIn, Unlock)
COLUMNS = [
    pytest.param(model, column.column, id=f"{model.__name__}.{column.column}")
    for model in TABLES
    for column in model._meta.concrete_fields
]


def get_field(model: type[models.Model], column: str) -> Any:
    return next(field for field in model._meta.concrete_fields if field.column == column)


FEW: tuple[Any, ...] = ("text",)
MORE: tuple[Any, ...] = (
    bytes(70),
    2**63 - 1,
    b"",
    b"\xff" * 16,
    b"\xff" * 40_000,
    "",
    "2026-99-99",
    "now",
    0,
    -1,
    2**31,
    1.5,
    1e300,
)

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class House:
    """An owner with one unlocked, one locked and one new browser, and an unlocked housemate."""

    owner: Resident
    housemate: Resident
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def damage(self, model: type[models.Model], column: str, value: object) -> None:
        owner = {"KeySlot": "owner_id", "Vault": "owner_id", "SignIn": "person_id"}.get(model.__name__)
        of_owner = (
            f"{owner} = %s"
            if owner
            else "sign_in_id IN (SELECT id FROM accounts_signin WHERE person_id = %s)"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE OR IGNORE {model._meta.db_table} SET "{column}" = %s WHERE {of_owner}',
                [value, self.owner.id.hex],
            )

    def save_rows(self) -> None:
        with connection.cursor() as cursor:
            for model in TABLES:
                self.rows[model._meta.db_table] = cursor.execute(
                    f"SELECT * FROM {model._meta.db_table}"
                ).fetchall()

    def restore_rows(self) -> None:
        throttle.clear()
        with connection.cursor() as cursor:
            for table, rows in self.rows.items():
                cursor.execute(f"DELETE FROM {table}")
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


@pytest.fixture
def house() -> Iterator[House]:
    owner, housemate = register_resident("Olive"), new_resident("Humphrey")
    owner.sign_in()
    owner.client.raise_request_exception = False
    house = House(owner, housemate)
    with connection.cursor() as cursor:
        triggers = dict(
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        )
        for name in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute("PRAGMA foreign_keys = OFF")
        house.save_rows()
        yield house
        house.restore_rows()
        for sql in triggers.values():
            cursor.execute(sql)
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


def fresh() -> Client:
    return Client(raise_request_exception=False)


def list_actions(owner: Resident) -> dict[str, Callable[[], Any]]:
    """What the owner may do next; each on what the one before has left."""
    sign_in = {"name": "Olive", "password": owner.password}
    recover = {"name": "Olive", "code": owner.recovery_code, "password": NEW_PASSWORD, "repeat": NEW_PASSWORD}
    return {
        "the day": lambda: owner.get("/"),
        "the day by script": lambda: owner.get("/d/2026-03-05/", script=True),
        "save": lambda: owner.post("/d/2026-03-05/", text="Some words", script=True),
        "settings": lambda: owner.get("/settings/"),
        "browsers": lambda: owner.get("/settings/browsers/"),
        "change password": lambda: owner.post(
            "/settings/password/", current=owner.password, password=NEW_PASSWORD, repeat=NEW_PASSWORD
        ),
        "new code": lambda: owner.post("/settings/recovery-code/", current=owner.password),
        "unlock": lambda: owner.post("/unlock/", password=owner.password),
        "sign in": lambda: fresh().post("/sign-in/", sign_in),
        "recover": lambda: fresh().post("/recover/", recover),
        "lock": lambda: owner.post("/lock/"),
        "unlock again": lambda: owner.post("/unlock/", password=owner.password),
        "sign out others": lambda: owner.post("/settings/browsers/end-others/"),
        "sign out": lambda: owner.post("/sign-out/"),
    }


def find_faults(house: House) -> list[str]:
    """What the server answered as its own error, and whether the housemate noticed."""
    faults = []
    for name, act in list_actions(house.owner).items():
        throttle.clear()
        if (status := act().status_code) >= 500:
            faults.append(f"{name}: {status}")
    if (status := house.housemate.get("/d/2026-03-05/").status_code) != 200:
        faults.append(f"the housemate: {status}")
    return faults


def try_values(house: House, model: type[models.Model], column: str, values: tuple[Any, ...]) -> list[str]:
    faults, cookies = [], dict(house.owner.client.cookies)
    for value in values:
        house.restore_rows()
        house.owner.client.cookies.update(cookies)
        house.damage(model, column, value)
        faults += [f"{value!r:.30}: {fault}" for fault in find_faults(house)]
    return faults


@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_no_shape_of_a_column_is_an_error(house: House, model: type[models.Model], column: str) -> None:
    assert try_values(house, model, column, FEW) == []


@pytest.mark.slow
@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_no_other_shape_is_an_error_either(house: House, model: type[models.Model], column: str) -> None:
    assert try_values(house, model, column, MORE) == []


def list_binary_columns() -> list[Any]:
    """Return the columns of bytes; all but the first of each table are slow."""
    found, seen = [], set()
    for column in COLUMNS:
        if isinstance(get_field(*column.values), models.BinaryField):
            model = column.values[0]
            marks = pytest.mark.slow if model in seen else ()
            found.append(pytest.param(*column.values, id=column.id, marks=marks))
            seen.add(model)
    return found


@pytest.mark.parametrize(("model", "column"), list_binary_columns())
def test_a_number_among_bytes_takes_no_memory(house: House, model: type[models.Model], column: str) -> None:
    """Python makes a million zeros of `bytes(1000000)`: a row could ask for all the memory there is."""
    house.damage(model, column, 100_000_000)
    house.owner.get("/")

    tracemalloc.start()
    try:
        faults = find_faults(house)
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert faults == []
    assert highest < 50_000_000


@pytest.mark.parametrize("value", [bytes(15), bytes(70), "text"])
def test_a_salt_of_another_shape_is_said_in_a_sentence(house: House, value: object) -> None:
    house.damage(KeySlot, "salt", value)

    answer = fresh().post("/sign-in/", {"name": "Olive", "password": house.owner.password})

    assert answer.status_code == 422
    assert error_messages.get_error_message(DamagedSlot()) in html.unescape(answer.content.decode())


def test_the_damage_is_really_done(house: House) -> None:
    """The tests above must be able to fail."""
    house.damage(Unlock, "last_active", "text")

    with connection.cursor() as cursor:
        found = cursor.execute("SELECT CAST(last_active AS BLOB) FROM accounts_unlock").fetchall()

    assert (b"text",) in found
    assert len(set(found)) == 2


def test_damaged_rows_of_browsers_are_tidied_away_and_no_others(house: House) -> None:
    house.damage(SignIn, "created_at", "text")

    sessions_services.end_expired_sessions()

    assert [row.person_id for row in SignIn.objects.all()] == [house.housemate.id]
    assert Unlock.objects.count() == 1
    assert house.housemate.is_unlocked()
    assert house.owner.get("/settings/").status_code == 302


@pytest.mark.parametrize("model", TABLES)
def test_the_doctor_counts_damaged_rows_and_looks_at_the_rest(
    house: House, model: type[models.Model]
) -> None:
    column = {"SignIn": "created_at", "Unlock": "salt"}.get(model.__name__, "public_key")
    assert [found.level for found in household.check_damaged_rows()] == ["ok"]

    house.damage(model, column, "text")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=out)

    assert f"of {model._meta.verbose_name}" in out.getvalue()


def test_an_error_without_a_damaged_row_is_not_called_damage(house: House) -> None:
    assert not row_shapes.is_caused_by_damage(TypeError())

    house.damage(KeySlot, "salt", "text")

    assert row_shapes.is_caused_by_damage(TypeError())
    assert not row_shapes.is_caused_by_damage(KeyError())


def test_rows_as_we_write_them_are_not_damaged(house: House) -> None:
    house.owner.sign_in_elsewhere().sign_in(keep=True)

    assert [row_shapes.count_damaged_rows(model) for model in row_shapes.TABLES] == [0] * len(
        row_shapes.TABLES
    )
