"""The Jinja2 environment of the templates under `templates/`.

Templates that extend the admin's are Django templates, under `templates/django/`.

    {{ url('entry', entry.id) }}          the URL of a view
    {{ static('icons.svg') }}             the URL of a static file
    {{ day|as_day(person) }}              a date in the person's language
    {{ count|pluralize('y,ies') }}        Django's filters of the same names
"""

from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django.template import defaultfilters
from django.templatetags import tz
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django_htmx.jinja import htmx_script
from jinja2 import Environment

from accounts.models import Person
from accounts.preferences.time_zones import load_time_zone
from accounts.templating import date_filters

_PLACEHOLDERS: dict[type[Any], UUID | date] = {UUID: uuid4(), date: date(2001, 2, 3)}
_DJANGO_FILTERS = {
    "capfirst": defaultfilters.capfirst,
    "date": defaultfilters.date,
    "filesizeformat": defaultfilters.filesizeformat,
    "floatformat": defaultfilters.floatformat,
    "pluralize": defaultfilters.pluralize,
    "timezone": tz.do_timezone,
}


def build_environment(**options: Any) -> Environment:
    """Return the environment; lines that hold only a block tag leave no whitespace in the page."""
    environment = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - Django sets autoescape
    environment.filters |= _DJANGO_FILTERS | date_filters.FILTERS
    environment.globals |= {
        "url": get_url,
        "static": static,
        "htmx_script": htmx_script,
        "local_today": get_local_today,
    }
    return environment


def get_url(name: str, *args: Any) -> str:
    """Return the URL of a view; with an id or a day as the only argument, ten times faster than `reverse`."""
    if len(args) == 1 and (placeholder := _PLACEHOLDERS.get(type(args[0]))):
        before, after = _split_url(name, placeholder)
        if before:
            return f"{before}{args[0]}{after}"
    return reverse(name, args=args) if args else _get_plain_url(name)


def get_local_today(person: Person) -> date:
    """Return the current day in a person's time zone."""
    return timezone.now().astimezone(load_time_zone(person.time_zone)).date()


@lru_cache(maxsize=256)
def _get_plain_url(name: str) -> str:
    return reverse(name)


@lru_cache(maxsize=64)
def _split_url(name: str, placeholder: UUID | date) -> tuple[str, str]:
    """Return the parts of a view's URL before and after its argument, to build hundreds of URLs quickly.

    Return two empty strings if the URL contains the argument in another form, such as a month.
    """
    before, found, after = reverse(name, args=[placeholder]).partition(str(placeholder))
    return (before, after) if found else ("", "")
