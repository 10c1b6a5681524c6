"""The weeks of a month as table rows, for the calendar and the months of a year.

A year has 365 days: rendered by template tags they took most of its page's time. All that stands in them is
numbers, URLs and words of our own, so nothing needs escaping.
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
    """Return the first day of the current month in this person's time zone."""
    return days.today(person.time_zone, now=timezone.now()).replace(day=1)


@register.simple_tag
def calendar_weeks(month: CalendarMonth) -> SafeString:
    """Return the rows of a month's table."""
    rows = ("".join(map(_render_day, week)) for week in month.weeks)
    return mark_safe("".join(f"<tr>{row}</tr>" for row in rows))  # noqa: S308 - see the module's docstring


def _render_day(cell: CalendarDay) -> str:
    if not cell.in_month:
        return "<td></td>"
    # Somebody who travelled west has entries on days that have not begun where they are now.
    if cell.is_future and not (cell.written or cell.opened):
        return f'<td><span class="cell future">{cell.number}</span></td>'
    marks = (" has-entries", cell.written), (" has-opening", cell.opened), (" today", cell.is_today)
    classes = "cell" + "".join(name for name, is_set in marks if is_set)
    current = "page" if cell.is_selected else "date" if cell.is_today else ""
    aria_current = f' aria-current="{current}"' if current else ""
    hidden_text = _WRITTEN_TEXT if cell.written else _OPENING_TEXT if cell.opened else ""
    attributes = f'class="{classes}" href="{cell.url}" data-date="{cell.iso}"{aria_current}'
    return f"<td><a {attributes}>{cell.number}{hidden_text}</a></td>"
