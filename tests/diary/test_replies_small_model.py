"""Test of replies by SmolLM2, a model too small to be useful: no text in the diary that is not a reply.

It takes twenty minutes. `-s` shows the replies.
"""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from diary.generation.prompt_templates import get_fixed_texts
from diary.models import Opening, Recap, Reply
from llamora.inference.registry import registry
from tests.diary.tabs import run_serving_loop, start_reply, wait_for_reply_row
from tests.people import Resident
from traces.models import TraceProposal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

KINDS = ("respond", "reflect", "question", "summary")
OF_EACH = 10
RUN = 8
# A line that is a date or begins with a time, as an entry does in the prompt.
DATE = r"\W*(\w+,? )?(\d{1,2}\.? \w+|\w+ \d{1,2}),? \d{4}\W*"
HEAD = re.compile(rf"(?m)^({DATE}|\W*\[\d{{1,2}}[:.]\d{{2}}\].*)$")

FENCE_CODE = re.compile(r"\b[0-9a-fA-F]{16,}\b")


def list_runs(text: str) -> set[str]:
    """Return each eight words in a row."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def list_corpus_days(shared: Path) -> list[tuple[date, str]]:
    """Return forty days with their texts, spread over the corpus; short ones, which are quicker to read."""
    path = shared / "corpus/pepys_1660_1664.jsonl"
    if not path.exists():
        pytest.skip("the corpus is not in the shared folder; set LLAMORA_TEST_SHARED to one that has it")
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    days = [(date.fromisoformat(line["date"]), line["text"]) for line in lines]
    short = [(day, text) for day, text in days if 100 < len(text) < 600]
    count = OF_EACH * len(KINDS)
    return [short[place * len(short) // count] for place in range(count)]


def test_no_echo_and_no_forged_entry_of_forty_replies_is_stored(
    transactional_db: None, small_model: Path, shared: Path, owner: Resident, settings: Any
) -> None:
    settings.MODEL_CONTEXT, settings.MODEL_PARALLEL, settings.MODEL_REPLY_TOKENS = 4096, 1, 90
    # Threads wait for each other, and on a machine with other work for that as well.
    settings.MODEL_THREADS = 1
    settings.MODEL_SAMPLING = {"seed": 1660}
    days = list_corpus_days(shared)
    outcomes, faults = Counter[str](), []

    with run_serving_loop(file=small_model):
        for number, (day, told) in enumerate(days):
            kind = KINDS[number // OF_EACH]
            entry = owner.write(told, day=day)
            owner.get(f"/d/{day}/")
            reply = start_reply(owner, entry.id, kind=kind)
            text, state, reason = wait_for_reply_row(owner, reply, seconds=600)
            outcomes[f"{kind}: {reason or state}"] += 1
            print(f"{kind}, {day}, {reason or state}: {text}", flush=True)
            own = list_runs(told)
            if any(list_runs(fixed) & list_runs(text) - own for fixed in get_fixed_texts(kind)):
                faults.append(f"echo: {text}")
            if FENCE_CODE.search(text):
                faults.append(f"code: {text}")
            if HEAD.search(text):
                faults.append(f"forged: {text}")
        # Where an opening would be made.
        owner.get(f"/d/{owner.today}/")
        jobs = {job.id for job in registry.list_jobs(owner.keyring.key_id)}
    print(dict(outcomes), flush=True)

    assert faults == []
    assert Reply.objects.count() == len(days) == outcomes.total()
    assert any(name.endswith("done") for name in outcomes)
    assert jobs <= set(Reply.objects.values_list("id", flat=True))
    assert [model.objects.count() for model in (Opening, Recap, TraceProposal)] == [0, 0, 0]
