"""Time zones a person can live in."""

from functools import cache
from zoneinfo import available_timezones

from django.conf import settings


@cache
def list_time_zones() -> tuple[str, ...]:
    """Return the names people choose from: places and UTC, without the legacy spellings."""
    places = {
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))
    }
    return ("UTC", *sorted(places))


def is_time_zone(name: str) -> bool:
    """Return whether the machine knows a zone of this name."""
    return name in available_timezones()


def get_time_zone_or_default(name: str) -> str:
    """Return the zone a browser named if there is such a one, else the household's."""
    return name if is_time_zone(name) else str(settings.HOUSEHOLD_TIME_ZONE)
