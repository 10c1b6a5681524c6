"""The signal of changed trace names, sent within the transaction and a second time after the commit.

names_changed   person_id   a trace of this person was created, renamed, merged, deleted or restored,
                            or is now read always, or no longer
"""

from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.signals import QuietSignal

names_changed = QuietSignal()


def send_names_changed(owner_id: UUID) -> None:
    """Send `names_changed` now, and again after the commit."""
    names_changed.send_robust(sender=None, person_id=owner_id)
    transaction.on_commit(partial(names_changed.send_robust, sender=None, person_id=owner_id))
