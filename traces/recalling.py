"""Which earlier entries a trace brings along to be read for an answer. Needs the owner's keyring in force."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from diary.beside import Named, Recalled
from diary.models import Entry
from traces.models import KeptTrace, Trace
from traces.presenting import name_of

# The latest of them; what is too much for the window is left out again, oldest first.
MOST: Final = 24


def recalled_for(entry: Entry, by: Collection[UUID]) -> Recalled:
    """Return entries of days before an entry's: under traces chosen this once, or that are always read.

    Whether the entry bears them makes no difference: the person has chosen.
    """
    wanted = Trace.objects.of(entry.owner_id).filter(Q(id__in=list(by)) | Q(is_read_always=True))
    traces = list(wanted.values_list("id", flat=True))
    if not traces:
        return Recalled()
    kept = KeptTrace.objects.of(entry.owner_id).filter(trace_id__in=traces, entry__day__lt=entry.day)
    found = Entry.objects.of(entry.owner_id).filter(id__in=kept.order_by().values("entry_id"))
    return Recalled(entries=list(found.order_by("-day", "-created_at", "-id")[:MOST]), by=traces)


def names_of(owner_id: UUID, ids: Collection[UUID]) -> Sequence[Named]:
    """Return the traces among some ids, by name, as far as they are still there."""
    traces = Trace.objects.of(owner_id).filter(id__in=list(ids)).defer("summary")
    return [Named(name=name_of(trace), address=reverse("trace", args=[trace.id])) for trace in traces]
