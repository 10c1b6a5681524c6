"""Signals of traces and facts.

names_changed   person_id   a trace of this person was created, renamed, merged, deleted or restored, or
                            its `is_read_always` was changed; sent within the transaction, and
                            again after the commit
facts_forgotten person_id, fact_ids   after the commit: these accepted facts were deleted; files, caches and
                            jobs must not retain them
"""

from collections.abc import Collection
from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.signals import QuietSignal

names_changed = QuietSignal()
facts_forgotten = QuietSignal()


def send_names_changed(owner_id: UUID) -> None:
    """Send `names_changed` now, and again after the commit."""
    names_changed.send_robust(sender=None, person_id=owner_id)
    transaction.on_commit(partial(names_changed.send_robust, sender=None, person_id=owner_id))


def send_facts_forgotten(owner_id: UUID, fact_ids: Collection[UUID]) -> None:
    """Send `facts_forgotten` after the commit, or now if there is no transaction."""
    transaction.on_commit(
        partial(facts_forgotten.send_robust, sender=None, person_id=owner_id, fact_ids=frozenset(fact_ids))
    )
