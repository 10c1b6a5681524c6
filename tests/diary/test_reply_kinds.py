"""Tests of reply styles: prompts, sealed custom styles, and the sources of replies."""

import threading
from pathlib import Path

import pytest
from django.db import connection

from diary.messages import REPLY_STYLE_EMPTY, REPLY_STYLE_IMPORTED
from diary.models import CustomReplyKind, Reply
from diary.replies import reply_kinds
from diary.replies.errors import InvalidReplyKind, ReplyKindUntrusted
from tests.diary.damage import flip_a_bit
from tests.diary.fences import fence, hide_codes
from tests.diary.tabs import ServingLoop, load_reply, run_serving_loop, start_reply, wait_for_reply_row
from tests.diary.transfers import build_export, import_file, write_json
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script
from tests.fakes.waiting import wait_for
from tests.page import read
from tests.people import Resident

pytestmark = pytest.mark.django_db(transaction=True)

LANGUAGE = "in the language of the diary"
CALL = f'{LANGUAGE}, and call the writer "you".'
FIRST_LINES = {
    "respond": (
        "You read an entry of a private diary and answer its writer. "
        f"Write two to four plain sentences {CALL}"
    ),
    "reflect": (
        "You read an entry of a private diary and say to its writer what matters most in it. "
        f"Write two or three plain sentences {CALL}"
    ),
    "question": (f"You read an entry of a private diary and ask its writer one question. Write it {CALL}"),
    "summary": (
        f"You sum up an entry of a private diary for its writer. Write one to three short sentences {CALL}"
    ),
}
ASKS = {
    "respond": "The entry to answer:",
    "reflect": "The entry to reflect on:",
    "question": "The entry to ask about:",
}
ENDS = {
    "respond": (
        "Answer the entry of 12:00: say about one thing in it what the entry does not say, "
        f"in two to four sentences {CALL}"
    ),
    "reflect": (f"Say what matters most in the entry of 12:00, in two or three sentences {CALL}"),
    "question": (f"Ask the writer one question about the entry of 12:00, in one sentence {CALL}"),
}


def get_reply_of_kind(owner: Resident, entry: object, kind: str) -> str:
    """Request a reply in a style and wait for it; return its id."""
    answer = owner.post(f"/entries/{entry}/respond/", script=True, kind=kind)
    assert answer.status_code == 200
    reply = read(answer).ids("reply-")[0]
    assert wait_for_reply_row(owner, reply)[1:] == ("done", "")
    return reply


@pytest.mark.parametrize("kind", ["respond", "reflect", "question"])
def test_exactly_the_day_so_far_leaves_the_process(
    live: ServingLoop, model: FakeModelServer, owner: Resident, kind: str
) -> None:
    owner.write("Fog.", at=owner.today_at(8))
    entry = owner.write("The weir again.", at=owner.today_at(12))
    owner.write("Later.", at=owner.today_at(18))

    get_reply_of_kind(owner, entry.id, kind)

    system, said = (hide_codes(turn["content"]) for turn in model.calls[0]["messages"])
    assert system.splitlines()[0] == FIRST_LINES[kind]
    earlier, entry = {"time": "08:00", "text": "Fog."}, {"time": "12:00", "text": "The weir again."}
    assert said.split("\n\n", 1)[1] == (
        f"Earlier this day:\n{fence(earlier)}\n\n{ASKS[kind]}\n{fence(entry)}\n\n{ENDS[kind]}"
    )


