"""Test of facts proposed by SmolLM2, a model too small to be useful: none without support in a hundred days.

It takes an hour. `-s` shows the proposals.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llamora.inference.registry import registry
from tests.diary.tabs import run_serving_loop
from tests.people import Resident
from traces.facts.models import Fact
from traces.facts.proposals.services import get_fact_job

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DAYS = 100


def list_corpus_days(shared: Path) -> list[tuple[date, str]]:
    """Return a hundred short days with their texts, spread over the corpus."""
    path = shared / "corpus/pepys_1660_1664.jsonl"
    if not path.exists():
        pytest.skip("the corpus is not in the shared folder; set LLAMORA_TEST_SHARED to one that has it")
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    short = [
        (date.fromisoformat(line["date"]), line["text"]) for line in lines if 100 < len(line["text"]) < 450
    ]
    return [short[place * len(short) // DAYS] for place in range(DAYS)]


def test_whatever_a_small_model_writes_each_proposal_has_its_quote(
    transactional_db: None, small_model: Path, shared: Path, owner: Resident, settings: Any
) -> None:
    settings.MODEL_CONTEXT, settings.MODEL_PARALLEL, settings.MODEL_REPLY_TOKENS = 4096, 1, 200
    settings.MODEL_THREADS = 1
    days = list_corpus_days(shared)

    with run_serving_loop(file=small_model):
        for day, text in days:
            entry = owner.write(text, day=day)
            owner.post(f"/entries/{entry.id}/facts/find/", script=True)
            with owner.unlocked():
                while (job := get_fact_job(entry.id)) is not None and not job.is_over:
                    registry.wait_until_over(job.id, patience=600)
                assert job is not None

    with owner.unlocked():
        texts = dict(days)
        proposals = list(Fact.objects.only_proposed(owner.id))
        print(f"{len(proposals)} proposals of {len(texts)} days")
        for fact in proposals:
            print(f"{fact.body['text']} | {fact.body['quote']['text']}")
            assert any(fact.body["quote"]["text"] in text for text in texts.values())
        assert not Fact.objects.only_accepted(owner.id).exists()
