"""The one gate to traces: not yours and not there are the same."""

from uuid import UUID

from diary.errors import NotThere
from traces.models import Change, Trace


def trace_of(owner_id: UUID, trace_id: UUID) -> Trace:
    """Return a person's trace; raise NotThere."""
    trace = Trace.objects.of(owner_id).filter(id=trace_id).first()
    if trace is None:
        raise NotThere
    return trace


def change_of(owner_id: UUID, change_id: UUID) -> Change:
    """Return what a person changed and may undo; raise NotThere."""
    change = Change.objects.filter(owner_id=owner_id, id=change_id).first()
    if change is None:
        raise NotThere
    return change
