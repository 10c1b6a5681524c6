"""Counts with their nouns, for commands and for the admin, whose texts are no templates."""


def pluralize(number: int, one: str, many: str) -> str:
    """Return a number and its noun: "1 entry", or "2,000 entries"."""
    return f"{number:,} {one if number == 1 else many}"
