"""Checks of the database: pragmas, pages, fence triggers, sealed columns and write-ahead log."""

from collections.abc import Iterator
from contextlib import closing

from django.db import connection

from accounts.losses.reports import describe_report, list_open_reports
from llamora import crypto
from llamora.ops import startup
from llamora.ops.backup import create, integrity
from llamora.ops.backup.snapshot import open_database
from llamora.ops.doctor.check_result import CheckResult, bad, ok, warn
from llamora.ops.losses import describe_unreported_loss, find_unreported_loss
from llamora.pluralize import pluralize

_LARGE_LOG_BYTES = 256 * 2**20


def check_losses() -> Iterator[CheckResult]:
    """Report each confirmed save that the database has lost."""
    found = [describe_report(report) for report in list_open_reports()]
    if loss := find_unreported_loss(create.get_household_files().database):
        found.append(describe_unreported_loss(loss))
    yield from (bad("losses", sentences) for sentences in found)
    if not found:
        yield ok("losses", "Every save that was confirmed since the log of commits was begun is there.")


def check_pragmas() -> Iterator[CheckResult]:
    """Compare SQLite's pragmas with the configured values."""
    wrong = startup.find_wrong_pragmas()
    yield from (bad("pragmas", problem) for problem in wrong)
    if not wrong:
        asked = ", ".join(f"{name}={value}" for name, value in startup.PRAGMAS.items())
        yield ok("pragmas", f"SQLite uses the required settings: {asked}.")


def check_pages() -> Iterator[CheckResult]:
    """Run SQLite's quick check of its pages; `verify` checks its indexes too."""
    with closing(open_database(create.get_household_files().database)) as database:
        lines = integrity.list_damaged_pages(database, "PRAGMA quick_check(10)")
        behind = integrity.count_migrations_behind(database)
    if lines:
        yield bad("pages", f"SQLite found damage: {'; '.join(lines)}. Stop the server and restore a backup.")
    else:
        yield ok("pages", "SQLite found no damage.")
    if behind > 0:
        yield warn("migrations", f"{behind} are not applied yet. The next start of `up` applies them.")
    elif behind < 0:
        yield bad("migrations", integrity.NEWER)


def check_old_keys() -> Iterator[CheckResult]:
    """Report missing fence triggers, and database triggers that Llamora did not create.

    Fence triggers refuse values that were encrypted with old keys, which is what `doctor` calls this check:
    `run_check` derives the words from the name of the function.
    """
    with closing(open_database(create.get_household_files().database)) as database:
        problems = [*integrity.find_missing_triggers(database), *integrity.find_unknown_triggers(database)]
    yield from (bad("old keys", f"{problem} Run: manage.py migrate --skip-checks") for problem in problems)
    if not problems:
        yield ok("old keys", "Every encrypted column rejects values that were encrypted with an old key.")


def check_encrypted_columns() -> Iterator[CheckResult]:
    """Report the formats and epochs of every sealed column."""
    with closing(open_database(create.get_household_files().database)) as database:
        columns = list(integrity.count_envelopes(database))
    for column in columns:
        yield _get_column_result(column)


def _get_column_result(column: integrity.SealedColumnCensus) -> CheckResult:
    formats = ", ".join(f"{many:,} of format {number}" for number, many in sorted(column.formats.items()))
    count = (
        pluralize(column.envelopes, "code of columns", "codes of columns")
        if column.is_code
        else pluralize(column.envelopes, "encrypted value", "encrypted values")
    )
    message = f"{count}{': ' if formats else ''}{formats}."
    if column.invalid:
        return bad(
            column.label,
            f"{message} Nobody can decrypt {column.invalid:,} of them: their format is unknown, or their key "
            "is not their owner's. Restore a backup.",
        )
    if column.damaged:
        return bad(
            column.label,
            f"{message} {column.damaged:,} are damaged: they could not be decrypted at the last key change. "
            "Their owners see them as damaged. Restore a backup if you have one from before.",
        )
    if column.awaiting_rotation:
        return warn(
            column.label,
            f"{message} {column.awaiting_rotation:,} still use an old key. The key change continues when "
            "their owner next unlocks the diary.",
        )
    if any(number < crypto.FORMAT_2 for number in column.formats):
        return warn(
            column.label,
            f"{message} A diary is moved to the newest format when its owner next unlocks it.",
        )
    return ok(column.label, f"{message} All use their owners' current keys.")


def check_write_ahead_log() -> Iterator[CheckResult]:
    """Report a write-ahead log that has grown large: SQLite can empty it only while nobody reads."""
    database = create.get_household_files().database
    log = database.with_name(database.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > _LARGE_LOG_BYTES:
        yield warn("write-ahead log", f"It takes {size // 2**20:,} MiB. Run manage.py prune to empty it.")


def check_deletion() -> Iterator[CheckResult]:
    """Report whether SQLite overwrites deleted rows on this connection."""
    with connection.cursor() as cursor:
        (on,) = cursor.execute("PRAGMA secure_delete").fetchone()
    if on == 1:
        yield ok("deletion", "SQLite overwrites deleted data in the file.")
    else:
        yield bad("deletion", "Deleted data stays in the file, encrypted. Update SQLite.")
