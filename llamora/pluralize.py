"""Numbers with nouns in singular or plural, for commands and for the admin."""


def pluralize(number: int, one: str, many: str) -> str:
    """Return a number and its noun: "1 entry", or "2,000 entries"."""
    return f"{number:,} {one if number == 1 else many}"
