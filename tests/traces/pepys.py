"""Four and a half years of a real diary with forty traces, each on all entries that contain its name."""

import json
import re
from collections import defaultdict
from datetime import date
from pathlib import Path
from uuid import UUID

from diary.models import Entry
from tests.people import Resident
from tests.traces.tagging import add_to_entries
from traces.models import Trace

WORDS = (
    "wife home office dinner bed church lord music money book coach water tavern king duke parliament letter "
    "house garden rain ship wine supper boat play sermon Westminster Whitehall Deptford Woolwich Creed Penn "
    "Batten Hewer Sandwich plague fish lute tailor barber"
)
NAMES = WORDS.split()


def import_with_traces(someone: Resident, shared: Path, *, names: list[str] = NAMES) -> dict[str, set[UUID]]:
    """Import the corpus and add each trace to the entries that contain it; return the entries by name."""
    lines = (shared / "corpus/pepys_1660_1664.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    with someone.unlocked():
        entries = Entry.objects.bulk_create(
            Entry(owner_id=someone.id, day=date.fromisoformat(one["date"]), text=one["text"]) for one in told
        )
    on: dict[str, list[Entry]] = defaultdict(list)
    for entry, one in zip(entries, told, strict=True):
        words = set(re.findall(r"\w+", one["text"].casefold()))
        for name in names:
            if name.casefold() in words:
                on[name].append(entry)
    with someone.unlocked():
        for name, there in on.items():
            trace = Trace(owner_id=someone.id)
            trace.set_name(name)
            trace.save(force_insert=True)
            add_to_entries(someone, trace, there)
    return {name: {entry.id for entry in there} for name, there in on.items()}
