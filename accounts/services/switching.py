"""Switching somebody's diary off and on again: it stays as it is, sealed, and nobody is let in."""

from accounts import sessions
from accounts.errors import LastKeeper
from accounts.models import Person
from llamora.database import writing


def switch_off(person: Person) -> int:
    """Let a person in no more and end their sessions; return how many. Raise LastKeeper."""
    with writing():
        others = Person.objects.filter(is_staff=True, is_active=True).exclude(id=person.id)
        if person.is_staff and not others.exists():
            raise LastKeeper
        person.is_active = False
        person.save(update_fields=["is_active"])
        return sessions.end_all(person_id=person.id)


def switch_on(person: Person) -> None:
    """Let a person in again."""
    person.is_active = True
    with writing():
        person.save(update_fields=["is_active"])
