"""Holidays: parser of the rules by which the language tables describe fixed and movable holidays.

`12-25`             a day of a month
`easter+39`         days from Easter Sunday
`advent-11`         days from the first Sunday of Advent
`11-thu-4`          the fourth Thursday of November; the last one for -1
`11-thu-4+1`        days from such a weekday
"""

import re
from datetime import date, timedelta

from llamora.dates import calendar_days as days

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RULE = re.compile(r"(?:(easter|advent)|(\d\d?)-(?:(\d\d?)|([a-z]{3})-(-?\d)))([+-]\d+)?")


def find_holiday(rule: str, year: int) -> date | None:
    """Return the day of a holiday in a year, or None if there is none."""
    match = _RULE.fullmatch(rule)
    if match is None:
        message = f"no rule of a holiday: {rule}"
        raise ValueError(message)
    name, month, day, weekday, number, more = match.groups()
    found: date | None
    if name == "easter":
        found = days.easter(year)
    elif name == "advent":
        # The fourth Sunday before Christmas Day.
        found = days.last_weekday(date(year, 12, 25), 6) - timedelta(days=21)
    elif day:
        found = date(year, int(month), int(day))
    else:
        short = [full[:3] for full in WEEKDAYS].index(weekday)
        found = days.nth_weekday(days.month_days(year, int(month)), short, int(number))
    return found + timedelta(days=int(more or 0)) if found else None
