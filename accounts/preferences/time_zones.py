"""Time zones that a person can choose."""

from functools import cache
from zoneinfo import available_timezones

from django.conf import settings


@cache
def list_time_zones() -> tuple[str, ...]:
    """Return the names of time zones to choose from: cities and UTC, without legacy spellings."""
    cities = {
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    }
    return ("UTC", *sorted(cities))


def is_time_zone(name: str) -> bool:
    """Return whether this machine knows a time zone of this name."""
    return name in available_timezones()


def get_time_zone_or_default(name: str) -> str:
    """Return the name if it is a known time zone, else the household's."""
    return name if is_time_zone(name) else str(settings.HOUSEHOLD_TIME_ZONE)
