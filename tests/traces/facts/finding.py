"""Test steps for proposed facts: answers of a scripted model, and waiting for the proposals."""

import json
from typing import Any

from diary.models import Entry
from tests.fakes.script import Script
from tests.fakes.waiting import wait_for
from tests.people import Resident
from traces.facts.models import Fact
from traces.facts.proposals.services import is_finding


def build_claim(fact: str, quote: str, kind: str = "belongings") -> dict[str, str]:
    return {"fact": fact, "quote": quote, "kind": kind}


def build_answer(*claims: dict[str, str], **parts: Any) -> Script:
    text = json.dumps({"facts": claims}, ensure_ascii=False)
    return Script(tokens=[text[:9], text[9:]], **parts)


def request_facts(who: Resident, entry: Entry, **fields: str) -> list[str]:
    """Ask for the facts of an entry, wait until they were looked for, and return the proposals."""
    who.post(f"/entries/{entry.id}/facts/find/", script=True, **fields)
    wait_for_search(who, entry)
    return list_proposed(who)


def wait_for_search(who: Resident, entry: Entry) -> None:
    with who.unlocked():
        wait_for(lambda: not is_finding(entry.id))


def list_proposed(who: Resident) -> list[str]:
    with who.unlocked():
        return [fact.body["text"] for fact in Fact.objects.only_proposed(who.id)]
