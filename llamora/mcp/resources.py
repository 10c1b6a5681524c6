"""Resources of MCP: the days, as `read_day` returns them, and the facts, as `list_facts` does."""

from datetime import date
from typing import Final

import msgspec

from diary import days
from llamora.api.call import Call
from llamora.api.resources.texts import select_entries
from llamora.mcp.descriptions import ResourceDescription, ResourceNotFound
from llamora.mcp.diary_tools import DayToRead, read_day
from llamora.mcp.fact_tools import FactsToList, list_facts

# Those of the list; every other is read by its address.
MAX_LISTED: Final = 20
DAY_SCOPE: Final = "diary:read"
FACTS_SCOPE: Final = "facts:read"
_DAY: Final = "llamora://day/"
_FACTS: Final = "llamora://facts"
_WORDS: Final = (
    "The entries of the day in their order, each with its origin, and what the model wrote about it."
)

DAY_TEMPLATE: Final = ResourceDescription(
    uri=_DAY + "{day}", name="day", title="A day of the diary, as YYYY-MM-DD", description=_WORDS
)

FACTS: Final = ResourceDescription(
    uri=_FACTS,
    name="facts",
    title="Facts",
    description="The newest hundred facts that the diary's owner accepted, each with its origin.",
)


def list_latest_days(call: Call) -> list[ResourceDescription]:
    """Return the latest days that have entries."""
    found = select_entries(call).order_by("-day").values_list("day", flat=True).distinct()
    return [_describe(day) for day in found[:MAX_LISTED]]


def _describe(day: date) -> ResourceDescription:
    name = day.isoformat()
    return ResourceDescription(uri=_DAY + name, name=name, title=days.format_day(day), description=_WORDS)


def get_scope(uri: str) -> str:
    """Return the scope that is required for a resource."""
    return FACTS_SCOPE if uri == _FACTS else DAY_SCOPE


def read_resource(call: Call, uri: str) -> str:
    """Return a day or the facts as JSON; raise ResourceNotFound for any other URI."""
    if uri == _FACTS:
        return msgspec.json.encode(list_facts(call, FactsToList(limit=100))).decode()
    try:
        if not uri.startswith(_DAY):
            raise ResourceNotFound
        day = days.parse_day(uri.removeprefix(_DAY))
    except ValueError:
        raise ResourceNotFound from None
    return msgspec.json.encode(read_day(call, DayToRead(day=day))).decode()
