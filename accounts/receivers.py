"""Receivers that create fence triggers again after migrations, since Django's SQLite editor drops them.

Before a migration is undone they are dropped, because a column can't be removed while a trigger names it.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.migrations import Migration
from django.db.models.signals import post_migrate, pre_migrate

from accounts.models import Vault
from llamora.fields import fence


def install_fence(sender: AppConfig, using: str, **_: Any) -> None:
    """Create the fence triggers of the app that was just migrated."""
    fence.install_triggers(connections[using], fenced=sender.get_models(), vault_table=Vault._meta.db_table)


def drop_fence_before_reversal(
    using: str, plan: Sequence[tuple[Migration, bool]] | None = None, **_: Any
) -> None:
    """Drop the fence triggers if a migration is about to be undone."""
    if any(is_backwards for _, is_backwards in plan or ()):
        fence.drop_triggers(connections[using])


def connect() -> None:
    """Connect the receivers; called once from `AppConfig.ready`."""
    pre_migrate.connect(drop_fence_before_reversal, dispatch_uid="llamora.fence.before_reversal")
    post_migrate.connect(install_fence, dispatch_uid="llamora.fence")
