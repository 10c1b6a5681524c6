"""What traces do when the floors below tell them something."""

import logging
from typing import Any
from uuid import UUID

from accounts.holdings import Words, name
from accounts.rotation import blind_indexes
from accounts.rotation.blind_indexes import BlindIndex
from accounts.signals import vault_unlocked
from llamora.database import NotWritten
from traces.models import NAME_LABEL, Change, Proposal, Trace
from traces.names import identity
from traces.services.naming import purge

_log = logging.getLogger(__name__)


def _tidy(sender: object, *, person_id: UUID, **_: Any) -> None:
    del sender
    try:
        purge(person_id)
    except NotWritten as error:
        _log.warning("Traces are not tidied after an unlock: %s", error.code)


def connect() -> None:
    """Listen, and say what rows are called; called once from `AppConfig.ready`."""
    vault_unlocked.connect(_tidy, dispatch_uid="traces.tidy")
    blind_indexes.register(
        BlindIndex(
            model=Trace, column="name_index", label=NAME_LABEL, value=lambda trace: identity(trace.name)
        )
    )
    name(Trace, Words(one="trace", many="traces"))
    name(Proposal, None)
    name(Change, None)
