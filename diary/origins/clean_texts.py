"""Texts of the model that are clean: written from nothing but what their owner wrote."""

from collections.abc import Collection
from uuid import UUID

from diary.generation.prompt_record import PromptRecord
from diary.models import TRUSTED_ORIGINS, Entry


def is_clean_text(owner_id: UUID, text: str, record: PromptRecord | None) -> bool:
    """Return whether a text was written from trusted texts alone, which are so still, as its record says."""
    return record is not None and record.is_clean(text) and are_trusted(owner_id, record.source_ids)


def are_trusted(owner_id: UUID, entry_ids: Collection[UUID]) -> bool:
    """Return whether entries are their owner's own now: they may have said so before, and undone it."""
    entries = Entry.objects.filter(owner_id=owner_id, id__in=entry_ids)
    return not entries.exclude(origin__in=TRUSTED_ORIGINS).exists()
