"""The steps of `manage.py up` before the server starts: checks, address, database and static files."""

import errno
import gc
import hashlib
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import Person, Vault
from llamora.clock import services as clock
from llamora.clock.sentences import find_warning
from llamora.database import condition, disk, indexes
from llamora.database.condition import FileState
from llamora.fields import fence
from llamora.ops import bundles, static_files
from llamora.ops.backup import create, integrity
from llamora.ops.errors import OperationRefused
from llamora.pluralize import pluralize

# How many more new objects there are before Python looks for garbage among them; how many such looks before
# one at those seen once; and how many of these before one at all objects. The last takes 50 ms, in which
# nobody is answered, and by Python's own choice comes ten times as often. A page or a search of a program has
# thousands of objects while it runs and leaves no garbage, so the first number is larger than Python's 700.
GARBAGE_THRESHOLDS = (5000, 10, 14)
# What `settings.DATABASES` asks for, as SQLite answers it: a write is on the disk before it is
# confirmed, and what was deleted is overwritten.
PRAGMAS: dict[str, Any] = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
_log = logging.getLogger(__name__)


def describe_os_error(error: OSError) -> str:
    """Return a sentence about an operating system error, with the file name."""
    path = f" ({error.filename})" if error.filename else ""
    return f"Llamora can't start: {error.strerror or error}{path}."


@contextmanager
def hide_module(name: str) -> Iterator[None]:
    """Let an optional import of a module fail during the `with` block, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def resume_garbage_collection() -> None:
    """Turn Python's garbage collection on again, but exclude the objects that exist now (`gc.freeze`).

    `manage.py` turns it off while modules are imported.
    """
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()


def is_loopback_host(host: str) -> bool:
    """Return whether only this machine can reach this address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_plain_http(host: str) -> None:
    """Raise OperationRefused if the address is on a network and http without TLS is not allowed."""
    if not is_loopback_host(host) and not settings.ALLOW_PLAIN_HTTP:
        raise OperationRefused(
            f"Other machines can reach {host}, and passwords would cross the network unencrypted. Listen on "
            "127.0.0.1 behind a proxy that speaks HTTPS, or, if the network itself is encrypted, set "
            "LLAMORA_ALLOW_PLAIN_HTTP=true."
        )