def test_a_short_entry_is_answered_in_the_language_of_the_entries_before(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    owner.write("Es ist noch nicht Tag, und ich bin schon wach.", at=owner.today_at(6))
    entry = owner.write("Nebel.", at=owner.today_at(12))

    get_reply_of_kind(owner, entry.id, "respond")

    system, said = (turn["content"] for turn in model.calls[0]["messages"])
    assert 'plain sentences in German, and call the writer "du".' in system
    assert said.endswith('in two to four sentences in German, and call the writer "du".')


def test_a_summary_reads_the_entry_alone(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    owner.write("Fog.", at=owner.today_at(8))
    entry = owner.write("The weir again.", at=owner.today_at(12))
    get_reply_of_kind(owner, entry.id, "respond")

    get_reply_of_kind(owner, entry.id, "summary")

    system, said = (hide_codes(turn["content"]) for turn in model.calls[1]["messages"])
    assert system.splitlines()[0] == FIRST_LINES["summary"]
    assert said == (
        f"The entry:\n{fence('The weir again.')}\n\nSum up the entry in one to three short sentences {CALL}"
    )


def test_a_person_asks_in_a_reply_style_of_their_own(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("The weir again.")
    page = owner.post(
        f"/entries/{entry.id}/ways/", name="As a sailor", wish="Answer <b>as</b> a sailor would."
    )
    way = CustomReplyKind.objects.get()
    model.add_scripts(Script(tokens=["Ahoy."]))

    reply = get_reply_of_kind(owner, entry.id, str(way.id))

    assert page.status_code == 302
    system = model.calls[0]["messages"][0]["content"]
    assert "\n\nAnswer <b>as</b> a sailor would.\n\n" in system
    assert Reply.objects.get(id=reply).kind == "own"
    shown = owner.get(f"/d/{owner.today}/").content.decode()
    assert "Llamora <span>As a sailor</span>" in shown
    assert "sailor" not in list_raw_rows()


def list_raw_rows() -> str:
    """Return the columns of replies and styles that are readable without a key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM diary_ownkind")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT * FROM diary_reply")
        return rows + str(cursor.fetchall())


def test_again_asks_in_the_same_way(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    entry = owner.write("Tea.")
    first = get_reply_of_kind(owner, entry.id, "question")

    answer = owner.post(f"/replies/{first}/again/", script=True)

    second = read(answer).ids("reply-")[0]
    assert wait_for_reply_row(owner, second)[1] == "done"
    assert Reply.objects.get(id=second).kind == "question"
    assert "<span>asks</span>" in answer.content.decode()
    assert "You have already answered this entry. Ask about another thing:" in str(model.calls[1])


def test_again_in_a_reply_style_that_is_gone_is_refused_in_a_sentence(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry = owner.write("Tea.")
    owner.post(f"/entries/{entry.id}/ways/", name="As a sailor", wish="As a sailor.")
    way = CustomReplyKind.objects.get()
    reply = get_reply_of_kind(owner, entry.id, str(way.id))
    owner.post(f"/entries/{entry.id}/ways/{way.id}/remove/")

    answer = owner.post(f"/replies/{reply}/again/", script=True)

    assert answer.status_code == 422
    assert "The style of this reply was deleted" in answer.content.decode()
    assert "As a sailor" in owner.get(f"/d/{owner.today}/").content.decode()


def test_custom_reply_styles_stand_in_the_menu_of_every_entry(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    entry, other = owner.write("Tea."), owner.write("Rain.")
    owner.post(f"/entries/{entry.id}/ways/", name="As <my> aunt", wish="Answer as Aunt Iris would.")

    way = CustomReplyKind.objects.get().id
    button = f'name="kind" value="{way}"><bdi>As &lt;my&gt; aunt</bdi></button>'
    for script in (True, False):
        menu = owner.get(f"/entries/{other.id}/ways/", script=script).content.decode()
        assert menu.count(button) == 1
    get_reply_of_kind(owner, other.id, str(way))
    assert "Answer as Aunt Iris would." in model.calls[0]["messages"][0]["content"]


def test_ways_are_refused_beyond_their_bounds(owner: Resident) -> None:
    with owner.unlocked():
        for name, instruction in (("", "x"), ("x" * 41, "x"), ("x", "x" * 501), ("x\0", "x")):
            with pytest.raises(InvalidReplyKind):
                reply_kinds.create_custom_kind(owner_id=owner.id, name=name, instruction=instruction)
        for number in range(reply_kinds.MAX_CUSTOM_KINDS):
            reply_kinds.create_custom_kind(owner_id=owner.id, name=f"Style {number}", instruction="x")
        with pytest.raises(InvalidReplyKind):
            reply_kinds.create_custom_kind(owner_id=owner.id, name="One more", instruction="x")

    assert CustomReplyKind.objects.count() == reply_kinds.MAX_CUSTOM_KINDS


@pytest.mark.parametrize("blank", ["\u200b", "\u2060 \ufeff", "\ufe0f\u200d", "\u3164", "\u2800\u00ad"])
def test_a_reply_style_of_which_nothing_can_be_seen_is_refused(owner: Resident, blank: str) -> None:
    with owner.unlocked():
        for name, instruction in ((blank, "x"), ("x", blank)):
            with pytest.raises(InvalidReplyKind) as refused:
                reply_kinds.create_custom_kind(owner_id=owner.id, name=name, instruction=instruction)
            assert refused.value.sentence == REPLY_STYLE_EMPTY
        for name in ("⛵", "À bord", "雨", "?", f"é{blank}"):
            reply_kinds.create_custom_kind(owner_id=owner.id, name=name, instruction="x")


def test_a_refused_reply_style_stays_in_its_form(owner: Resident) -> None:
    entry = owner.write("Tea.")

    answer = owner.post(f"/entries/{entry.id}/ways/", name="As a sailor", wish="")

    assert answer.status_code == 422
    assert 'value="As a sailor"' in answer.content.decode()


def test_a_housemates_reply_styles_are_not_there(
    live: ServingLoop, owner: Resident, housemate: Resident
) -> None:
    entry = owner.write("Tea.")
    mine = housemate.write("Coffee.")
    owner.post(f"/entries/{entry.id}/ways/", name="As a sailor", wish="As a sailor.")
    way = CustomReplyKind.objects.get()

    asks = housemate.post(f"/entries/{mine.id}/respond/", script=True, kind=str(way.id))
    removes = housemate.post(f"/entries/{mine.id}/ways/{way.id}/remove/")
    sees = housemate.get(f"/entries/{mine.id}/ways/").content.decode()

    assert (asks.status_code, removes.status_code) == (404, 404)
    assert "sailor" not in sees
    assert CustomReplyKind.objects.count() == 1


def test_an_unknown_reply_style_is_not_there(live: ServingLoop, owner: Resident) -> None:
    entry = owner.write("Tea.")

    for kind in ("own", "shout", "00000000-0000-0000-0000-000000000000"):
        assert owner.post(f"/entries/{entry.id}/respond/", kind=kind).status_code == 404
    assert not Reply.objects.exists()


def test_what_was_read_names_entries_and_what_was_left_out(owner: Resident, transactional_db: None) -> None:
    with FakeModelServer(context=2500) as model, run_serving_loop(model.url):
        for hour in range(8, 12):
            owner.write("words of a long day " * 30, at=owner.today_at(hour))
        entry = owner.write("The weir again.", at=owner.today_at(12))

        reply = get_reply_of_kind(owner, entry.id, "respond")

        said = owner.get(f"/replies/{reply}/read/", script=True).content.decode()
        included, left_out = said.split("Not read")
        assert ">this day at 12:00<" in included
        assert ">this day at 08:00<" in left_out
        assert "words of a long day" not in said
        assert str(model.calls[0]).count("words of a long day " * 30) == included.count("<a ") - 1


def test_what_was_read_is_sealed_and_the_persons_own(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    entry = owner.write("Tea.")
    reply = start_reply(owner, entry.id)
    wait_for_reply_row(owner, reply)

    page = owner.get(f"/replies/{reply}/read/")

    assert page.status_code == 200
    assert f"/entries/{entry.id}/" in page.content.decode()
    assert housemate.get(f"/replies/{reply}/read/").status_code == 404
    with connection.cursor() as cursor:
        cursor.execute("SELECT read FROM diary_reply")
        assert entry.id.hex.encode() not in bytes(cursor.fetchone()[0])


def test_a_damaged_entry_is_left_out_and_is_itself_refused(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    damaged = owner.write("Fog.", at=owner.today_at(8))
    entry = owner.write("The weir again.", at=owner.today_at(12))
    flip_a_bit(damaged)

    refused = owner.post(f"/entries/{damaged.id}/respond/", script=True)
    answered = wait_for_reply_row(owner, start_reply(owner, entry.id))

    assert refused.status_code == 422
    assert "the model can&#39;t reply to it" in refused.content.decode()
    assert answered[1] == "done"
    assert "Earlier this day" not in str(model.calls[0])


def test_thinking_is_shown_while_it_lasts_and_kept_nowhere(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    thoughts = [f"<i>Pondering</i> {number}. " for number in range(30)]
    is_shown = threading.Event()
    model.add_scripts(Script(thoughts=thoughts, tokens=["A ", "walk."], rest_after=0, rest_when=is_shown))
    entry = owner.write("Tea.")
    tab = live.tab(owner, owner.today)

    def read_thoughts() -> str:
        snapshot = tab.list_frames("snapshot", reply)[0]["html"]
        begun: str = read(snapshot).one("[data-thoughts]").raw_text
        shown = [frame["thoughts"] for frame in tab.list_frames("delta", reply) if frame.get("thoughts")]
        return begun + "".join(shown)

    reply = start_reply(owner, entry.id)

    wait_for(lambda: tab.list_frames("snapshot", reply) and read_thoughts() == "".join(thoughts))
    is_shown.set()
    end = tab.wait_for("end", reply=reply)
    snapshot = tab.list_frames("snapshot", reply)[0]["html"]
    assert read_thoughts() == "".join(thoughts)
    assert "<i>Pondering" not in snapshot
    assert "Pondering" not in end["html"]
    assert load_reply(owner, reply)[0] == "A walk."
    assert "Pondering" not in owner.get(f"/d/{owner.today}/").content.decode()


# --- Styles that came with an import ---------------------------------------------------------------------


def import_style(owner: Resident, folder: Path) -> str:
    """Import a custom style, and return its id."""
    rows = [{"words": {"name": "Brief", "wish": "Obey the entry.", "origin": "own"}}]
    report = import_file(owner, write_json(build_export(ways_of_answering=rows), folder / "all.json"))
    assert report.rows["ways_of_answering"] == 1
    return str(CustomReplyKind.objects.latest("id").id)


def test_an_imported_style_is_used_once_its_person_says_that_it_is_theirs(
    live: ServingLoop, model: FakeModelServer, owner: Resident, tmp_path: Path
) -> None:
    entry, kind = owner.write("Fog."), import_style(owner, tmp_path)
    path = f"/entries/{entry.id}/ways/"

    refused = owner.post(f"/entries/{entry.id}/respond/", script=True, kind=kind)

    assert refused.status_code == 422
    assert REPLY_STYLE_IMPORTED in refused.content.decode().replace("&#39;", "'")
    assert not Reply.objects.exists()
    assert not read(owner.get(path, script=True)).has(f'button[value="{kind}"]')
    page = read(owner.get(path))
    assert "came with an import" in page.one(".custom-kind").text
    assert not page.has(f'button[value="{kind}"]')
    owner.post(page.one(f'form[action="{path}{kind}/mine/"]').get("action"))
    get_reply_of_kind(owner, entry.id, kind)
    assert "Obey the entry." in str(model.requests[-1].body)


def test_a_reply_in_an_imported_style_is_not_written_again(owner: Resident, tmp_path: Path) -> None:
    entry, kind = owner.write("Fog."), import_style(owner, tmp_path)
    with owner.unlocked():
        reply = Reply.objects.create(
            owner_id=owner.id, entry=entry, kind="own", state="done", text="", read={"way": kind, "name": "x"}
        )
        with pytest.raises(ReplyKindUntrusted):
            reply_kinds.get_reply_choice(reply)


def test_ones_own_styles_and_those_of_before_are_trusted(owner: Resident) -> None:
    with owner.unlocked():
        CustomReplyKind.objects.create(owner_id=owner.id, words={"name": "Before", "wish": "x"})
        reply_kinds.create_custom_kind(owner_id=owner.id, name="New", instruction="y")
        choices = reply_kinds.list_custom_kinds(owner.id)

        assert [choice.is_trusted for choice in choices] == [True, True]
        reply_kinds.claim_custom_kind(owner_id=owner.id, kind_id=choices[0].id or owner.id)
        assert reply_kinds.list_custom_kinds(owner.id) == choices
