"""Tests of the pages of Ask, without script: asking, reading, continuing, renaming, stopping and deleting."""

from collections.abc import Iterator
from datetime import date
from threading import Event
from uuid import UUID, uuid4

import pytest

from diary.models import Origin
from llamora.inference.job import JobState
from llamora.inference.registry import registry
from search import messages
from search.ask import services
from search.ask.conversations import load_conversation
from search.models import Question
from tests.diary.tabs import ServingLoop, run_serving_loop
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending
from tests.page import HtmlNode, read
from tests.people import Resident
from tests.search.asking import ask
from tests.search.indexing import open_index

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedder")]

ANNA = "Where did I meet Anna?"


@pytest.fixture
def owner(owner: Resident) -> Resident:
    owner.write("Met Anna at the weir.", day=date(2026, 2, 5))
    owner.write("Met Anna by the old mill.", day=date(2026, 2, 9))
    return owner


@pytest.fixture
def live_without_model() -> Iterator[ServingLoop]:
    with run_serving_loop() as live:
        yield live


def post_question(owner: Resident, text: str, *, path: str = "/ask/") -> tuple[str, str]:
    """Ask a question by a form; return the path of the conversation and the id of the question."""
    open_index(owner)
    answer = owner.post(path, text=text)
    assert answer.status_code == 302, answer.content.decode()
    page, _, anchor = answer["Location"].partition("#question-")
    return page, anchor


def load_page(owner: Resident, path: str) -> HtmlNode:
    answer = owner.get(path)
    assert answer.status_code == 200
    return read(answer)


def test_a_question_leads_to_its_answer_with_numbers_that_are_links(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["At the weir [", "1], or `[2]`, and by the mill [1, 2] or [7]."]))

    path, question = post_question(owner, ANNA)
    assert registry.wait_until_over(UUID(question), patience=20)
    from_job = load_page(owner, path)
    registry.discard(UUID(question))
    from_row = load_page(owner, path)

    assert ANNA not in path
    for page in (from_job, from_row):
        assert page.one(".question-text").text == ANNA
        section = page.one(f"#reply-{question}")
        assert section.get("data-state") == "done"
        assert section.one("[data-settled]").text == "At the weir [1], or [2], and by the mill [1, 2] or."
        numbers = section.all("a.source-number")
        assert [number.text for number in numbers] == ["1", "2", "1", "2"]
        for number in numbers:
            assert page.has(number.get("href"))
        sources = section.all(".answer-sources li")
        assert sorted(source.one(".answer-passage").text for source in sources) == [
            "Met Anna at the weir.",
            "Met Anna by the old mill.",
        ]
        assert "Written by" in section.texts(".fine-print")[-1]
    assert from_job.one(f"#reply-{question}").html == from_row.one(f"#reply-{question}").html


