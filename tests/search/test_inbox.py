"""Tests that a text of the Inbox is found only once it is an entry."""

from diary.inbox import services
from diary.inbox.inbox_text import InboxText
from diary.models import Origin
from tests.page import read
from tests.people import Resident
from tests.search.indexing import BagOfWords, open_index, wait_until_idle


def test_no_search_finds_what_waits(owner: Resident, embedder: BagOfWords) -> None:
    with owner.unlocked():
        item = services.add_item(
            owner_id=owner.id,
            day=owner.today,
            origin=Origin.PROGRAM,
            text=InboxText.create("sauerkirschen"),
        )
    owner.write("Written here.")
    open_index(owner)

    def find() -> list[str]:
        wait_until_idle(owner)
        return read(owner.post("/search/", q="sauerkirschen")).texts("mark")

    assert find() == []
    assert "sauerkirschen" not in embedder.embedded
    owner.post(f"/inbox/{item.id}/accept/")
    assert find() == ["sauerkirschen"]
