"""Look-up of traces, and of changes to traces, by id; a row of another person counts as not there."""

from uuid import UUID

from django.http import HttpRequest

from accounts.models import Person
from diary.errors import get_first_or_404
from traces.models import Change, Trace


def get_trace(owner_id: UUID, trace_id: UUID) -> Trace:
    """Return a person's trace; raise ObjectNotFound."""
    return get_first_or_404(Trace.objects.for_owner(owner_id).filter(id=trace_id))


def get_change(owner_id: UUID, change_id: UUID) -> Change:
    """Return a change that the person may undo; raise ObjectNotFound."""
    return get_first_or_404(Change.objects.filter(owner_id=owner_id, id=change_id))


def get_requested_change(request: HttpRequest) -> Change | None:
    """Return the change that the URL asks to undo, or None if the person has no such change."""
    person = request.user
    try:
        change_id = UUID(request.GET.get("changed", ""))
    except ValueError:
        return None
    if not isinstance(person, Person):
        return None
    return Change.objects.filter(owner_id=person.id, id=change_id).first()
