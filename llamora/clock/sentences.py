"""Messages for people when the clock was set, when the machine was off for long, and when deletions wait."""

from datetime import datetime

from llamora.clock.elapsed_time import ElapsedTime
from llamora.pluralize import pluralize

MENTIONED_FOR, _LONG_GAP = 7 * 86400.0, 7 * 86400.0
_UNITS = ((86400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes"))


def describe_duration(seconds: float) -> str:
    """Return a duration in its largest unit, rounded."""
    for unit, one, many in _UNITS:
        if abs(seconds) >= unit:
            return pluralize(round(abs(seconds) / unit), one, many)
    return pluralize(round(abs(seconds)), "second", "seconds")


def describe_step(seconds: float) -> str:
    """Return a sentence that says by how much the machine's clock was set forward or back."""
    direction = "forward" if seconds > 0 else "back"
    return f"This machine's clock was set {direction} by {describe_duration(seconds)}."


def find_age_warning(found: ElapsedTime | None, *, now: datetime) -> str | None:
    """Return a sentence that explains why rows that seem old enough were not deleted, or None."""
    if found is None or not found.has_cutoff_times:
        return (
            "Nothing in the bin and no earlier version was deleted for its age yet: Llamora first looks "
            "whether the clock is right, for two days, or until an hour after the machine's next start."
        )
    return find_warning(found, now=now)


def find_warning(found: ElapsedTime | None, *, now: datetime) -> str | None:
    """Return a sentence about a problem with the clock for the administrator, or None."""
    if found is None:
        return None
    says = f"It says {now:%Y-%m-%d %H:%M} UTC now."
    if (gap := found.find_gap()) and gap.seconds >= _LONG_GAP:
        return (
            f"By its clock, this machine was off for {describe_duration(gap.seconds)}. {says} If that is "
            "wrong, correct it now: after two days, or an hour after the next start of the machine, what has "
            "expired by it is deleted."
        )
    if step := found.find_last_step(MENTIONED_FOR):
        return (
            f"{describe_step(step.seconds)} {says} If that is wrong, correct it, or entries are saved on "
            "wrong days. Nothing is deleted because of it."
        )
    return None
