"""What was written of entries does not outlive their having the trace: neither their end nor its removal."""

from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete

from diary.models import Entry
from traces.models import KeptTrace
from traces.summaries import services


def _taken_away(sender: object, *, instance: KeptTrace, origin: object, **_: Any) -> None:
    del sender
    began: type[Model] = origin.model if isinstance(origin, QuerySet) else type(origin)  # type: ignore[assignment]
    # Where a whole trace goes, or a whole person, its summary goes too.
    if began in (Entry, KeptTrace):
        services.forget(instance.trace_id)


def connect() -> None:
    """Listen; called once from `AppConfig.ready`."""
    post_delete.connect(_taken_away, sender=KeptTrace, dispatch_uid="traces.summaries.taken_away")
