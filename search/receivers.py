"""Signal receivers that update open indexes: always after the commit, and with ids only.

The receivers of diary rows listen for saves and deletions. Changes within a transaction are collected, so
that an import of thousands of entries causes a single update.
"""

import threading
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from accounts.models import Person
from accounts.preferences.forms import register_notice
from accounts.security import data_inventory
from accounts.signals import data_key_rotated, person_deleted, vault_locked, vault_unlocked
from diary import hooks
from diary.generation.page_tasks import register_sections
from diary.models import Entry, Reply
from llamora.crypto import KeyId, Keyring, VaultLocked, current_keyring
from llamora.inference.interruption import mark_interrupted
from llamora.inference.job import LIVE_STATES
from llamora.inference.registry import registry
from search import related_entries, services
from search.ask import conversations, imports
from search.ask import presenters as ask_presenters
from search.checkins import presenters as check_in_presenters
from search.checkins import services as check_in_services
from search.checkins import threads as check_in_threads
from search.embedder.search_settings import get_search_settings
from search.errors import IndexClosed
from search.fact_recall import notes as note_recall
from search.fact_recall import services as fact_recall
from search.index.registry import indexes
from search.index.snapshots import SnapshotFolder
from search.index.sources import SOURCES
from search.look_backs import presenters as look_back_presenters
from search.look_backs import services as look_back_services
from search.models import CheckIn, CheckInProposal, CheckInSettings, LookBack, Question, RecentSearch, Vector
from traces.facts.models import Fact, FactState
from traces.signals import facts_forgotten

_thread_changes = threading.local()


@dataclass(slots=True)
class TransactionChanges:
    """Changes of one transaction: ids of texts, and days whose entries changed."""

    now: set[UUID] = field(default_factory=set)
    later: set[UUID] = field(default_factory=set)
    changed_days: set[date] = field(default_factory=set)


