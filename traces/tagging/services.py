"""Adding traces to entries, and removing traces from entries.

Call these functions inside `in_force`, which makes the owner's keys available.
"""

from uuid import UUID

from django.utils import timezone

from diary.entries.queries import get_entry
from llamora.database import write_transaction
from traces.accepted import list_accepted
from traces.access import get_trace
from traces.models import EntryTrace, Trace
from traces.names import clean_name
from traces.signals import send_names_changed


def find_by_name(owner_id: UUID, name: str) -> Trace | None:
    """Return a person's trace with the same identity as `name`, or None.

    Raise EnvelopeError if it is damaged. That is also raised if someone moved the index by which it was found
    to another trace, since a name is bound to its index.
    """
    trace = Trace.objects.for_owner(owner_id).with_names([name]).first()
    if trace is not None:
        trace.check_name()
    return trace


def add_trace(*, owner_id: UUID, entry_id: UUID, name: str) -> Trace:
    """Add a trace to an entry, creating the trace if it is new; raise InvalidTraceName, ObjectNotFound.

    An existing trace keeps its spelling.
    """
    name = clean_name(name)
    with write_transaction():
        entry = get_entry(owner_id, entry_id)
        trace = (
            find_by_name(owner_id, name)
            or restore_deleted_trace(owner_id, name)
            or _create_trace(owner_id, name)
        )
        rows = EntryTrace.objects.filter(trace=trace, entry=entry)
        if not list_accepted(rows):
            # A row with a wrong code is not the person's; theirs takes its place.
            rows.delete()
            EntryTrace.objects.create(owner_id=owner_id, trace=trace, entry=entry)
    return trace


def restore_deleted_trace(owner_id: UUID, name: str) -> Trace | None:
    """Restore and return a deleted trace of this name, or return None if there is none.

    Only a trace that was deleted when no entry had it any more is restored. Call within a write transaction.
    """
    unused = Trace.objects.only_deleted(owner_id).with_names([name]).filter(kept=None)
    trace = unused.order_by("-deleted_at").first()
    # A damaged one stays as it is: its summary may be that of another name.
    if trace is not None and trace.open_or("name", None) is not None:
        trace.deleted_at = None
        trace.set_name(name)
        trace.save(update_fields=["deleted_at", "name", "name_index"])
        send_names_changed(owner_id)
        return trace
    return None


def _create_trace(owner_id: UUID, name: str) -> Trace:
    trace = Trace(owner_id=owner_id)
    trace.set_name(name)
    trace.save(force_insert=True)
    send_names_changed(owner_id)
    return trace


def remove_trace(*, owner_id: UUID, entry_id: UUID, trace_id: UUID) -> Trace:
    """Remove a trace from an entry; delete the trace if no other entry has it. Raise ObjectNotFound."""
    with write_transaction():
        trace, entry = get_trace(owner_id, trace_id), get_entry(owner_id, entry_id)
        EntryTrace.objects.filter(trace=trace, entry=entry).delete()
        if not EntryTrace.objects.filter(trace=trace).exists():
            trace.deleted_at = timezone.now()
            trace.save(update_fields=["deleted_at"])
            send_names_changed(owner_id)
    return trace


def set_read_always(*, owner_id: UUID, trace_id: UUID, wanted: bool) -> Trace:
    """Set whether a trace's earlier entries go into the prompt of every reply; raise ObjectNotFound."""
    with write_transaction():
        trace = get_trace(owner_id, trace_id)
        trace.is_read_always = wanted
        trace.save(update_fields=["is_read_always", "name"])
        send_names_changed(owner_id)
    return trace
