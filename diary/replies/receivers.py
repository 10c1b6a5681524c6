"""What replies do when accounts tells that a vault is locking, and when the process begins to serve."""

from typing import Any
from uuid import UUID

from accounts.signals import vault_locked
from diary.replies import services
from llamora.inference.jobs import registry


def interrupt(*, person_id: UUID, last: bool, **_: Any) -> None:
    """End a person's jobs with their last unlocked session."""
    if last:
        registry.interrupt(person_id, reason="locked")


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    vault_locked.connect(interrupt, dispatch_uid="diary.replies.interrupt")
    registry.at_opening(services.mark_interrupted)