def connect() -> None:
    """Connect the receivers, labels and hooks; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_on_unlock, dispatch_uid="search.unlocked")
    vault_locked.connect(_on_lock, dispatch_uid="search.locked")
    data_key_rotated.connect(_on_rotation, dispatch_uid="search.turned")
    person_deleted.connect(_on_person_deleted, dispatch_uid="search.gone")
    data_inventory.register_label(Vector, None)
    data_inventory.register_label(
        RecentSearch, data_inventory.RowLabel(one="recent search", many="recent searches")
    )
    data_inventory.register_label(CheckIn, data_inventory.RowLabel(one="check-in", many="check-ins"))
    data_inventory.register_label(CheckInProposal, None)
    data_inventory.register_label(CheckInSettings, None)
    data_inventory.register_label(Question, data_inventory.RowLabel(one="question", many="questions"))
    register_sections(ask_presenters.find_section)
    data_inventory.register_label(LookBack, data_inventory.RowLabel(one="look-back", many="look-backs"))
    register_sections(look_back_presenters.find_section)
    hooks.register_export_rule("search.lookback", look_back_services.build_export_rule)
    registry.on_startup(partial(mark_interrupted, LookBack))
    post_delete.connect(_on_entry_destroyed, sender=Entry, dispatch_uid="search.look_backs.destroyed")
    hooks.register_row_import(imports.KIND, imports.insert_question)
    hooks.register_export_rule("search.question", conversations.build_export_rule)
    registry.on_startup(partial(mark_interrupted, Question))
    check_in_threads.connect()
    hooks.register_today_section(check_in_presenters.build_today_section)
    registry.on_startup(partial(mark_interrupted, CheckIn))
    facts_forgotten.connect(_on_forgotten_facts, dispatch_uid="search.facts_forgotten")
    hooks.register_recall(related_entries.find_related_entries)
    hooks.register_note_recall(note_recall.recall_notes_for_entry)
    hooks.register_fact_recall(fact_recall.recall_for_entry)
    hooks.register_frequent_words(services.find_frequent_words)
    register_notice("reads_related_entries", related_entries.describe_availability)
    post_save.connect(_on_person_save, sender=Person, dispatch_uid="search.person_saved")
    for source in SOURCES:
        post_save.connect(_on_save, sender=source.model, dispatch_uid=f"search.saved.{source.kind}")
        post_delete.connect(_on_delete, sender=source.model, dispatch_uid=f"search.deleted.{source.kind}")


def _on_unlock(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    try:
        indexes.for_owner(keyring)
    except (IndexClosed, VaultLocked):
        return  # locked again already


def _on_lock(sender: object, *, key_id: KeyId | None, last: bool, **_: Any) -> None:
    del sender
    if last and key_id is not None:
        indexes.close(key_id)


def _on_rotation(sender: object, *, keyring: Keyring, former_key_id: KeyId, **_: Any) -> None:
    del sender
    indexes.rekey(former_key_id, keyring)


def _on_forgotten_facts(sender: object, *, person_id: UUID, fact_ids: frozenset[UUID], **_: Any) -> None:
    """Renew the snapshots, in which forgotten facts still are; the open index has lost them already."""
    del sender
    check_in_services.delete_derived_from(person_id, fact_ids)
    keyring = _get_keyring(person_id)
    indexes.renew_snapshots(person_id, key_id=keyring.key_id if keyring is not None else None)


def _on_person_deleted(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    indexes.close_for_owner(person_id)
    SnapshotFolder(get_search_settings().folder, person_id).delete_all()


def _on_person_save(
    sender: type[Person], *, instance: Person, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    """Delete the recent searches of a person whose settings no longer allow saving them."""
    del sender
    is_saved = update_fields is None or "saves_recent_searches" in update_fields
    if is_saved and not instance.saves_recent_searches:
        RecentSearch.objects.filter(owner_id=instance.id).delete()


def _on_save(
    sender: type[Model],
    *,
    instance: Any,
    created: bool,
    update_fields: frozenset[str] | None = None,
    **_: Any,
) -> None:
    del sender
    if not indexes.list_for_owner(instance.owner_id):
        return
    if isinstance(instance, Fact):
        # A proposal can't be found before it is accepted. What a fact no longer says is gone at once.
        if not (created and instance.state == FactState.PROPOSED):
            _collect_change(instance.owner_id, now={instance.id})
        return
    if not isinstance(instance, Entry):
        # Nobody waits for these, and a reply under way is saved every second: it is read when it is finished.
        if not (isinstance(instance, Reply) and instance.state in LIVE_STATES):
            _collect_change(instance.owner_id, later={instance.id})
        return
    now, later = {instance.id}, set[UUID]()
    if not created and (update_fields is None or not update_fields.isdisjoint(("day", "deleted_at"))):
        # A moved or deleted entry takes its replies along.
        now |= set(Reply.objects.filter(entry_id=instance.id).values_list("id", flat=True))
        # A fact has the day of its entry.
        facts = Fact.objects.only_accepted(instance.owner_id).filter(entry_id=instance.id)
        later = set(facts.values_list("id", flat=True))
    _collect_change(
        instance.owner_id, now=now, later=later, changed_days=set() if created else {instance.day}
    )


def _on_delete(sender: type[Model], *, instance: Any, **_: Any) -> None:
    del sender
    Vector.objects.filter(owner_id=instance.owner_id, source=instance.id).delete()
    if not indexes.list_for_owner(instance.owner_id):
        return
    _collect_change(
        instance.owner_id,
        now={instance.id},
        changed_days={instance.day} if isinstance(instance, Entry) else set(),
    )


def _on_entry_destroyed(sender: type[Entry], *, instance: Entry, **_: Any) -> None:
    del sender
    # A look-back may quote an entry that is deleted for good.
    look_back_services.delete_derived_from(instance)
    check_in_services.delete_derived_from(instance.owner_id, [instance.id])


def _collect_change(
    owner: UUID,
    *,
    now: AbstractSet[UUID] = frozenset(),
    later: AbstractSet[UUID] = frozenset(),
    changed_days: AbstractSet[date] = frozenset(),
) -> None:
    """Collect changed texts until the commit; those in `now` are then read at once, the rest by a worker."""
    waiting: dict[UUID, TransactionChanges] = _thread_changes.__dict__.setdefault("by_owner", {})
    changes = waiting.setdefault(owner, TransactionChanges())
    changes.now |= now
    changes.later |= later
    changes.changed_days |= changed_days
    # One for each change: of those in a savepoint that is rolled back none runs, and the first that runs
    # does all.
    transaction.on_commit(_apply_changes)


def _apply_changes() -> None:
    waiting: dict[UUID, TransactionChanges] = _thread_changes.__dict__.pop("by_owner", {})
    for owner, changes in waiting.items():
        if changes.now:
            indexes.update(owner, sorted(changes.now), keyring=_get_keyring(owner))
        if changes.later or changes.changed_days:
            indexes.update_later(owner, sorted(changes.later), changed_days=sorted(changes.changed_days))


def _get_keyring(owner: UUID) -> Keyring | None:
    try:
        keyring = current_keyring()
    except VaultLocked:
        return None
    return keyring if keyring.owner == owner else None
