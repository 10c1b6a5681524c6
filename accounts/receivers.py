"""Receiver that creates fence triggers again after migrations, since Django's SQLite editor drops them."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate

from accounts.models import Vault
from llamora.fields import fence


def install_fence(sender: AppConfig, using: str, **_: Any) -> None:
    """Create the fence triggers of the app that was just migrated."""
    fence.install_triggers(connections[using], fenced=sender.get_models(), vault_table=Vault._meta.db_table)


def connect() -> None:
    """Connect the receiver; called once from `AppConfig.ready`."""
    post_migrate.connect(install_fence, dispatch_uid="llamora.fence")
