"""What was changed a moment ago, for the page that follows to offer it back."""

from uuid import UUID

from django.http import HttpRequest

from accounts.models import Person
from traces.models import Change


def change_in(request: HttpRequest) -> Change | None:
    """Return the change that an address names, if it is this person's and not taken back yet."""
    person = request.user
    try:
        change_id = UUID(request.GET.get("changed", ""))
    except ValueError:
        return None
    if not isinstance(person, Person):
        return None
    return Change.objects.filter(owner_id=person.id, id=change_id).first()
