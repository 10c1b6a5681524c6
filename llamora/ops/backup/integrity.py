"""Checks of a database file without any key: pages, references, fence triggers and envelopes.

The first bytes of an envelope are readable without a key: its format, which must be a known one, and its
epoch, which must be the epoch of its owner's vault.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

from accounts.models import FormerKey, Vault
from accounts.usernames import replace_control_characters
from llamora import crypto
from llamora.database import disk, indexes
from llamora.fields import MacField
from llamora.fields.fence import fence_triggers, sealed_models
from llamora.fields.models import sealed_fields
from llamora.ops.backup.snapshot import StopCheck, never_stop, open_database
from llamora.ops.errors import OperationRefused

NEWER = "The database was written by a newer Llamora. Update the program."
_MAX_LINES = 10
_PROGRESS_STEPS = 200_000


@dataclass(kw_only=True)
class SealedColumnCensus:
    """Counts of the envelopes of one sealed column: in all, by format, of former epochs, and invalid."""

    label: str
    is_code: bool = False  # codes of plaintext columns, not encrypted values
    may_be_of_former_epoch: bool = True
    envelopes: int = 0
    formats: dict[int, int] = field(default_factory=dict)
    awaiting_rotation: int = 0  # under the former key of a rotation that is not finished
    damaged: int = 0  # damaged before their key was destroyed, or written since by somebody else
    invalid: int = 0

    def add_envelopes(self, *, begins: bytes, epoch: int | None, is_former: bool, many: int) -> None:
        """Add `many` envelopes to the counts; all of them begin with the bytes `begins`."""
        self.envelopes += many
        try:
            head = crypto.read_header(begins)
        except crypto.EnvelopeError:
            self.invalid += many
            return
        self.formats[head.format] = self.formats.get(head.format, 0) + many
        if head.epoch == epoch:
            return
        if is_former:
            self.awaiting_rotation += many
        elif self.may_be_of_former_epoch and epoch is not None and 1 <= head.epoch < epoch:
            self.damaged += many
        else:
            self.invalid += many


@dataclass(kw_only=True)
class IntegrityReport:
    """The result of a check without a key: the problems found, and the counts of envelopes.

    `damage` lists losses that have already happened; the rest can still be backed up and restored.
    """

    problems: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    columns: list[SealedColumnCensus] = field(default_factory=list)

    @property
    def envelopes(self) -> int:
        """The number of encrypted values in all columns."""
        return sum(column.envelopes for column in self.columns if not column.is_code)


def check_database(
    path: Path, *, with_triggers: bool = True, stop: StopCheck = never_stop
) -> IntegrityReport:
    """Check a database file and return the problems; an unreadable file is a problem, too.

    Raise OperationRefused if the database is from a newer version of the program. Without `with_triggers`,
    missing fence triggers are no problem; unknown triggers always are.
    """
    try:
        with closing(open_database(path)) as database:
            database.set_progress_handler(stop, _PROGRESS_STEPS)
            database.execute("BEGIN")
            return _check_household(database, with_triggers=with_triggers)
    except sqlite3.DatabaseError as error:
        reason = disk.describe_problem(path.parent) or f"SQLite can't read the file: {error}."
        return IntegrityReport(problems=[reason])


def _check_household(database: sqlite3.Connection, *, with_triggers: bool) -> IntegrityReport:
    found = IntegrityReport()
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if Vault._meta.db_table not in tables:
        return IntegrityReport(problems=["This is a database, but not one of Llamora."])
    if count_migrations_behind(database) < 0:
        raise OperationRefused(NEWER)
    found.problems += _check_pages(database)
    if missing := find_missing_columns(database) or find_missing_uniqueness(database):
        # The other checks need them.
        found.problems.append(missing)
        return found
    _check_references(database, found)
    found.problems += find_missing_triggers(database) if with_triggers else []
    found.problems += find_unknown_triggers(database)
    found.columns = list(count_envelopes(database))
    for column in found.columns:
        if column.invalid:
            found.problems.append(
                f"{column.label}: {column.invalid:,} of {column.envelopes:,} values have an unknown format "
                "or a key that is not their owner's."
            )
        if column.damaged:
            found.damage.append(
                f"{column.label}: {column.damaged:,} of {column.envelopes:,} values are damaged. They could "
                "not be decrypted at the last key change."
            )
    return found


def find_missing_columns(database: sqlite3.Connection) -> str:
    """Return a sentence if the file lacks tables or columns of this version, else ""."""
    if count_migrations_behind(database):
        return ""
    existing = set(
        database.execute(
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
    )
    expected = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
    }
    missing = sorted(f"{table}.{column}" for table, column in expected - existing)
    if not missing:
        return ""
    named = f"{missing[0]} and {len(missing) - 1} more" if missing[1:] else missing[0]
    return f"Another program changed the database: it lacks {named}."


def find_missing_uniqueness(database: sqlite3.Connection) -> str:
    """Return a sentence if a table of this version has lost a primary key or unique constraint, else ""."""
    if count_migrations_behind(database) or not (missing := indexes.find_missing_uniqueness(database)):
        return ""
    named = f"{missing[0]} and {len(missing) - 1} more" if missing[1:] else missing[0]
    return f"Another program changed the database: two rows may have the same {named}."


def _check_pages(database: sqlite3.Connection) -> list[str]:
    lines = list_damaged_pages(database, f"PRAGMA integrity_check({_MAX_LINES})")
    return [f"SQLite found damage: {line}." for line in lines]


def list_damaged_pages(database: sqlite3.Connection, check: str) -> list[str]:
    """Return the problems that SQLite's own check reports, without control characters."""
    lines = [replace_control_characters(str(line)) for (line,) in database.execute(check)]
    return [] if lines == ["ok"] else lines


