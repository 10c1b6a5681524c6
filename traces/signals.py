"""What traces tell whoever knows names by heart: at once, for the transaction itself, and after the commit.

`names_changed`  person_id   a trace of theirs is new, called otherwise, merged, deleted or back
"""

from functools import partial
from uuid import UUID

from django.db import transaction

from accounts.signals import QuietSignal

names_changed = QuietSignal()


def send_names_changed(owner_id: UUID) -> None:
    """Say it, and once more when what is being written is on the disk."""
    names_changed.send_robust(sender=None, person_id=owner_id)
    transaction.on_commit(partial(names_changed.send_robust, sender=None, person_id=owner_id))
