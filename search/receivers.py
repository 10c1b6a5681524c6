"""What search does when the floors below change something: always after the commit, and with ids alone.

The diary's own signals are saves and deletions of its rows; within a transaction they are gathered, so that
an import of thousands is one change.
"""

import threading
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from accounts import holdings
from accounts.signals import person_gone, vault_locked, vault_unlocked
from diary.models import Entry, Reply
from llamora.crypto import Keyring, VaultLocked, current
from search.choices import chosen
from search.errors import IndexClosed
from search.indexes import indexes
from search.models import RecentSearch, Vector
from search.snapshots import SnapshotFolder
from search.sources import SOURCES

_gathered = threading.local()


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_unlocked, dispatch_uid="search.unlocked")
    vault_locked.connect(_locked, dispatch_uid="search.locked")
    person_gone.connect(_gone, dispatch_uid="search.gone")
    holdings.name(Vector, None)
    holdings.name(RecentSearch, holdings.Words(one="recent search", many="recent searches"))
    for source in SOURCES:
        post_save.connect(_saved, sender=source.model, dispatch_uid=f"search.saved.{source.kind}")
        post_delete.connect(_deleted, sender=source.model, dispatch_uid=f"search.deleted.{source.kind}")


def _unlocked(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    try:
        indexes.of(keyring)
    except (IndexClosed, VaultLocked):
        return  # locked again already


def _locked(sender: object, *, person_id: UUID, last: bool, **_: Any) -> None:
    del sender
    if last:
        indexes.close(person_id)


def _gone(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    indexes.close(person_id)
    SnapshotFolder(chosen().folder, person_id).forget()


def _saved(sender: type[Model], *, instance: Any, created: bool, **_: Any) -> None:
    del sender
    if indexes.get(instance.owner_id) is None:
        return
    ids = {instance.id}
    if isinstance(instance, Entry) and not created:
        # A moved or deleted entry takes its replies along.
        ids |= set(Reply.objects.filter(entry_id=instance.id).values_list("id", flat=True))
    _gather(instance.owner_id, ids)


def _deleted(sender: type[Model], *, instance: Any, **_: Any) -> None:
    del sender
    Vector.objects.filter(owner_id=instance.owner_id, source=instance.id).delete()
    _gather(instance.owner_id, {instance.id})


def _gather(owner: UUID, ids: set[UUID]) -> None:
    if indexes.get(owner) is None:
        return
    waiting: dict[UUID, set[UUID]] = _gathered.__dict__.setdefault("by_owner", {})
    waiting.setdefault(owner, set()).update(ids)
    # One for each change: of those in a savepoint that is rolled back none runs, and the first that runs
    # does all.
    transaction.on_commit(_tell)


def _tell() -> None:
    waiting: dict[UUID, set[UUID]] = _gathered.__dict__.pop("by_owner", {})
    for owner, ids in waiting.items():
        indexes.changed(owner, sorted(ids), keyring=_keyring_of(owner))


def _keyring_of(owner: UUID) -> Keyring | None:
    try:
        keyring = current()
    except VaultLocked:
        return None
    return keyring if keyring.owner == owner else None
