"""Four years and a half of a real diary with forty traces kept on it by rule: its name occurs in the text."""

import json
import re
from collections import defaultdict
from datetime import date
from pathlib import Path
from uuid import UUID

from diary.models import Entry
from tests.people import Resident
from tests.traces.tagging import on_entries
from traces.models import Trace

WORDS = (
    "wife home office dinner bed church lord music money book coach water tavern king duke parliament letter "
    "house garden rain ship wine supper boat play sermon Westminster Whitehall Deptford Woolwich Creed Penn "
    "Batten Hewer Sandwich plague fish lute tailor barber"
)
NAMES = WORDS.split()


def kept_by_rule(someone: Resident, shared: Path, *, names: list[str] = NAMES) -> dict[str, set[UUID]]:
    """Bring the corpus in and keep each trace where it occurs; return by name the entries that have it."""
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
            on_entries(someone, trace, there)
    return {name: {entry.id for entry in there} for name, there in on.items()}
