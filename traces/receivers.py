"""Signal receivers of the traces app, and the hooks by which it extends the diary."""

import logging
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete, post_save

from accounts.keys.keyrings import copy_with_former_keys
from accounts.keys.sealed_preferences import load_person
from accounts.rotation.blind_indexes import BlindIndex, register_blind_index
from accounts.security.data_inventory import RowLabel, register_label
from accounts.signals import data_key_rotated, person_deleted, vault_locked, vault_opened, vault_unlocked
from diary import hooks
from diary.errors import ObjectNotFound
from diary.generation.prompt_record import PromptRecord
from diary.models import Entry, Reply
from llamora.crypto import Keyring, VaultLocked, current_realm_keyring, in_force
from llamora.database import NotWritten
from llamora.inference.job import JobState
from llamora.inference.registry import registry
from traces import queries
from traces.editing.services import continue_changes, purge_deleted
from traces.facts import recall
from traces.facts.fact_body import get_text
from traces.facts.models import (
    SAME_INDEX_LABEL,
    SUBJECT_INDEX_LABEL,
    DeclinedFact,
    Fact,
    FactChange,
    FactSettings,
)
from traces.facts.pages import presenters as facts_presenters
from traces.facts.pages.list_cache import listed_facts_cache, mark_changed_fact
from traces.facts.pages.list_preloading import start_preloading, stop_preloading
from traces.facts.proposals import diary_walk
from traces.facts.proposals.services import find_facts_after_reply, stop_finding
from traces.facts.queries import load_choices
from traces.facts.services import forget_entry
from traces.facts.transfer import fact_rows
from traces.facts.transfer.exports import build_fact_change_rule, build_fact_rule
from traces.importers import ProposalImporter, TraceImporter
from traces.matcher import name_matchers
from traces.models import NAME_INDEX_LABEL, Change, EntryTrace, Trace, TraceProposal
from traces.names import get_identity
from traces.proposals.services import stop_proposals
from traces.signals import facts_forgotten, names_changed
from traces.summaries import services as summaries_services
from traces.tagging import presenters as tagging_presenters

_log = logging.getLogger(__name__)


