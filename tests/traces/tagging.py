"""Who plays in these tests: people who keep traces on what they wrote."""

from collections.abc import Iterable

from diary.models import Entry
from tests.people import Resident
from traces.models import EntryTrace, Trace
from traces.tagging import services as tagging_services


def keeps(someone: Resident, entry: Entry, *names: str) -> list[Trace]:
    """Traces kept on an entry, as a click on each would."""
    with someone.unlocked():
        return [
            tagging_services.add_trace(owner_id=someone.id, entry_id=entry.id, name=name) for name in names
        ]


def names_on(someone: Resident, entry: Entry) -> list[str]:
    """What the traces of an entry are called, in the order they were kept."""
    kept = EntryTrace.objects.for_owner(someone.id).filter(entry=entry).select_related("trace")
    with someone.unlocked():
        return [str(one.trace.name) for one in kept.order_by("created_at", "id")]


def on_entries(someone: Resident, trace: Trace, entries: Iterable[Entry]) -> None:
    """One trace kept on many entries at once."""
    EntryTrace.objects.bulk_create(
        EntryTrace(owner_id=someone.id, trace=trace, entry=entry) for entry in entries
    )
