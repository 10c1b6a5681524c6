"""Numbers with what they count, as commands and pages say them."""


def pluralize(number: int, one: str, many: str) -> str:
    """Return "1 entry", or "2,000 entries"."""
    return f"{number:,} {one if number == 1 else many}"
