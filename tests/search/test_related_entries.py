"""Tests of the earlier entries on the same subject that a reply's prompt includes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diary.models import Entry
from diary.rendering.excerpts import extract_passage
from search import messages, related_entries
from search.embedder.holder import embedders
from search.index.person_index import PersonIndex
from search.index.registry import indexes
from tests.diary.fences import fence, hide_codes
from tests.diary.tabs import ServingLoop, get_reply, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.people import Resident, new_resident
from tests.search.indexing import BagOfWords, wait_until_idle

HERON = "A grey heron stood on the weir this morning."
HERON_AGAIN = "The grey heron stood on the weir again this evening."
BREAD = "Kneaded dough; flour everywhere, oven too hot."


@pytest.fixture
def live(transactional_db: None, embedder: BagOfWords, model: FakeModelServer) -> Iterator[ServingLoop]:
    with run_serving_loop(model.url) as live:
        yield live


def write_days_ago(who: Resident, days: int) -> date:
    return who.today - timedelta(days=days)


def build_index(who: Resident) -> None:
    indexes.for_owner(who.keyring)
    wait_until_idle(who)


def remove_vectors(who: Resident, entry: Entry) -> PersonIndex:
    """Remove an entry's vectors from the index, as just after a save."""
    wait_until_idle(who)
    index = indexes.get(who.keyring.key_id)
    assert index is not None
    assert index.vectors is not None
    index.vectors.remove([entry.id])
    return index


def get_last_prompt(model: FakeModelServer) -> str:
    return str(model.calls[-1]["messages"][-1]["content"])


def test_an_entry_that_speaks_of_the_same_is_read_exactly_so(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    owner.write(HERON, day=date(2026, 3, 5))
    owner.write(BREAD, day=date(2026, 3, 6))
    evening = datetime(2026, 11, 20, 20, 15, tzinfo=UTC)
    entry = owner.write(HERON_AGAIN, day=evening.date(), at=evening)
    build_index(owner)

    get_reply(owner, entry.id)

    recalled = fence({"day": "Thursday, 5 March 2026", "text": HERON})
    assert hide_codes(get_last_prompt(model)) == (
        "The day of the entry: Friday, 20 November 2026.\n\n"
        "From days before, to understand the entry by. "
        "Mention one of them only where it bears on the entry:\n"
        f"{recalled}\n\n"
        f"The entry to answer:\n{fence({'time': '20:15', 'text': HERON_AGAIN})}\n\n"
        "Answer the entry: say about one thing in it what the entry does not say, in two to four sentences "
        'in English, and call the writer "you".'
    )


def test_it_is_named_in_what_was_read_as_near(live: ServingLoop, owner: Resident) -> None:
    earlier = owner.write(HERON, day=write_days_ago(owner, 200))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)

    read = owner.get(f"/replies/{get_reply(owner, entry.id)}/read/", script=True).content.decode()

    assert read.count("/entries/") == 2
    assert read.count("(related)") == 1
    assert read.index(f"/entries/{earlier.id}/") < read.index("(related)") < read.index(f"{entry.id}")
    assert "heron" not in read


def test_nothing_of_the_same_or_a_later_day_and_nothing_of_others_is_read(
    live: ServingLoop, owner: Resident, housemate: Resident, model: FakeModelServer
) -> None:
    day = write_days_ago(owner, 10)
    entry = owner.write(HERON_AGAIN, day=day)
    owner.write(f"{HERON} LATER THAT DAY", day=day)
    owner.write(f"{HERON} TOMORROW", day=write_days_ago(owner, 9))
    owner.write(f"{HERON} BINNED", day=write_days_ago(owner, 20)).delete()
    housemate.write(f"{HERON} HOUSEMATE", day=write_days_ago(owner, 20))
    build_index(owner)
    build_index(housemate)

    get_reply(owner, entry.id)

    for never in ("LATER THAT DAY", "TOMORROW", "BINNED", "HOUSEMATE", "From days before"):
        assert never not in get_last_prompt(model)


def test_what_lies_in_the_bin_is_not_read(live: ServingLoop, owner: Resident, model: FakeModelServer) -> None:
    earlier = owner.write(HERON, day=write_days_ago(owner, 20))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)
    owner.post(f"/entries/{earlier.id}/delete/")

    get_reply(owner, entry.id)

    assert HERON not in get_last_prompt(model)


def test_of_a_long_entry_the_passage_is_read(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    dull = " ".join(f"Nothing happened at hour {hour}, or at any other." for hour in range(80))
    owner.write(f"{dull}\n\n{HERON * 8}\n\n{dull}", day=write_days_ago(owner, 30))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)

    read = owner.get(f"/replies/{get_reply(owner, entry.id)}/read/", script=True).content.decode()

    told = get_last_prompt(model).split("From days before")[1].split("The entry to answer")[0]
    assert HERON in told
    assert '"only_a_part": true' in told
    assert len(told) < 1_050
    assert "A long text was shortened." in read


def test_the_nearest_three_are_read_in_the_order_of_their_days(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    for days in (50, 10, 40, 20, 30):
        owner.write(f"{HERON} {days}", day=write_days_ago(owner, days))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)

    get_reply(owner, entry.id)

    places = [get_last_prompt(model).find(f"{HERON} {days}") for days in (50, 40, 30, 20, 10)]
    there = [place for place in places if place >= 0]
    assert len(there) == related_entries.MAX_RELATED
    assert there == sorted(there)


