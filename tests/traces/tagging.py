"""Test steps for traces: adding traces to entries, and listing their names."""

from collections.abc import Iterable

from diary.models import Entry
from tests.page import read
from tests.people import Resident
from traces.models import EntryTrace, Trace
from traces.tagging import services as tagging_services


def add_traces(someone: Resident, entry: Entry, *names: str) -> list[Trace]:
    """Add traces to an entry."""
    with someone.unlocked():
        return [
            tagging_services.add_trace(owner_id=someone.id, entry_id=entry.id, name=name) for name in names
        ]


def list_names(someone: Resident, entry: Entry) -> list[str]:
    """Return the names of an entry's traces, in the order they were added."""
    kept = EntryTrace.objects.for_owner(someone.id).filter(entry=entry).select_related("trace")
    with someone.unlocked():
        return [str(one.trace.name) for one in kept.order_by("created_at", "id")]


def add_to_entries(someone: Resident, trace: Trace, entries: Iterable[Entry]) -> None:
    """Add a trace to many entries."""
    with someone.unlocked():
        EntryTrace.objects.bulk_create(
            EntryTrace(owner_id=someone.id, trace=trace, entry=entry) for entry in entries
        )


def list_suggested(someone: Resident) -> list[str]:
    """Return the names suggested for the entries of today."""
    return read(someone.get(f"/d/{someone.today}/")).texts("[data-proposal] bdi")
