"""The squares of a month, for the calendar and for the twelve of a year; and which month it is.

A year has 365 squares: as template tags they took most of its page's time. All that stands in them is
numbers, addresses and words of our own.
"""

from datetime import date

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Person
from diary import days
from diary.days import CalendarDay, CalendarMonth

register = template.Library()

_HIDDEN_TEXT = '<span class="visually-hidden" lang="en">, {}</span>'
_WRITTEN_TEXT, _OPENING_TEXT = _HIDDEN_TEXT.format("written"), _HIDDEN_TEXT.format("only an opening")


@register.simple_tag
def this_month(person: Person) -> date:
    """Return the first day of the month that it is where this person lives."""
    return days.today(person.time_zone, now=timezone.now()).replace(day=1)


@register.simple_tag
def weeks(month: CalendarMonth) -> SafeString:
    """Return the rows of a month's table."""
    rows = ("".join(map(_render_day, week)) for week in month.weeks)
    return mark_safe("".join(f"<tr>{row}</tr>" for row in rows))  # noqa: S308 - see above


def _render_day(cell: CalendarDay) -> str:
    if not cell.in_month:
        return "<td></td>"
    # Who travelled west has written on days that are still to come where they are.
    if cell.is_future and not (cell.written or cell.opened):
        return f'<td><span class="cell future">{cell.number}</span></td>'
    marks = (" has-entries", cell.written), (" has-opening", cell.opened), (" today", cell.is_today)
    classes = "cell" + "".join(name for name, holds in marks if holds)
    current = "page" if cell.is_selected else "date" if cell.is_today else ""
    said = f' aria-current="{current}"' if current else ""
    words = _WRITTEN_TEXT if cell.written else _OPENING_TEXT if cell.opened else ""
    link = f'<a class="{classes}" href="{cell.url}" data-date="{cell.iso}"{said}>{cell.number}{words}</a>'
    return f"<td>{link}</td>"
