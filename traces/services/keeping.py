"""Keeping a trace on an entry and taking it away. Needs the owner's keyring in force."""

from uuid import UUID

from django.utils import timezone

from diary.access import entry_of
from llamora.database import writing
from traces.access import trace_of
from traces.models import KeptTrace, Trace
from traces.names import written
from traces.signals import tell_names_changed


def named(owner_id: UUID, name: str) -> Trace | None:
    """Return a person's trace of a name, however it is written; None where there is none."""
    return Trace.objects.of(owner_id).called([name]).first()


def keep(*, owner_id: UUID, entry_id: UUID, name: str) -> Trace:
    """Keep a trace on an entry, a new one where none has that name; raise NameRefused, NotThere.

    One that is there keeps the name it was given first.
    """
    name = written(name)
    with writing():
        entry = entry_of(owner_id, entry_id)
        trace = named(owner_id, name) or revived(owner_id, name) or _new(owner_id, name)
        KeptTrace.objects.get_or_create(trace=trace, entry=entry, defaults={"owner_id": owner_id})
    return trace


def revived(owner_id: UUID, name: str) -> Trace | None:
    """Take back a trace that was let go when it was taken from its last entry; call while writing."""
    emptied = Trace.objects.let_go(owner_id).called([name]).filter(kept=None)
    trace = emptied.order_by("-deleted_at").first()
    if trace is not None:
        trace.deleted_at = None
        trace.call(name)
        trace.save(update_fields=["deleted_at", "name", "name_index"])
        tell_names_changed(owner_id)
    return trace


def _new(owner_id: UUID, name: str) -> Trace:
    trace = Trace(owner_id=owner_id)
    trace.call(name)
    trace.save(force_insert=True)
    tell_names_changed(owner_id)
    return trace


def remove(*, owner_id: UUID, entry_id: UUID, trace_id: UUID) -> Trace:
    """Take a trace away from an entry; raise NotThere. One that is on no entry any more is let go."""
    with writing():
        trace, entry = trace_of(owner_id, trace_id), entry_of(owner_id, entry_id)
        KeptTrace.objects.filter(trace=trace, entry=entry).delete()
        if not KeptTrace.objects.filter(trace=trace).exists():
            trace.deleted_at = timezone.now()
            trace.save(update_fields=["deleted_at"])
            tell_names_changed(owner_id)
    return trace


def read_always(*, owner_id: UUID, trace_id: UUID, wanted: bool) -> Trace:
    """Have a trace bring its earlier entries along to every reply, or no longer; raise NotThere."""
    with writing():
        trace = trace_of(owner_id, trace_id)
        trace.is_read_always = wanted
        trace.save(update_fields=["is_read_always"])
    return trace
