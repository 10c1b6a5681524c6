"""Time zones that a person can choose."""

from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings


@cache
def _list_known_names() -> frozenset[str]:
    """Return the names of all time zones of this machine; cached, since this opens hundreds of files."""
    return frozenset(available_timezones())


@cache
def list_time_zones() -> tuple[str, ...]:
    """Return the names of time zones to choose from: cities and UTC, without legacy names."""
    cities = {
        name for name in _list_known_names() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    }
    return ("UTC", *sorted(cities))


def is_time_zone(name: str) -> bool:
    """Return whether this machine knows a time zone of this name."""
    return name in _list_known_names()


def get_time_zone_or_default(name: str) -> str:
    """Return the name if it is a known time zone, else the household's time zone."""
    return name if is_time_zone(name) else str(settings.HOUSEHOLD_TIME_ZONE)


@lru_cache(maxsize=64)
def load_time_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name, or the household's if the name is unknown.

    Every page calls this, so it does not list all zones, which would take too long.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(str(settings.HOUSEHOLD_TIME_ZONE))
