"""What is made from an entry does not outlive it."""

from typing import Any

from django.db.models.signals import post_delete

from diary.models import Entry
from diary.recaps import services


def _destroyed(sender: object, *, instance: Entry, **_: Any) -> None:
    del sender
    services.forget(owner_id=instance.owner_id, day=instance.day)


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    post_delete.connect(_destroyed, sender=Entry, dispatch_uid="diary.recaps.destroyed")