def bind_listener(host: str, port: int) -> socket.socket:
    """Bind the address before the database is prepared, so that an address in use is reported at once."""
    name = host.strip("[]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((name, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise OperationRefused(_describe_bind_error(host, port, error)) from None
    listener.setblocking(False)
    return listener


def _describe_bind_error(host: str, port: int, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"Port {port} is already in use. Stop the program that uses it, or choose another with --port."
    if number == errno.EACCES:
        return f"Port {port} is reserved for the system. Choose a port above 1023 with --port."
    return f"Llamora can't listen on {host}, port {port}. Check --host and --port."


def check_database_file() -> None:
    """Raise OperationRefused if the database is lost, damaged, unreadable, or on a read-only disk.

    It is also raised if another user owns the data folder. Run this check before anything is created, or
    opened with SQLite.
    """
    folder: Path = settings.DATA_DIR
    if owner := condition.find_other_owner(folder):
        raise OperationRefused(
            f"The data folder {folder} belongs to {owner}. Start Llamora as that user, or give everything in "
            f"it to this one: chown -R {os.geteuid()} '{folder}'"
        )
    found = condition.examine_file(condition.get_database_path())
    if found.state not in (FileState.OK, FileState.NEW):
        raise OperationRefused(found.sentence)
    if folder.is_dir() and disk.is_read_only(folder):
        raise OperationRefused(disk.describe_problem(folder))


def prepare_database(*, backup_first: bool = True) -> Path | None:
    """Migrate the database if migrations are missing; return the path of the backup made before, if any.

    Raise OperationRefused if the database can't be opened, could lose a committed write, or contains people
    and can't be backed up before the migration.
    """
    backup = None
    try:
        if removed := drop_unknown_triggers_and_views():
            _log.warning("%s", removed)
        if has_unapplied_migrations():
            backup = _create_backup_before_update() if backup_first else None
            migrate()
        check_tables()
        wrong = find_wrong_pragmas()
    except DatabaseError as error:
        # SQLite's own words, before any row was read: "disk I/O error", "file is not a database".
        raise OperationRefused(
            disk.describe_problem(settings.DATA_DIR)
            or f"The database in {settings.DATA_DIR} can't be used: {error}. Check that the disk is "
            f"connected. If the file is damaged: {condition.suggest_restore()}"
        ) from None
    except InconsistentMigrationHistory as error:
        raise OperationRefused(
            f"The database in {settings.DATA_DIR} does not say correctly which updates it has had: {error} "
            f"Nothing was started. {condition.suggest_restore()}"
        ) from None
    for problem in wrong:
        raise OperationRefused(problem)
    return backup


def check_tables() -> None:
    """Raise OperationRefused if the database lacks a table, column, primary key or unique constraint."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    database = connection.connection
    if missing := integrity.find_missing_columns(database) or integrity.find_missing_uniqueness(database):
        raise OperationRefused(f"{missing} Nothing was started. {condition.suggest_restore()}")


def _create_backup_before_update() -> Path | None:
    connection = connections[DEFAULT_DB_ALIAS]
    if Person._meta.db_table not in connection.introspection.table_names() or not Person.objects.exists():
        return None
    # The copy is made by a connection of its own.
    connection.close()
    files = create.get_household_files()
    try:
        return create.create_backup(
            files, folder=settings.BACKUP_DIR, now=timezone.now(), before_update=True
        ).path
    except OperationRefused as refusal:
        raise OperationRefused(
            f"The database has to be updated, and the backup that is made before did not work. {refusal} "
            "To update it without a backup, use: manage.py up --without-backup"
        ) from None


def has_unapplied_migrations() -> bool:
    """Return whether migrations of this program have not been applied to the database yet.

    Raise OperationRefused if the database is from a newer version of the program.
    """
    executor = _build_executor()
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _build_executor() -> MigrationExecutor:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
    if unknown:
        raise OperationRefused(
            f"The database in {settings.DATA_DIR} was written by a newer Llamora. "
            "Update the program, or choose another folder with LLAMORA_DATA_DIR."
        )
    return executor


def migrate() -> bool:
    """Run all missing migrations without prompts; return whether there were any."""
    if not has_unapplied_migrations():
        return False
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return True


def restore_fence() -> str | None:
    """Create missing fence triggers and indexes, and drop what is unknown; return what was done, or None.

    Triggers and indexes are missing if somebody dropped them; triggers, also if undoing a migration failed.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    said = [drop_unknown_triggers_and_views()]
    created = fence.install_triggers(
        connection, fenced=fence.sealed_models(), vault_table=Vault._meta.db_table
    )
    if created:
        said.append(
            f"The database lacked {pluralize(created, 'trigger', 'triggers')} against old keys. "
            "Created again."
        )
    dropped, created = indexes.restore_indexes(connection)
    if dropped:
        said.append(
            f"The database had {pluralize(dropped, 'index', 'indexes')} that Llamora did not create. Deleted."
        )
    if created:
        said.append(f"The database lacked {pluralize(created, 'index', 'indexes')}. Created again.")
    return " ".join(filter(None, said)) or None


def drop_unknown_triggers_and_views() -> str | None:
    """Drop triggers and views that Llamora did not create; return a sentence about it, or None.

    This is done also before a migration, which would run them.
    """
    dropped = fence.drop_unknown_triggers_and_views(
        connections[DEFAULT_DB_ALIAS], vault_table=Vault._meta.db_table
    )
    return fence.describe_dropped(dropped) if dropped else None


def observe_clock() -> str | None:
    """Record the clocks; return a sentence if the wall clock was set or may be wrong.

    If the wall clock suggests that the machine was off for long, the clock may be wrong.
    """
    return find_warning(clock.observe(), now=timezone.now())


def find_wrong_pragmas() -> list[str]:
    """Return a sentence for each SQLite pragma that differs from its configured value."""
    wrong = []
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        for name, expected in PRAGMAS.items():
            found = cursor.execute(f"PRAGMA {name}").fetchone()[0]
            if found != expected:
                wrong.append(
                    f"SQLite uses {name}={found} instead of {expected}. If the data folder is on a network "
                    "share, move it to a local disk."
                )
    return wrong


def collect_static() -> bool:
    """Collect the static files if their sources have changed; return whether they have."""
    fingerprint_file = Path(settings.STATIC_ROOT) / ".sources"
    fingerprint = _compute_static_fingerprint()
    if fingerprint_file.is_file() and fingerprint_file.read_text() == fingerprint:
        return False
    call_command("collectstatic", verbosity=0, interactive=False, clear=True, skip_checks=True)
    fingerprint_file.write_text(fingerprint)
    return True


def _compute_static_fingerprint() -> str:
    """Return a digest of the names, sizes and times of all static sources, which need not be read for it.

    The Python modules that join and compress the sources are included, so that the files are collected again
    when these modules have changed.
    """
    from django.contrib.staticfiles.finders import get_finders  # noqa: PLC0415 - settings first

    digest = hashlib.blake2b(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for module in (bundles, static_files):
        digest.update(Path(str(module.__file__)).read_bytes())
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
