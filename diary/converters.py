"""URL converters for days, months and years, as in /d/2026-11-20/; an impossible date gives 404."""

from datetime import date

from diary import days


class DayConverter:
    """A date as YYYY-MM-DD."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Return the date in a URL; raise ValueError if invalid, so that Django tries the next pattern."""
        return days.parse_day(value)

    def to_url(self, value: date) -> str:
        """Return a day as it stands in a URL, such as 2026-11-20."""
        return value.isoformat()


class MonthConverter:
    """A month as YYYY-MM, converted to the date of its first day."""

    regex = r"[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Return the first day of the month."""
        return days.parse_month(value)

    def to_url(self, value: date | str) -> str:
        """Return a month as it stands in a URL, such as 2026-11."""
        return value if isinstance(value, str) else value.isoformat()[:7]


class YearConverter:
    """A year as YYYY, from 0001 on."""

    regex = r"[0-9]{4}"

    def to_python(self, value: str) -> int:
        """Return the year."""
        return days.parse_month(f"{value}-01").year

    def to_url(self, value: int) -> str:
        """Return a year as it stands in a URL, such as 2026."""
        return f"{value:04}"


class MonthDayConverter:
    """A day of the year as MM-DD, converted to its date in the leap year 2000."""

    regex = r"[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Return a month and day in a URL, such as 02-29, as a date in 2000, which is a leap year."""
        return days.parse_day(f"2000-{value}")

    def to_url(self, value: date) -> str:
        """Return the month and day of a date as they stand in a URL, such as 11-20."""
        return f"{value:%m-%d}"
