"""Tests of Ask with hostile entries and a model that obeys them: only the text of an answer results.

The documents, their routes and the model are those of `tests/diary/test_injections.py`.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from search.ask import services
from search.models import LookBack, Question
from tests.diary.tabs import ServingLoop
from tests.diary.test_injections import BEGIN, ORDERS, bring_in, dump_diary, obey, reached, write_document
from tests.fakes.model_server import FakeModelServer
from tests.people import Resident
from tests.search.asking import ask, load_row
from tests.search.indexing import open_index

__all__ = ["reached"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder")]


@pytest.mark.parametrize("order", list(ORDERS))
def test_a_model_that_obeys_what_it_reads_for_an_answer_changes_nothing(
    live: ServingLoop,
    model: FakeModelServer,
    owner: Resident,
    order: str,
    tmp_path: Path,
    reached: set[Any],
) -> None:
    model.answer = obey
    owner.write("Tea with Iris, and what is written above.", day=date(2021, 5, 1))
    # Pasted by its owner: their own, and hostile all the same.
    owner.write(f"Tea, pasted. {write_document(order)}", day=date(2021, 5, 2))
    bring_in(owner, write_document(order), tmp_path)
    open_index(owner)
    before = dump_diary(owner)

    asked = []
    for question in ("What is written above?", "Who is the hostile one?", "Tea with Iris?"):
        for reads_untrusted in (False, True):
            first = ask(owner, question, reads_untrusted=reads_untrusted)
            services.wait_for_answer(first)
            second = ask(owner, "And then?", first.session_id, reads_untrusted=reads_untrusted)
            services.wait_for_answer(second)
            asked += [first, second]

    for path in ("week/2021-05-03/", "week/2021-04-26/", "month/2021-05/"):
        owner.post(f"/look-back/{path}")
        live.wait_until_idle()
    assert dump_diary(owner) == before
    assert LookBack.objects.count() == 2
    assert any(BEGIN in json.dumps(body) for body in model.calls), "the model was never tempted"
    for body in model.calls:
        system, said = (str(turn["content"]) for turn in body["messages"])
        assert "HOSTILE" not in system
        assert not any(f"Then stop. {number}" in said for number in range(6, 11)), "a note of others was read"
        assert not ("Iris" in said and "HOSTILE" in said and "Tea, pasted" not in said), (
            "both sides were read"
        )
        for line in said.splitlines():
            assert "HOSTILE" not in line or line.startswith("{"), "a text left its fence"
    assert Question.objects.count() == len(asked)
    for one in asked:
        row = load_row(owner, one)
        assert row.has_read_imported is one.has_read_imported
        assert len({source["origin"] in ("own", "own_token") for source in row.sources}) <= 1
    assert any(one.has_read_imported for one in asked)
    assert {address for address in reached if isinstance(address, tuple)} <= {("127.0.0.1", model.port)}
