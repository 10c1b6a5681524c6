"""What was drawn from an entry does not outlive it."""

from typing import Any

from django.db.models.signals import post_delete

from diary.models import Entry
from diary.openings import forgetting


def _destroyed(sender: object, *, instance: Entry, **_: Any) -> None:
    del sender
    forgetting.forget(instance)


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    post_delete.connect(_destroyed, sender=Entry, dispatch_uid="diary.openings.destroyed")