def _check_references(database: sqlite3.Connection, found: IntegrityReport) -> None:
    """Add rows that refer to missing rows: a vault without its person is a problem, any other row is damage.

    One row of one person must not stop the backups of everybody.
    """
    loose = [table for (table,) in database.execute('SELECT "table" FROM pragma_foreign_key_check')]
    if loose:
        is_problem = Vault._meta.db_table in loose
        (found.problems if is_problem else found.damage).append(
            f"{len(loose):,} rows refer to rows that don't exist."
        )


def find_missing_triggers(database: sqlite3.Connection) -> list[str]:
    """Return a list with a sentence for each fence trigger that is missing or changed."""
    existing = dict(database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    # An older version may have worded its triggers differently; missing they may not be.
    is_current = count_migrations_behind(database) == 0
    wanted = [
        trigger
        for model in sealed_models()
        for trigger in fence_triggers(model, vault_table=Vault._meta.db_table)
        if trigger.column in _get_existing_columns(database, model)
    ]
    return [
        f"The rule {trigger.name}, which rejects values with an old key, is missing or changed."
        for trigger in wanted
        if trigger.name not in existing or (is_current and existing[trigger.name] != trigger.sql)
    ]


def find_unknown_triggers(database: sqlite3.Connection) -> list[str]:
    """Return a list with one sentence about unknown triggers and views, or [] if there are none.

    SQLite would run them.
    """
    ours = {t.name for model in sealed_models() for t in fence_triggers(model, vault_table="")}
    rules = database.execute("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')")
    strange = [name for kind, name in rules if kind == "view" or name not in ours]
    return [f"Triggers or views that Llamora did not create: {len(strange)}."] if strange else []


def count_migrations_behind(database: sqlite3.Connection) -> int:
    """Return how many of our migrations the file lacks; negative if the file is newer than the program."""
    applied = set(database.execute("SELECT app, name FROM django_migrations"))
    known = set(MigrationLoader(None).disk_migrations or ())
    return -len(applied - known) or len(known - applied)


def _get_existing_columns(database: sqlite3.Connection, model: type[models.Model]) -> set[str]:
    """Return the sealed columns of a model that exist in this file; an older file may lack some."""
    there = {row[1] for row in database.execute(f'PRAGMA table_info("{model._meta.db_table}")')}
    return {str(sealed.column) for sealed in sealed_fields(model)} & there


def count_envelopes(database: sqlite3.Connection) -> Iterator[SealedColumnCensus]:
    """Yield the counts for each sealed column; envelopes of unexpected format or epoch count as invalid."""
    for model in sealed_models():
        there = _get_existing_columns(database, model)
        for sealed in sealed_fields(model):
            if str(sealed.column) in there:
                counted = SealedColumnCensus(
                    label=sealed.label,
                    is_code=isinstance(sealed, MacField),
                    may_be_of_former_epoch=getattr(model, "opens_former_epochs", True),
                )
                _count_column(database, model, column=str(sealed.column), counted=counted)
                yield counted


def _count_column(
    database: sqlite3.Connection,
    model: type[models.Model],
    *,
    column: str,
    counted: SealedColumnCensus,
) -> None:
    former = _build_former_epoch_sql(database, column)
    statement = (
        f'SELECT substr(CAST(t."{column}" AS BLOB), 1, 5), v.epoch, {former}, count(*) '  # noqa: S608 - our own names
        f'FROM "{model._meta.db_table}" t LEFT JOIN "{Vault._meta.db_table}" v ON v.owner_id = t.owner_id '
        f'WHERE t."{column}" IS NOT NULL GROUP BY 1, 2, 3'
    )
    rows: list[Any] = database.execute(statement).fetchall()
    # Of a column that must have a value, SQLite believes that it has one: begins may be None all the same.
    for begins, epoch, is_former, many in rows:
        counted.add_envelopes(begins=bytes(begins or b""), epoch=epoch, is_former=bool(is_former), many=many)


def _build_former_epoch_sql(database: sqlite3.Connection, column: str) -> str:
    """Return the SQL expression that is true for an envelope of a former epoch whose key still exists."""
    table = FormerKey._meta.db_table
    if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", [table]).fetchone():
        return "0"
    same_epoch = f"hex(substr(CAST(t.\"{column}\" AS BLOB), 2, 4)) = printf('%08X', f.epoch)"
    return f'EXISTS (SELECT 1 FROM "{table}" f WHERE f.owner_id = t.owner_id AND {same_epoch})'  # noqa: S608 - our own names
