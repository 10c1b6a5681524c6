"""Interruption of generations by the end of their process: the next one marks their rows."""

from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from llamora.database import write_transaction
from llamora.inference.job import LIVE_STATES, JobState
from llamora.inference.registry import registry


def mark_interrupted(model: type[Model]) -> int:
    """Mark unfinished rows of an earlier process as interrupted; return how many there were.

    Called once for each model, by the serving process.
    """
    unfinished: QuerySet[Any] = model._default_manager.filter(state__in=LIVE_STATES)
    own_ids = [row_id for row_id in unfinished.values_list("id", flat=True) if registry.has_job(row_id)]
    with write_transaction():
        return unfinished.exclude(id__in=own_ids).update(
            state=JobState.INTERRUPTED, reason="crashed", finished_at=timezone.now()
        )
