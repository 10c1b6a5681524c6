"""What traces do when the floors below tell them something."""

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.signals import post_save

from accounts.holdings import Words, name
from accounts.rotation import blind_indexes
from accounts.rotation.blind_indexes import BlindIndex
from accounts.signals import person_gone, vault_locked, vault_unlocked
from diary import beside
from diary.models import Entry, Reply
from llamora.database import NotWritten
from traces import presenting, recalling
from traces.lexicons import lexicons
from traces.models import NAME_LABEL, Change, Proposal, Trace
from traces.names import identity
from traces.services.naming import purge
from traces.services.proposing import let_go
from traces.services.returning import Proposals, Traces
from traces.signals import names_changed

_log = logging.getLogger(__name__)


def _tidy(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    try:
        purge(person_id)
    except NotWritten as error:
        _log.warning("Traces are not tidied after an unlock: %s", error.code)


def _locked(sender: object, *, person_id: UUID, last: bool, **_: Any) -> None:
    del sender
    if last:
        lexicons.forget(person_id)


def _forget(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    lexicons.forget(person_id)


def _sent(sender: object, *, instance: Entry | Reply, created: bool, raw: bool = False, **_: Any) -> None:
    del sender
    if created and not raw:
        transaction.on_commit(partial(let_go, instance.owner_id))


def connect() -> None:
    """Listen, and say what rows are called; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_tidy, dispatch_uid="traces.tidy")
    vault_locked.connect(_locked, dispatch_uid="traces.locked")
    person_gone.connect(_forget, dispatch_uid="traces.gone")
    names_changed.connect(_forget, dispatch_uid="traces.names_changed")
    for model in (Entry, Reply):
        post_save.connect(_sent, sender=model, dispatch_uid=f"traces.sent.{model.__name__}")
    beside.add(shows=presenting.parts_of, names=recalling.names_of)
    beside.add_recalls(recalling.recalled_for)
    beside.add_labels(presenting.exported)
    beside.add_export("traces", presenting.exported)
    beside.add_import("traces", Traces)
    beside.add_import("proposals", Proposals)
    blind_indexes.register(
        BlindIndex(
            model=Trace, column="name_index", label=NAME_LABEL, value=lambda trace: identity(trace.name)
        )
    )
    name(Trace, Words(one="trace", many="traces"))
    name(Proposal, None)
    name(Change, None)
