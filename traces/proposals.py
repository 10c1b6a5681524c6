"""What is proposed for entries: by the model, by name, by habit; never what was dismissed there.

Needs the owner's keyring in force. Nothing here keeps a trace.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max
from django.utils import timezone

from diary.access import entry_of
from diary.models import Entry
from llamora.crypto import EnvelopeError
from llamora.database import writing
from traces.lexicons import lexicons
from traces.models import Choices, KeptTrace, Proposal
from traces.names import identity, written

SHOWN: Final = 6
USUAL: Final = 8
# By habit few are proposed, and not any more when an entry has been left without for a day.
OF_HABIT: Final = 3
FRESH: Final = timedelta(days=1)
LATELY: Final = timedelta(days=60)


def offer(entry: Entry, names: Sequence[str]) -> None:
    """Put the model's proposals in the place of those before; runs within a transaction."""
    row = _row_of(entry)
    row.body = {"offered": list(names), "dismissed": body_of(row)["dismissed"]}
    row.made_at = timezone.now()
    row.save()


def dismiss(*, owner_id: UUID, entry_id: UUID, name: str) -> Entry:
    """Have a name proposed no more for an entry; raise NotThere, NameRefused."""
    dismissed = identity(written(name))
    with writing():
        entry = entry_of(owner_id, entry_id)
        row = _row_of(entry)
        body = body_of(row)
        if dismissed not in body["dismissed"]:
            row.body = {**body, "dismissed": [*body["dismissed"], dismissed]}
            row.save()
    return entry


def _row_of(entry: Entry) -> Proposal:
    row: Proposal | None = Proposal.objects.filter(entry=entry).first()
    return row or Proposal(owner_id=entry.owner_id, entry=entry, body={"offered": [], "dismissed": []})


def body_of(row: Proposal | None) -> dict[str, Any]:
    """Return what a row says; of none, and of one that does not open, that nothing was proposed."""
    try:
        body = row.body if row is not None else {}
    except EnvelopeError:
        body = {}
    return {"offered": list(body.get("offered", ())), "dismissed": list(body.get("dismissed", ()))}


def proposed(
    entry: Entry, *, row: Proposal | None, kept: Collection[str], habit: Sequence[str] = ()
) -> list[str]:
    """Return the names proposed for an entry: what the model offered, then traces its text names.

    Where there is neither, those of `habit`.
    """
    body = body_of(row)
    lexicon = lexicons.of(entry.owner_id)
    named = [lexicon.names[trace_id] for trace_id in lexicon.found_in(_text_of(entry))]
    offered = [lexicon.as_written(name) for name in body["offered"]]
    left_out = {*body["dismissed"], *(identity(name) for name in kept)}
    found: dict[str, str] = {}
    for name in [*offered, *named] or habit:
        found.setdefault(identity(name), name)
    return [name for id_, name in found.items() if id_ not in left_out][:SHOWN]


def is_fresh(entry: Entry) -> bool:
    """Return whether an entry was written so lately that habit may propose something for it."""
    return bool(entry.created_at > timezone.now() - FRESH)


def habit_of(owner_id: UUID) -> list[str]:
    """Return the few names a person keeps most and latest."""
    names = lexicons.of(owner_id).names
    if not names:
        return []
    return [names[id_] for id_ in usual(owner_id, most=OF_HABIT) if id_ in names]


def _text_of(entry: Entry) -> str:
    try:
        return str(entry.text)
    except EnvelopeError:
        return ""


def usual(owner_id: UUID, *, most: int = USUAL) -> list[UUID]:
    """Return a person's traces, those kept often lately first, then the latest, without opening any."""
    since = timezone.now() - LATELY
    kept = KeptTrace.objects.of(owner_id).order_by()
    frequent = kept.filter(created_at__gt=since).values("trace_id").annotate(count=Count("id"))
    often = [row["trace_id"] for row in frequent.order_by("-count", "trace_id")[: most // 2]]
    latest = kept.values("trace_id").annotate(last=Max("created_at")).order_by("-last", "trace_id")
    recent = [row["trace_id"] for row in latest[: most + len(often)]]
    return list(dict.fromkeys([*often, *recent]))[:most]


def completed(owner_id: UUID, typed: str, *, most: int = USUAL) -> list[str]:
    """Return names that begin as typed, from the first letter on; the usual ones before it."""
    lexicon = lexicons.of(owner_id)
    if not typed.strip():
        return [lexicon.names[id_] for id_ in usual(owner_id, most=most) if id_ in lexicon.names]
    by_use = usual(owner_id, most=len(lexicon.names))
    among = list(dict.fromkeys([*by_use, *lexicon.names]))
    return [lexicon.names[id_] for id_ in lexicon.beginning_with(typed, among=among)[:most]]


def are_wanted(owner_id: UUID) -> bool:
    """Return whether a person wants the model to propose traces by itself."""
    return not Choices.objects.filter(owner_id=owner_id, makes_proposals=False).exists()


def want(owner_id: UUID, *, wanted: bool) -> None:
    """Have the model propose traces after its replies, or only when asked."""
    with writing():
        Choices.objects.update_or_create(owner_id=owner_id, defaults={"makes_proposals": wanted})