def connect() -> None:
    """Connect receivers, hooks, the blind index and display names; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_purge_after_unlock, dispatch_uid="traces.tidy")
    vault_locked.connect(_forget_after_lock, dispatch_uid="traces.locked")
    vault_unlocked.connect(_open_list, dispatch_uid="traces.facts.list.unlocked")
    vault_opened.connect(_open_list, dispatch_uid="traces.facts.list.opened")
    person_deleted.connect(_forget_names, dispatch_uid="traces.gone")
    data_key_rotated.connect(_forget_names, dispatch_uid="traces.turned")
    person_deleted.connect(_forget_facts, dispatch_uid="traces.facts.gone")
    data_key_rotated.connect(_forget_facts, dispatch_uid="traces.facts.rotated")
    names_changed.connect(_forget_names, dispatch_uid="traces.names_changed")
    for model in (Entry, Reply):
        post_save.connect(_stop_proposals, sender=model, dispatch_uid=f"traces.sent.{model.__name__}")
    post_delete.connect(_delete_summary, sender=EntryTrace, dispatch_uid="traces.summaries.taken_away")
    post_save.connect(_stop_finding_in_deleted, sender=Entry, dispatch_uid="traces.facts.entry_changed")
    post_save.connect(_find_after_reply, sender=Reply, dispatch_uid="traces.facts.replied")
    post_delete.connect(_stop_finding_after_forgetting, sender=Fact, dispatch_uid="traces.facts.forgotten")
    diary_walk.connect()
    facts_forgotten.connect(_stop_reading_forgotten, dispatch_uid="traces.facts.stop_reading")
    hooks.register_source_facts(recall.list_source_facts)
    hooks.register_panels(panels=tagging_presenters.build_panels, links=queries.list_trace_links)
    hooks.register_panels(panels=facts_presenters.build_panels, links=facts_presenters.list_fact_links)
    hooks.register_recall(queries.find_context_entries)
    hooks.register_labels(tagging_presenters.list_names_for_export)
    hooks.register_export("traces", tagging_presenters.list_names_for_export)
    hooks.register_export_rule("traces.trace", queries.build_trace_rule)
    hooks.register_export_rule("traces.change", queries.build_change_rule)
    hooks.register_export_rule("traces.traceproposal", queries.build_proposal_rule)
    hooks.register_export_rule("traces.fact", build_fact_rule)
    hooks.register_export_rule("traces.factchange", build_fact_change_rule)
    hooks.register_signature("traces.fact", fact_rows.FACT_SIGNATURE)
    hooks.register_signature("traces.factchange", fact_rows.CHANGE_SIGNATURE)
    hooks.register_row_import(fact_rows.FACTS, fact_rows.insert_fact)
    hooks.register_row_import(fact_rows.CHANGES, fact_rows.skip_change)
    hooks.register_import("traces", TraceImporter)
    hooks.register_import("proposals", ProposalImporter)
    register_blind_index(
        BlindIndex(
            model=Trace,
            column="name_index",
            label=NAME_INDEX_LABEL,
            value=lambda trace: get_identity(trace.name),
        )
    )
    for column, label, key in (
        ("subject_index", SUBJECT_INDEX_LABEL, "subject_key"),
        ("same_index", SAME_INDEX_LABEL, "same_key"),
    ):
        register_blind_index(
            BlindIndex(model=Fact, column=column, label=label, value=partial(_get_index_key, key))
        )
    for signal, name in ((post_save, "saved"), (post_delete, "deleted")):
        signal.connect(_mark_changed_fact, sender=Fact, dispatch_uid=f"traces.facts.pages.{name}")
    post_delete.connect(_forget_deleted_entry, sender=Entry, dispatch_uid="traces.facts.entry_gone")
    register_label(Fact, RowLabel(one="fact", many="facts"))
    register_label(FactChange, None)
    register_label(DeclinedFact, None)
    register_label(FactSettings, None)
    register_label(Trace, RowLabel(one="trace", many="traces"))
    register_label(TraceProposal, None)
    register_label(Change, None)


def _get_index_key(name: str, fact: Fact) -> str:
    return str(getattr(get_text(fact.body), name))


def _forget_deleted_entry(sender: object, *, instance: Entry, origin: object, **_: Any) -> None:
    """Remove the words of an entry that was deleted for good from facts, unless its owner was deleted too."""
    del sender
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted is Entry and Fact.objects.for_owner(instance.owner_id).filter(entry_id=instance.id).exists():
        forget_entry(owner_id=instance.owner_id, entry_id=instance.id)


def _purge_after_unlock(sender: object, *, person_id: UUID, keyring: Keyring, **_: Any) -> None:
    del sender
    try:
        with in_force(keyring):
            continue_changes(person_id)
        purge_deleted(person_id)
    except NotWritten as error:
        _log.warning("Traces could not be cleaned up after an unlock: %s", error.code)


def _forget_after_lock(sender: object, *, person_id: UUID, last: bool, **_: Any) -> None:
    del sender
    if last:
        name_matchers.forget(person_id)
        stop_preloading(person_id)
        listed_facts_cache.forget(person_id)


def _open_list(sender: object, *, keyring: Keyring, **_: Any) -> None:
    del sender
    start_preloading(keyring, listed_facts_cache.get_current)


def _forget_names(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    name_matchers.forget(person_id)


def _forget_facts(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    stop_preloading(person_id)
    listed_facts_cache.forget(person_id)


def _mark_changed_fact(sender: object, *, instance: Fact, **_: Any) -> None:
    del sender
    mark_changed_fact(instance)


def _stop_proposals(sender: object, *, created: bool, raw: bool = False, **_: Any) -> None:
    del sender
    if created and not raw:
        key_id = current_realm_keyring().key_id
        transaction.on_commit(partial(stop_proposals, key_id))
        # A walk reads the entry again; whoever asked for one entry can ask again.
        transaction.on_commit(partial(stop_finding, key_id))


def _stop_finding_in_deleted(sender: object, *, instance: Entry, created: bool, **_: Any) -> None:
    del sender
    if not created and instance.deleted_at is not None:
        _stop_finding_after_commit(entry_id=instance.id)


def _stop_finding_after_forgetting(sender: object, *, origin: object, **_: Any) -> None:
    """Stop running searches for facts: one of them may have read the words of a deleted fact."""
    del sender
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if deleted is Fact:
        _stop_finding_after_commit()


def _stop_reading_forgotten(sender: object, *, person_id: UUID, fact_ids: frozenset[UUID], **_: Any) -> None:
    """Stop replies and answers that are being written from a fact that was just forgotten."""
    del sender, person_id
    # Where no keys are in force, as in a command, no job of their owner can be running.
    with suppress(VaultLocked):
        for job in registry.list_jobs(current_realm_keyring().key_id):
            record = getattr(job.task, "record", None)
            if isinstance(record, PromptRecord) and not fact_ids.isdisjoint(record.facts):
                registry.stop(job.id)


def _stop_finding_after_commit(**of: Any) -> None:
    # Where no keys are in force, as in a command, no job of their owner can be running.
    with suppress(VaultLocked):
        transaction.on_commit(partial(stop_finding, current_realm_keyring().key_id, **of))


def _find_after_reply(sender: object, *, instance: Reply, created: bool, **_: Any) -> None:
    """Search an entry for facts once the reply to it is complete, if its owner chose that."""
    del sender
    keyring = current_realm_keyring()
    # A program's keys do not open its owner's choices.
    if created or instance.state != JobState.DONE or not isinstance(keyring, Keyring):
        return
    owner_id, entry_id = instance.owner_id, instance.entry_id
    if not load_choices(owner_id).proposes_after_reply:
        return
    copy = copy_with_former_keys(keyring)

    def start() -> None:
        try:
            with suppress(ObjectNotFound), in_force(copy):
                find_facts_after_reply(person=load_person(owner_id), entry_id=entry_id, keyring=copy)
        finally:
            copy.close()

    transaction.on_commit(start)


def _delete_summary(sender: object, *, instance: EntryTrace, origin: object, **_: Any) -> None:
    del sender
    deleted_model: type[Model] = origin.model if isinstance(origin, QuerySet) else type(origin)  # type: ignore[assignment]
    # A summary may quote the entry. Where the trace or the person is deleted, the summary goes with the row.
    if deleted_model in (Entry, EntryTrace):
        summaries_services.delete_summary(instance.trace_id)
