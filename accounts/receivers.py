"""Signal receivers of accounts, which recreate fence triggers, clear caches and correct stored times.

Fence triggers (see `llamora.fields.fence`) are recreated after migrations, because Django's SQLite schema
editor drops them. They are dropped before a migration is undone, because a column cannot be removed while a
trigger uses it.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import AppConfig
from django.db import connections
from django.db.migrations import Migration
from django.db.models.signals import post_migrate, pre_migrate

from accounts.keys.opened_columns import forget_columns
from accounts.models import Vault
from accounts.sessions.limits import move_times
from accounts.signals import data_key_rotated, person_deleted, vault_locked
from llamora.clock.services import clock_stepped
from llamora.database.sqlite import schema_guard
from llamora.fields import fence
from llamora.text_caches import clear_text_caches

_log = logging.getLogger(__name__)


def install_fence(sender: AppConfig, using: str, **_: Any) -> None:
    """Create the fence triggers of a migrated app, and drop triggers that Llamora did not create."""
    drop_planted_triggers(connections[using])
    fence.install_triggers(connections[using], fenced=sender.get_models(), vault_table=Vault._meta.db_table)


def drop_planted_triggers(connection: Any) -> int:
    """Drop triggers and views that Llamora did not create, and log it; return their number."""
    dropped = fence.drop_unknown_triggers_and_views(connection, vault_table=Vault._meta.db_table)
    if dropped:
        _log.warning("%s", fence.describe_dropped(dropped))
    return dropped


def accept_dangling_rows(sender: AppConfig, using: str, **_: Any) -> None:
    """Before the migrations, accept the rows that refer to missing rows now.

    Such a row must not prevent a migration.
    """
    if sender.label == Vault._meta.app_label:
        connection: Any = connections[using]
        connection.accept_dangling_rows()


def refuse_dangling_rows(sender: AppConfig, using: str, **_: Any) -> None:
    """After the migrations, treat each row that refers to a missing row as an error again."""
    if sender.label == Vault._meta.app_label:
        connection: Any = connections[using]
        connection.refuse_dangling_rows()


def drop_fence_before_reversal(
    using: str, plan: Sequence[tuple[Migration, bool]] | None = None, **_: Any
) -> None:
    """Drop the fence triggers if a migration is about to be undone."""
    if any(is_backwards for _, is_backwards in plan or ()):
        fence.drop_triggers(connections[using])


def forget_columns_after_last_lock(*, person_id: UUID, last: bool, **_: Any) -> None:
    """Remove the decrypted columns of a vault from the cache when the last session that uses it ends."""
    if last:
        forget_columns(person_id)


def forget_words(**_: Any) -> None:
    """Clear caches that contain words of diaries when a diary is locked."""
    clear_text_caches()


def forget_columns_of_person(*, person_id: UUID, **_: Any) -> None:
    """Remove a person's decrypted vault columns from the cache.

    The receiver is called after a rotation of the person's data key, and after the person was deleted.
    """
    forget_columns(person_id)


def move_times_with_clock(*, seconds: float, **_: Any) -> None:
    """Move the times of sessions and invitations by `seconds`, the change of the wall clock."""
    move_times(timedelta(seconds=seconds))


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    schema_guard.register_remover(drop_planted_triggers)
    pre_migrate.connect(accept_dangling_rows, dispatch_uid="llamora.database.dangling_rows")
    pre_migrate.connect(drop_fence_before_reversal, dispatch_uid="llamora.fence.before_reversal")
    post_migrate.connect(refuse_dangling_rows, dispatch_uid="llamora.database.dangling_rows")
    post_migrate.connect(install_fence, dispatch_uid="llamora.fence")
    vault_locked.connect(forget_columns_after_last_lock, dispatch_uid="accounts.opened_columns.locked")
    vault_locked.connect(forget_words, dispatch_uid="accounts.text_caches.locked")
    data_key_rotated.connect(forget_columns_of_person, dispatch_uid="accounts.opened_columns.rotated")
    person_deleted.connect(forget_columns_of_person, dispatch_uid="accounts.opened_columns.deleted")
    clock_stepped.connect(move_times_with_clock, dispatch_uid="accounts.sessions.clock_stepped")
