"""Calls that list the days with entries, and return one day."""

from datetime import date
from typing import Final

import msgspec
from django.db.models import Count

from diary.entries.queries import list_entries as find_entries_of_day
from llamora.api.call import Call
from llamora.api.endpoints import endpoint
from llamora.api.resources.model_texts import load_opening, load_recap
from llamora.api.resources.pages import USUAL_LIMIT, Cursor, Limit, decode_cursor, encode_cursor
from llamora.api.resources.texts import EntryBody, build_entry_body, select_entries

_TAG: Final = "Days"


class DayListQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of the list of days: the first and the last day, both included."""

    since: date | None = msgspec.field(name="from", default=None)
    until: date | None = msgspec.field(name="to", default=None)
    limit: Limit = USUAL_LIMIT
    cursor: Cursor = ""


class DayCount(msgspec.Struct, kw_only=True):
    """A day and the number of its entries that this program may read."""

    day: date
    entry_count: int


class DayList(msgspec.Struct, kw_only=True):
    """A page of days, newest first; `next_cursor` is null on the last page."""

    days: list[DayCount]
    next_cursor: str | None


class DayBody(msgspec.Struct, kw_only=True):
    """A day: its entries in order, and what the model wrote about it.

    `unread_count` is the number of entries that this program may not read, because their owner did not write
    them.
    """

    day: date
    entries: list[EntryBody]
    unread_count: int
    opening: str | None
    recap: str | None


@endpoint("GET", "/api/v1/days", scopes=("diary:read",), tag=_TAG)
def list_days(call: Call, *, query: DayListQuery) -> DayList:
    """List the days that have entries.

    The newest day comes first. The list contains no texts.
    """
    entries = select_entries(call).order_by()
    if query.since:
        entries = entries.filter(day__gte=query.since)
    if query.until:
        entries = entries.filter(day__lte=query.until)
    if (before := decode_cursor(query.cursor, date)) is not None:
        entries = entries.filter(day__lt=before[0])
    rows = list(entries.values("day").annotate(entry_count=Count("id")).order_by("-day")[: query.limit + 1])
    shown = [DayCount(day=row["day"], entry_count=row["entry_count"]) for row in rows[: query.limit]]
    return DayList(days=shown, next_cursor=encode_cursor(shown[-1].day) if len(rows) > len(shown) else None)


@endpoint("GET", "/api/v1/days/{day}", scopes=("diary:read",), tag=_TAG)
def get_day(call: Call, *, day: date) -> DayBody:
    """Return a day with its entries.

    A day without entries is returned with an empty list.
    """
    everything = find_entries_of_day(call.owner, day)
    entries = [entry for entry in everything if call.terms.reads_untrusted or entry.is_trusted]
    call.record_read(len(entries))
    return DayBody(
        day=day,
        entries=[build_entry_body(entry) for entry in entries],
        unread_count=len(everything) - len(entries),
        opening=load_opening(call, day),
        recap=load_recap(call, day),
    )