def test_an_entry_kept_only_just_now_is_looked_up_without_its_vectors(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    owner.write(HERON, day=write_days_ago(owner, 3))
    build_index(owner)
    entry = owner.write(HERON_AGAIN)
    remove_vectors(owner, entry)

    get_reply(owner, entry.id)

    assert HERON in get_last_prompt(model)


def test_without_a_model_for_meaning_the_day_alone_is_read(
    live: ServingLoop, owner: Resident, model: FakeModelServer, settings: Any
) -> None:
    embedders.set_embedder(None)
    settings.SEARCH_MODEL = "none/at-all"
    owner.write(HERON, day=write_days_ago(owner, 3))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)

    get_reply(owner, entry.id)

    assert HERON not in get_last_prompt(model)
    assert HERON_AGAIN in get_last_prompt(model)


class FailingEmbedder(BagOfWords):
    """An embedder that fails to embed questions."""

    def embed_question(self, text: str) -> NDArray[np.float32]:
        raise RuntimeError("no more memory")


def test_a_search_that_breaks_spoils_no_answer(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    embedders.set_embedder(FailingEmbedder())
    owner.write(HERON, day=write_days_ago(owner, 3))
    build_index(owner)
    entry = owner.write(HERON_AGAIN)
    index = remove_vectors(owner, entry)

    get_reply(owner, entry.id)

    assert "From days before" not in get_last_prompt(model)
    assert HERON_AGAIN in get_last_prompt(model)
    assert indexes.get(owner.keyring.key_id) is not index, "it is made anew"


def test_an_index_that_is_not_open_holds_nothing_up_and_is_opened_for_the_next(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    owner.write(HERON, day=write_days_ago(owner, 3))
    entry = owner.write(HERON_AGAIN)
    indexes.close(owner.keyring.key_id)

    get_reply(owner, entry.id)
    wait_until_idle(owner)
    get_reply(owner, entry.id)

    assert HERON in get_last_prompt(model)


def test_a_summary_is_of_the_entry_alone(live: ServingLoop, owner: Resident, model: FakeModelServer) -> None:
    owner.write(HERON, day=write_days_ago(owner, 3))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)

    get_reply(owner, entry.id, kind="summary")

    assert HERON not in get_last_prompt(model)


def test_a_person_can_have_only_their_day_read(
    live: ServingLoop, owner: Resident, model: FakeModelServer
) -> None:
    owner.write(HERON, day=write_days_ago(owner, 3))
    entry = owner.write(HERON_AGAIN)
    build_index(owner)

    owner.choose(reads_related_entries=False)
    get_reply(owner, entry.id)
    assert HERON not in get_last_prompt(model)

    owner.choose(reads_related_entries=True)
    get_reply(owner, entry.id)
    assert HERON in get_last_prompt(model)


def test_a_model_elsewhere_is_not_sent_what_nobody_chose(
    transactional_db: None, embedder: BagOfWords, model: FakeModelServer, settings: Any
) -> None:
    settings.MODEL_ALLOW_REMOTE = True
    with run_serving_loop(
        model.url.replace("127.0.0.1", "127.1")
    ):  # not written as an address of this machine
        owner = new_resident("Olive")
        owner.agree_to("127.1")
        owner.write(HERON, day=write_days_ago(owner, 3))
        entry = owner.write(HERON_AGAIN)
        build_index(owner)

        get_reply(owner, entry.id)

        assert HERON_AGAIN in get_last_prompt(model)
        assert HERON not in get_last_prompt(model)
        assert "runs on another machine" in owner.get("/settings/").content.decode()


def test_the_choice_leaves_recent_searches_as_they_are(owner: Resident) -> None:
    owner.post("/search/recent/", do="off")
    owner.choose(reads_related_entries=False)

    owner.person.refresh_from_db()
    chosen = owner.person
    assert (chosen.saves_recent_searches, chosen.reads_related_entries) == (False, False)


def test_the_settings_page_says_how_many_are_read_and_why_none_are(owner: Resident) -> None:
    build_index(owner)
    index = indexes.get(owner.keyring.key_id)
    assert index is not None

    pages = []
    for index.why_not_embedded in ("", "absent", "broken", "off"):
        pages.append(unescape(owner.get("/settings/").content.decode()))

    assert all(f"up to {related_entries.MAX_RELATED} earlier entries" in page for page in pages)
    absent, broken, off = map(messages.get_not_recalled_message, ("absent", "broken", "off"))
    assert [absent in page for page in pages] == [False, True, False, False]
    assert [broken in page for page in pages] == [False, False, True, False]
    assert [off in page for page in pages] == [False, False, False, True]
    owner.choose(reads_related_entries=False)
    assert off not in unescape(owner.get("/settings/").content.decode())


@pytest.mark.parametrize("place", [(0, 40), (500, 560), (960, 1000), (2000, 2100), (0, 1000)])
def test_a_passage_has_its_place_in_it_and_no_half_word(place: tuple[int, int]) -> None:
    text = " ".join(f"word{number:04}" for number in range(111))

    found = extract_passage(text, place, length=200)

    assert len(found) <= 200
    assert found in text
    assert all(len(word) == len("word0000") for word in found.split())
    middle = text[max(0, place[0]) : place[1]][:100].strip().split()
    if middle[1:-1] and place[1] - place[0] < 200:
        assert " ".join(middle[1:-1]) in found


def test_a_short_text_is_a_passage_as_it_is() -> None:
    assert extract_passage("Tea.\n", (0, 4), length=200) == "Tea.\n"


@pytest.mark.parametrize("around", [(1000, 1004), (1000, 5000), (3000, 3100)])
def test_a_passage_is_had_of_a_text_that_is_empty_for_pages(around: tuple[int, int]) -> None:
    text = "fog, " * 200 + "tide" + "\n" * 4000 + "after it " * 200

    found = extract_passage(text, around, length=800)

    assert found in text
    assert "tide" in found or around[0] == 3000
