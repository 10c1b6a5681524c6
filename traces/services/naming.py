"""Renaming, merging and deleting a trace everywhere, each to be undone. Needs the owner's keyring in force.

Nothing a change needs for its undoing leaves the sealed rows: a merged or deleted trace waits, its entries
still known to it, and `Change` holds the rest. After thirty days both are gone.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from llamora.database import writing
from traces.access import change_of, trace_of
from traces.errors import NameTaken, SameTrace
from traces.models import Change, ChangeKind, KeptTrace, Trace
from traces.names import written
from traces.services.keeping import named
from traces.signals import tell_names_changed

UNDONE_WITHIN: Final = timedelta(days=30)


def rename(*, owner_id: UUID, trace_id: UUID, name: str) -> Change | None:
    """Call a trace otherwise; None where it is called so already.

    Raise NameRefused, NotThere, or NameTaken with the other trace of that name, to merge with.
    """
    name = written(name)
    with writing():
        trace = trace_of(owner_id, trace_id)
        was = str(trace.name)
        if was == name:
            return None
        _call(trace, name)
        return _noted(trace, ChangeKind.RENAME, {"was": was})


def _call(trace: Trace, name: str) -> None:
    other = named(trace.owner_id, name)
    if other is not None and other.id != trace.id:
        raise NameTaken(other)
    trace.call(name)
    trace.save(update_fields=["name", "name_index"])


def merge(*, owner_id: UUID, trace_id: UUID, into_id: UUID) -> Change:
    """Put a trace's entries under another, which is all that remains; raise NotThere, SameTrace."""
    if trace_id == into_id:
        raise SameTrace
    with writing():
        trace, into = trace_of(owner_id, trace_id), trace_of(owner_id, into_id)
        theirs = KeptTrace.objects.filter(trace=into).values("entry_id")
        added = list(KeptTrace.objects.filter(trace=trace).exclude(entry_id__in=theirs))
        KeptTrace.objects.bulk_create(
            KeptTrace(owner_id=owner_id, trace=into, entry_id=kept.entry_id, created_at=kept.created_at)
            for kept in added
        )
        _let_go(trace)
        body = {"added": [str(kept.entry_id) for kept in added]}
        return _noted(trace, ChangeKind.MERGE, body, into=into)


def delete(*, owner_id: UUID, trace_id: UUID) -> Change:
    """Take a trace away everywhere; the entries stay as they are. Raise NotThere."""
    with writing():
        trace = trace_of(owner_id, trace_id)
        _let_go(trace)
        return _noted(trace, ChangeKind.DELETE, {})


def _let_go(trace: Trace) -> None:
    trace.deleted_at = timezone.now()
    trace.save(update_fields=["deleted_at"])


def _noted(
    trace: Trace, kind: ChangeKind, body: Mapping[str, object], *, into: Trace | None = None
) -> Change:
    tell_names_changed(trace.owner_id)
    change: Change = Change.objects.create(
        owner_id=trace.owner_id, trace=trace, into=into, kind=kind, body=dict(body)
    )
    return change


def undo(*, owner_id: UUID, change_id: UUID) -> Trace:
    """Take a change back, once, and return the trace as it is again.

    Raise NotThere, or NameTaken where another trace has got its name meanwhile.
    """
    with writing():
        change = change_of(owner_id, change_id)
        trace = Trace.objects.get(id=change.trace_id)
        _UNDOING[ChangeKind(change.kind)](change, trace)
        change.delete()
        tell_names_changed(owner_id)
    return trace


def _undo_rename(change: Change, trace: Trace) -> None:
    _call(trace, change.body["was"])


def _undo_merge(change: Change, trace: Trace) -> None:
    _bring_back(trace)
    added = [UUID(entry_id) for entry_id in change.body["added"]]
    KeptTrace.objects.filter(trace=change.into, entry_id__in=added).delete()


def _undo_delete(change: Change, trace: Trace) -> None:
    del change
    _bring_back(trace)


def _bring_back(trace: Trace) -> None:
    other = named(trace.owner_id, trace.name)
    if other is not None and other.id != trace.id:
        raise NameTaken(other)
    trace.deleted_at = None
    trace.save(update_fields=["deleted_at"])


_UNDOING: Final[dict[ChangeKind, Callable[[Change, Trace], None]]] = {
    ChangeKind.RENAME: _undo_rename,
    ChangeKind.MERGE: _undo_merge,
    ChangeKind.DELETE: _undo_delete,
}


def purge(owner_id: UUID) -> int:
    """Delete for good what has waited thirty days to be wanted back; return how many traces."""
    before = timezone.now() - UNDONE_WITHIN
    gone = Trace.objects.let_go(owner_id).filter(deleted_at__lt=before)
    changes = Change.objects.filter(owner_id=owner_id, made_at__lt=before)
    if not gone.exists() and not changes.exists():
        return 0
    with writing():
        changes.delete()
        _, by_model = gone.delete()
    return by_model.get(Trace._meta.label, 0)
