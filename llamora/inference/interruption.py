"""Marking of generations that were interrupted by the end of their process."""

from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from llamora.database import write_transaction
from llamora.inference.job import LIVE_STATES, JobState
from llamora.inference.registry import registry


def mark_interrupted(model: type[Model]) -> int:
    """Mark unfinished rows of an earlier process as interrupted; return their number.

    The serving process calls this once for each model.
    """
    unfinished: QuerySet[Any] = model._default_manager.filter(state__in=LIVE_STATES)
    own_ids = [row_id for row_id in unfinished.values_list("id", flat=True) if registry.has_job(row_id)]
    with write_transaction():
        return unfinished.exclude(id__in=own_ids).update(
            state=JobState.INTERRUPTED, reason="crashed", finished_at=timezone.now()
        )
