"""Days, months and years in addresses: /d/2026-11-20/, /calendar/2026-11/. Anything impossible is a 404."""

from datetime import date

from diary import days


class DayConverter:
    """A date as YYYY-MM-DD."""

    regex = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Return the date; a ValueError is Django's way to say that the address is none."""
        return days.parse_day(value)

    def to_url(self, value: date) -> str:
        """Return the date as it stands in addresses."""
        return value.isoformat()


class MonthConverter:
    """A month as YYYY-MM, by its first day."""

    regex = r"[0-9]{4}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Return the first day of the month."""
        return days.parse_month(value)

    def to_url(self, value: date | str) -> str:
        """Return the month as it stands in addresses."""
        return value if isinstance(value, str) else value.isoformat()[:7]


class YearConverter:
    """A year as YYYY, from 0001 on."""

    regex = r"[0-9]{4}"

    def to_python(self, value: str) -> int:
        """Return the number of the year."""
        return days.parse_month(f"{value}-01").year

    def to_url(self, value: int) -> str:
        """Return the year as it stands in addresses."""
        return f"{value:04}"


class MonthDayConverter:
    """A day's place in the year as MM-DD, by its day in a leap year."""

    regex = r"[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """Return that day of the year 2000."""
        return days.parse_day(f"2000-{value}")

    def to_url(self, value: date) -> str:
        """Return the place as it stands in addresses."""
        return f"{value:%m-%d}"
