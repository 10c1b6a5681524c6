"""Tests of the page of the Inbox: its contents, which nothing uses before they are accepted."""

from datetime import date

import pytest

from diary.inbox import services
from diary.inbox.inbox_text import InboxText
from diary.models import Entry, InboxItem, Origin
from tests.diary.inbox_senders import create_program, registered
from tests.diary.tabs import ServingLoop, start_reply, wait_for_reply_row
from tests.fakes.model_server import FakeModelServer
from tests.page import HtmlNode, read
from tests.people import Resident

DAY = date(2026, 3, 5)
MARKED = '<a href="/sign-out/">out</a> ![x](http://elsewhere.example/p.png) [this](http://elsewhere.example/)'


def add(who: Resident, text: str = "Buy eggs.", *, source: str = "Kitchen tablet") -> InboxItem:
    with who.unlocked():
        return services.add_item(
            owner_id=who.id,
            day=DAY,
            origin=Origin.PROGRAM,
            text=InboxText.create(text, source=source),
        )


def load(who: Resident, path: str = "/inbox/") -> HtmlNode:
    page: HtmlNode = read(who.get(path)).one("#main")
    return page


def test_an_empty_inbox_says_so_and_is_not_in_the_rail(owner: Resident) -> None:
    assert "The Inbox is empty" in load(owner).text
    assert not read(owner.get("/")).has('.rail a[href="/inbox/"]')


def test_the_rail_counts_what_waits(owner: Resident, housemate: Resident) -> None:
    add(owner)
    deleted = add(owner)
    owner.post(f"/inbox/{deleted.id}/delete/")
    create_program(owner).send("Sent while locked.")
    add(housemate)

    link = read(owner.get("/")).one('.rail a[href="/inbox/"]')

    assert link.text == "Inbox 2 waiting"
    assert read(owner.get("/")).one(".nav-more").text == "More 2 waiting in the Inbox"
    assert read(housemate.get("/")).one(".nav-more").text == "More 1 waiting in the Inbox"


def test_a_large_number_has_room_on_a_phone(owner: Resident) -> None:
    assert read(owner.get("/")).one(".nav-more").text == "More"
    for _ in range(100):
        add(owner)

    assert read(owner.get("/")).one(".nav-more").text == "More 99+ waiting in the Inbox"


def test_a_text_is_shown_as_it_is_without_links_and_pictures(owner: Resident) -> None:
    add(owner, MARKED, source="<b>tablet</b>")

    page = load(owner)

    assert page.one(".other-text").text == MARKED
    assert not page.has(".other-text *, img")
    assert page.one("article bdi").text == "<b>tablet</b>"
    assert "from <b>tablet</b>" in page.one("article").text


def test_an_accepted_text_is_an_entry_that_says_where_it_is_from(owner: Resident) -> None:
    item = add(owner)

    answer = owner.post(f"/inbox/{item.id}/accept/")

    page = load(owner, answer["Location"])
    assert "is an entry of 5 March 2026 now" in page.text
    assert page.one(".notice a").get("href") == f"/d/{DAY}/#entry-{item.id}"
    day = read(owner.get(f"/d/{DAY}/")).one(f"#entry-{item.id}")
    assert (day.one(".prose").text, day.texts(".origin")) == ("Buy eggs.", ["from Kitchen tablet"])


def test_all_that_a_page_showed_is_accepted_and_nothing_that_came_since(owner: Resident) -> None:
    for number in range(3):
        add(owner, f"Text {number}.")
    form = read(owner.get("/inbox/")).one('form[action="/inbox/accept/"]')
    fields = {
        "review": form.one('[name="review"]').get("value"),
        "item": form.values('[name="item"]', "value"),
    }
    late = add(owner, "Slipped in.")

    slipped = owner.post("/inbox/accept/", **{**fields, "item": [*fields["item"], str(late.id)]})
    assert slipped.status_code == 409
    assert "The Inbox changed" in read(slipped).one('[role="alert"]').text
    assert not Entry.objects.exists()

    answer = owner.post("/inbox/accept/", **fields)

    assert "3 texts are entries of their days now" in load(owner, answer["Location"]).text
    assert owner.list_texts(DAY) == ["Text 0.", "Text 1.", "Text 2."]
    assert load(owner).texts(".other-text") == ["Slipped in."]


def test_a_page_shows_twenty_and_accepts_no_more(owner: Resident) -> None:
    for number in range(21):
        add(owner, f"Text {number}.")

    first, second = load(owner), load(owner, "/inbox/?page=2")

    assert (len(first.all("article")), len(second.all("article"))) == (20, 1)
    assert len(first.all('[name="item"]')) == 20
    assert not second.has('[name="item"]')


def test_a_deleted_text_can_be_had_back(owner: Resident) -> None:
    item = add(owner)

    answer = owner.post(f"/inbox/{item.id}/delete/")
    page = load(owner, answer["Location"])
    assert page.texts("article") == []
    undo = page.one(".undo form").get("action")
    owner.post(undo)

    assert load(owner).texts(".other-text") == ["Buy eggs."]


def test_what_could_not_be_checked_stands_apart_and_cannot_be_accepted(owner: Resident) -> None:
    program, stranger = create_program(owner), create_program(owner)
    program.send("From the tablet.")
    planted = stranger.send("From nobody.")

    with registered(program):
        page = load(owner)

    apart = page.one("section[aria-labelledby='unchecked']")
    assert apart.texts(".other-text") == ["From nobody."]
    assert page.texts("#main > article .other-text") == ["From the tablet."]
    assert apart.values("form", "action") == [f"/inbox/boxes/{planted}/delete/"]
    assert owner.post(f"/inbox/{planted}/accept/").status_code == 404
    owner.post(f"/inbox/boxes/{planted}/delete/")
    assert not load(owner).has("section[aria-labelledby='unchecked']")


@pytest.mark.parametrize("act", ["accept", "delete", "restore"])
def test_anothers_text_is_not_there(owner: Resident, housemate: Resident, act: str) -> None:
    item = add(owner)

    assert housemate.post(f"/inbox/{item.id}/{act}/").status_code == 404
    assert "Buy eggs." not in housemate.get("/inbox/").content.decode()
    assert load(owner).texts(".other-text") == ["Buy eggs."]


# --- Before it is accepted -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_model_reads_what_waits(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    with owner.unlocked():
        services.add_item(
            owner_id=owner.id, day=owner.today, origin=Origin.PROGRAM, text=InboxText(text="WAITING")
        )
    create_program(owner).send("BOXED")
    entry = owner.write("WRITTEN")

    wait_for_reply_row(owner, start_reply(owner, entry.id))

    sent = str([request.body for request in model.requests])
    assert "WRITTEN" in sent
    assert "WAITING" not in sent
    assert "BOXED" not in sent