def test_a_source_leads_to_its_entry_and_marks_the_passage(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    path, question = post_question(owner, ANNA)
    assert registry.wait_until_over(UUID(question), patience=20)

    address = next(one for one in load_page(owner, path).links() if one.startswith("/d/2026-02-05/?"))
    query, _, anchor = address.partition("?found=")[2].partition("#")
    entry_id = anchor.removeprefix("entry-")
    found = {"found": query, "id": entry_id}

    assert "Anna" not in address
    assert owner.post("/search/place/", **found).json() == {"marks": ["Met Anna at the weir."]}
    assert load_page(owner, address).has(f"#{anchor}")
    assert housemate.post("/search/place/", **found).json() == {"marks": []}
    number = int(query[-1])
    other = {"found": f"{query[:-1]}{3 - number}", "id": entry_id}
    assert owner.post("/search/place/", **other).json() == {"marks": []}
    owner.post(f"/entries/{entry_id}/edit/", text="Met nobody.", revision="1")
    assert owner.post("/search/place/", **found).json() == {"marks": []}


def test_a_conversation_goes_on(live: ServingLoop, model: FakeModelServer, owner: Resident) -> None:
    model.add_scripts(Script(tokens=["At the weir [1]."]), Script(tokens=["By the mill [2]."]))
    path, first = post_question(owner, ANNA)
    assert registry.wait_until_over(UUID(first), patience=20)

    again, second = post_question(owner, "And where else?", path=path)
    assert registry.wait_until_over(UUID(second), patience=20)

    assert again == path
    page = load_page(owner, path)
    assert page.texts(".question-text") == [ANNA, "And where else?"]
    (row,) = load_page(owner, "/ask/").all(".conversations li")
    assert (row.one("a").text, row.one("a").get("href")) == (ANNA, path)
    assert "2 questions" in row.one("span").text


def test_an_answer_streams_to_the_tabs_of_its_conversation_and_to_no_other(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    go_on = Event()
    model.add_scripts(Script(tokens=["At the weir ", "[9", "] and the mill [1]."], rest_when=go_on))
    path, question = post_question(owner, ANNA)
    session = path.removeprefix("/ask/").strip("/")
    tab, of_day, of_other = (live.tab(owner), live.tab(owner, owner.today), live.tab(housemate))
    tab.send({"type": "watch", "conversation": session, "owner": str(owner.id)})
    of_other.send({"type": "watch", "conversation": session, "owner": str(housemate.id)})
    tab.wait_for("snapshot", reply=question)
    go_on.set()
    end = tab.wait_for("end", reply=question)
    live.wait_until_idle()

    section = read(end["html"])
    assert "".join(section.texts(".prose")) == "At the weir and the mill [1]."
    assert section.has(".answer-sources")
    assert all("[9" not in str(frame) for frame in tab.frames)
    assert [number.text for number in section.all("a.source-number")] == ["1"]
    for other in (of_day, of_other):
        assert [frame for frame in other.frames if frame.get("reply") == question] == []


def test_an_answer_is_sent_again_from_its_row(
    live: ServingLoop, model: FakeModelServer, owner: Resident, housemate: Resident
) -> None:
    _, question = post_question(owner, ANNA)
    assert registry.wait_until_over(UUID(question), patience=20)
    registry.discard(UUID(question))
    own, other = live.tab(owner, owner.today), live.tab(housemate, housemate.today)

    for tab in (own, other):
        tab.send({"type": "again", "reply": question})
    end = own.wait_for("end", reply=question)
    live.wait_until_idle()

    assert read(end["html"]).has(".answer-sources")
    assert other.list_frames("end") == []


def test_an_answer_is_stopped_with_and_without_script(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    for has_script in (True, False):
        model.add_scripts(make_unending())
        path, question = post_question(owner, ANNA)
        tab = live.tab(owner)
        session = path.removeprefix("/ask/").strip("/")
        tab.send({"type": "watch", "conversation": session, "owner": str(owner.id)})
        tab.wait_for("delta", reply=question)

        answer = owner.post(f"/ask/answers/{question}/stop/", script=has_script)
        assert registry.wait_until_over(UUID(question), patience=20)

        assert answer.status_code == (200 if has_script else 302)
        section = load_page(owner, path).one(f"#reply-{question}")
        assert section.get("data-state") == "stopped"
        assert not section.has("button")
        assert "Stopped" in section.one("[data-note]").text


def test_nothing_found_says_so_and_a_missing_model_gives_the_passages(
    live_without_model: ServingLoop, owner: Resident
) -> None:
    nothing, _ = post_question(owner, "When did I buy a bicycle?")
    passages, _ = post_question(owner, ANNA)

    (section,) = load_page(owner, nothing).all(".reply")
    assert section.one("[data-note]").text == messages.NOTHING_ANSWERS
    assert section.one("[data-settled]").text == ""
    assert not section.has(".answer-sources")
    (section,) = load_page(owner, passages).all(".reply")
    assert section.one("[data-note]").text == messages.PASSAGES_INSTEAD
    assert sorted(section.texts(".answer-passage")) == ["Met Anna at the weir.", "Met Anna by the old mill."]
    assert "No model is set up" in load_page(owner, "/ask/").one(".ask").text


@pytest.mark.parametrize("state", ["done", "failed", "stopped", "writing"])
@pytest.mark.parametrize("reason", ["no_model", "no_source", "nothing"])
def test_an_answer_is_shown_although_its_row_says_that_there_is_none(
    live: ServingLoop, model: FakeModelServer, owner: Resident, state: str, reason: str
) -> None:
    """Whoever writes to the database can change the state and the reason of a question."""
    model.add_scripts(Script(tokens=["At the weir [1]."]))
    path, question = post_question(owner, ANNA)
    assert registry.wait_until_over(UUID(question), patience=20)
    registry.discard(UUID(question))

    Question.objects.update(state=state, reason=reason)

    section = load_page(owner, path).one(f"#reply-{question}")
    assert section.one("[data-settled]").text == "At the weir [1]."
    with owner.unlocked():
        (shown,) = load_conversation(
            owner.id, Question.objects.get().session_id, language=owner.person.language
        )
    assert shown.answer == "At the weir [1]."


def test_a_changed_or_deleted_source_says_so(owner: Resident) -> None:
    path, _ = post_question(owner, ANNA)
    first, second = (
        link.get("href").partition("#entry-")[2] for link in load_page(owner, path).all(".answer-sources a")
    )
    owner.post(f"/entries/{first}/edit/", text="Met nobody.", revision="1")
    owner.post(f"/entries/{second}/delete/")

    page = load_page(owner, path)

    assert page.texts(".answer-passage") == ["This text has changed since.", "This text was deleted since."]
    assert len(page.all(".answer-sources a")) == 1
    assert page.one("[data-note]").text == messages.PASSAGES_GONE


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("\u200b", "empty"),
        ("x" * (services.MAX_QUESTION_LENGTH + 1), "too_long"),
    ],
    ids=["empty", "spaces", "without a width", "too long"],
)
def test_a_question_that_is_refused_is_shown_again(owner: Resident, typed: str, code: str) -> None:
    path, _ = post_question(owner, ANNA)

    for where in ("/ask/", path):
        answer = owner.post(where, text=typed)
        page = read(answer)
        assert answer.status_code == 422
        assert page.one(".ask [role=alert]").text == messages.ASK_REFUSED[code]
        assert page.one("#ask-text").node.text() == typed
    assert Question.objects.count() == 1


def test_a_question_that_must_wait_is_shown_again(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(*[make_unending() for _ in range(services.MAX_CONCURRENT)])
    for _ in range(services.MAX_CONCURRENT):
        post_question(owner, ANNA)

    answer = owner.post("/ask/", text="And who else was there?")

    assert answer.status_code == 429
    page = read(answer)
    assert page.one(".ask [role=alert]").text == messages.ASK_REFUSED["too_many"]
    assert page.one("#ask-text").text == "And who else was there?"


def test_a_conversation_is_renamed(owner: Resident) -> None:
    path, _ = post_question(owner, ANNA)

    assert owner.post(f"{path}name/", text=" About  Anna ").status_code == 302
    assert load_page(owner, path).one("h1 bdi").text == "About Anna"
    assert load_page(owner, "/ask/").texts(".conversations a") == ["About Anna"]
    refused = owner.post(f"{path}name/", text="x" * 121)
    assert refused.status_code == 422
    assert read(refused).one("#conversation-name").get("value") == "x" * 121
    assert read(refused).one("#name-error").text == messages.NAME_REFUSED["too_long"]
    assert owner.post(f"{path}name/", text="").status_code == 302
    assert not load_page(owner, path).has("h1 bdi")


def test_a_conversation_is_deleted_and_only_by_its_owner(owner: Resident, housemate: Resident) -> None:
    path, question = post_question(owner, ANNA)

    for other in (f"{path}delete/", f"{path}name/", path, f"/ask/answers/{question}/stop/"):
        assert housemate.post(other, text="Mine").status_code == 404
    assert housemate.get(path).status_code == 404
    assert owner.post(f"{path}delete/").status_code == 302

    assert Question.objects.count() == 0
    assert owner.get(path).status_code == 404
    assert load_page(owner, "/ask/").has(".empty")


def test_a_question_typed_on_a_page_that_was_locked_is_shown_again(owner: Resident) -> None:
    owner.lock()

    answer = owner.post("/ask/", text=ANNA)

    assert answer.status_code == 401
    assert ANNA in answer.content.decode()


def test_what_programs_asked_and_imported_texts_are_marked(owner: Resident) -> None:
    owner.write("A bicycle! I bought a bicycle.", day=date(2026, 2, 11), origin=Origin.IMPORTED)
    asked = ask(owner, "When did I buy a bicycle?", origin=Origin.PROGRAM, reads_untrusted=True)

    page = load_page(owner, f"/ask/{asked.session_id}/")

    assert messages.QUESTION_ORIGINS["program"] in page.one(".question .version-head").text
    assert page.one(".answer-origin").text == "imported"
    assert "Read imported text." in page.texts(".fine-print")
    assert "read imported text" in load_page(owner, "/ask/").one(".conversations span").text


def test_an_answer_of_an_earlier_process_is_interrupted(owner: Resident) -> None:
    path, question = post_question(owner, ANNA)
    Question.objects.filter(id=question).update(state=JobState.WRITING, reason="")

    section = load_page(owner, path).one(".reply")

    assert section.get("data-state") == "interrupted"
    assert not section.has("button")


def test_an_answer_shows_no_link_and_no_picture_of_the_model(
    live: ServingLoop, model: FakeModelServer, owner: Resident
) -> None:
    model.add_scripts(Script(tokens=["![x](https://example.org/a.png) [1](https://example.org/) <b>[1]</b>"]))
    path, question = post_question(owner, ANNA)
    assert registry.wait_until_over(UUID(question), patience=20)

    section = load_page(owner, path).one("[data-settled]")

    assert section.all("img") == []
    assert all(link.get("href").startswith(f"#source-{question}-") for link in section.all("a"))


def test_many_conversations_are_shown_in_pages(owner: Resident) -> None:
    with owner.unlocked():
        for number in range(31):
            Question.objects.create(
                owner_id=owner.id,
                session_id=uuid4(),
                text=f"Question {number}",
                answer="",
                sources=[],
                state=JobState.DONE,
            )

    first = load_page(owner, "/ask/")
    second = load_page(owner, f"/ask/{first.one('[rel=next]').get('href')}")

    assert len(first.all(".conversations li")) == 30
    assert len(second.all(".conversations li")) == 1
    assert second.has('[rel="prev"]')
