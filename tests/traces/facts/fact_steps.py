"""Facts for tests, created like on a page."""

from typing import Any

from diary.models import Entry, Origin
from tests.people import Resident
from traces.facts import services
from traces.facts.fact_body import FactText
from traces.facts.models import Fact
from traces.facts.services import FactOrigin


def add_fact(who: Resident, text: str, **details: Any) -> Fact:
    """Add a fact that its owner enters."""
    with who.unlocked():
        where = FactOrigin(details=details)
        return services.add_fact(owner_id=who.id, text=FactText.create(text), where=where)


def propose_fact(
    who: Resident, text: str, *, origin: Origin = Origin.MODEL, entry: Entry | None = None, **details: Any
) -> Fact:
    """Propose a fact that is new."""
    where = FactOrigin(origin=origin, entry_id=entry.id if entry is not None else None, details=details)
    with who.unlocked():
        fact = services.propose_fact(owner_id=who.id, text=FactText.create(text), where=where)
    assert fact is not None
    return fact


def accept_new(
    who: Resident, text: str, *, origin: Origin = Origin.MODEL, entry: Entry | None = None, **details: Any
) -> Fact:
    """Propose a fact and accept it."""
    fact = propose_fact(who, text, origin=origin, entry=entry, **details)
    with who.unlocked():
        return services.accept_fact(owner_id=who.id, fact_id=fact.id)
