"""Tests of traces on entries: added, removed, suggested and dismissed."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from diary.models import Entry
from tests.page import read
from tests.people import Resident
from tests.traces.tagging import add_traces, list_names, list_suggested
from traces.matcher import LatestResults, NameMatcher
from traces.models import EntryTrace, Trace
from traces.proposals.queries import list_usual_traces
from traces.tagging import presenters
from traces.tagging.presenters import TracesOnEntry


def post_trace(who: Resident, entry: Any, name: str, *, script: bool = True) -> Any:
    return who.post(f"/entries/{entry.id}/traces/keep/", script=script, name=name)


def list_proposals(page: str) -> list[str]:
    return read(page).texts("[data-proposal] bdi")


def test_a_trace_is_kept_and_stands_under_its_entry(owner: Resident) -> None:
    entry = owner.write("Walked to the weir.")

    answer = post_trace(owner, entry, "  Größe ")

    assert answer.status_code == 200
    assert f'id="traces-{entry.id}"' in answer.content.decode()
    assert "<bdi>Größe</bdi>" in answer.content.decode()
    assert "<bdi>Größe</bdi>" in owner.get(f"/d/{owner.today}/").content.decode()


@pytest.mark.parametrize("name", ["Größe", "größe", "Привет", "子供", "☕", "to-do", "To do"])
def test_a_name_of_any_script_is_kept_as_it_is_written(owner: Resident, name: str) -> None:
    entry = owner.write("a")

    post_trace(owner, entry, name)

    assert list_names(owner, entry) == [name]


def test_the_same_name_is_one_trace_and_keeps_its_first_writing(owner: Resident) -> None:
    first, second = owner.write("a"), owner.write("b")

    post_trace(owner, first, "to-do")
    post_trace(owner, second, "To do")
    post_trace(owner, second, "TO\u2011DO")

    assert Trace.objects.for_owner(owner.id).count() == 1
    assert list_names(owner, second) == ["to-do"]


def test_what_may_be_read_along_for_an_answer_follows_what_is_kept(owner: Resident) -> None:
    entry = owner.write("a")
    box = '<input type="checkbox" name="trace"'
    before = owner.get(f"/entries/{entry.id}/ways/", script=True).content.decode()

    post_trace(owner, entry, "weir")
    menu = owner.get(f"/entries/{entry.id}/ways/", script=True).content.decode()
    page = owner.get(f"/entries/{entry.id}/ways/").content.decode()

    assert box not in before
    assert (menu.count(box), page.count(box)) == (1, 1)
    assert f'id="context-choice-{entry.id}">' in page


def test_without_script_a_trace_is_kept_and_taken_away(owner: Resident) -> None:
    entry = owner.write("a")

    kept = post_trace(owner, entry, "weir", script=False)
    trace = Trace.objects.for_owner(owner.id).get()
    there = list_names(owner, entry)
    gone = owner.post(f"/entries/{entry.id}/traces/{trace.id}/remove/")

    assert kept.status_code == gone.status_code == 302
    assert kept["Location"].endswith(f"#entry-{entry.id}")
    assert (there, list_names(owner, entry)) == (["weir"], [])


def test_what_is_no_name_is_refused_with_what_was_typed(owner: Resident) -> None:
    entry = owner.write("a")

    by_script = post_trace(owner, entry, "x" * 65)
    by_form = post_trace(owner, entry, "", script=False)

    assert (by_script.status_code, by_form.status_code) == (422, 422)
    assert "at most 64 characters" in by_script.content.decode()
    assert "x" * 65 in by_script.content.decode()
    assert not Trace.objects.for_owner(owner.id).exists()


def test_a_trace_taken_from_its_last_entry_is_let_go_and_comes_back_whole(owner: Resident) -> None:
    entry = owner.write("a")
    (trace,) = add_traces(owner, entry, "weir")

    owner.post(f"/entries/{entry.id}/traces/{trace.id}/remove/", script=True)
    gone = Trace.objects.for_owner(owner.id).count()
    post_trace(owner, entry, "Weir")

    assert gone == 0
    assert Trace.objects.for_owner(owner.id).get().id == trace.id
    assert list_names(owner, entry) == ["Weir"]


def test_kept_traces_are_proposed_by_name_and_not_again_once_dismissed(owner: Resident) -> None:
    add_traces(owner, owner.write("a"), "weir", "mill")
    entry, other = owner.write("From the Weir to the mill."), owner.write("The weir.")
    before = list_proposals(owner.get(f"/entries/{entry.id}/traces/", script=True).content.decode())

    answer = owner.post(f"/entries/{entry.id}/traces/dismiss/", script=True, pick="weir")

    assert before == ["weir", "mill"]
    assert list_proposals(answer.content.decode()) == ["mill"]
    assert list_proposals(owner.get(f"/entries/{entry.id}/traces/", script=True).content.decode()) == ["mill"]
    assert list_proposals(owner.get(f"/entries/{other.id}/traces/", script=True).content.decode()) == ["weir"]
    assert list_names(owner, entry) == []


def test_where_nothing_is_closer_the_usual_traces_are_proposed_to_a_fresh_entry(owner: Resident) -> None:
    for name in ("bread", "weir", "weir", "mill", "weir", "mill", "letters"):
        add_traces(owner, owner.write("a"), name)
    fresh, named = owner.write("Nothing of the kind."), owner.write("Bread.")
    old = owner.write("Nothing either.", at=timezone.now() - timedelta(days=2))
    kept = owner.write("Nor here.")
    add_traces(owner, kept, "bread")

    found = {
        entry.id: list_proposals(owner.get(f"/entries/{entry.id}/traces/", script=True).content.decode())
        for entry in (fresh, named, old, kept)
    }

    assert found[fresh.id][0] == "weir"
    assert len(found[fresh.id]) == 3
    assert (found[named.id], found[old.id], found[kept.id]) == (["bread"], [], [])


def test_a_proposal_that_is_kept_is_proposed_no_more(owner: Resident) -> None:
    add_traces(owner, owner.write("a"), "weir")
    entry = owner.write("The weir.")

    answer = owner.post(f"/entries/{entry.id}/traces/keep/", script=True, pick="weir").content.decode()

    assert list_proposals(answer) == []
    assert list_names(owner, entry) == ["weir"]


def test_names_are_completed_without_those_the_entry_has(owner: Resident) -> None:
    entry = owner.write("a")
    add_traces(owner, owner.write("b"), "weir", "Größe", "garden")
    add_traces(owner, entry, "garden")

    typed = owner.post(f"/entries/{entry.id}/traces/complete/", script=True, name="g").content.decode()
    untyped = owner.post(f"/entries/{entry.id}/traces/complete/", script=True, name="").content.decode()

    assert "Größe" in typed
    assert "weir" not in typed
    assert "garden" not in typed
    assert ("weir" in untyped, "Größe" in untyped) == (True, True)


def test_a_glance_tells_how_often_and_the_latest(owner: Resident) -> None:
    entry = owner.write("Down by the water.")
    (trace,) = add_traces(owner, entry, "weir")
    add_traces(owner, owner.write("And again."), "weir")

    page = owner.get(f"/traces/{trace.id}/glance/", script=True).content.decode()

    assert "On 2 entries" in page
    assert page.index("And again.") < page.index("Down by the water.")


def test_not_yours_and_not_there_are_the_same(owner: Resident, housemate: Resident, stranger: Client) -> None:
    entry = owner.write("a")
    (trace,) = add_traces(owner, entry, "weir")
    theirs = housemate.write("b")
    nobodys = uuid4()

    for path in (
        f"/entries/{entry.id}/traces/keep/",
        f"/entries/{nobodys}/traces/keep/",
        f"/entries/{entry.id}/traces/dismiss/",
        f"/entries/{entry.id}/traces/propose/",
        f"/entries/{entry.id}/traces/complete/",
        f"/entries/{theirs.id}/traces/{trace.id}/remove/",
        f"/entries/{theirs.id}/traces/{nobodys}/remove/",
    ):
        assert housemate.post(path, script=True, name="x").status_code == 404, path
        assert stranger.post(path, {"name": "x"}).status_code != 200
    assert housemate.get(f"/traces/{trace.id}/glance/", script=True).status_code == 404
    assert housemate.get(f"/traces/{nobodys}/glance/", script=True).status_code == 404
    assert housemate.get(f"/entries/{entry.id}/traces/", script=True).status_code == 404
    assert list_names(owner, entry) == ["weir"]
    assert not Trace.objects.for_owner(housemate.id).exists()


def test_a_housemate_with_the_same_name_has_a_trace_of_their_own(
    owner: Resident, housemate: Resident
) -> None:
    post_trace(owner, owner.write("a"), "weir")
    post_trace(housemate, housemate.write("b"), "weir")

    mine, theirs = Trace.objects.for_owner(owner.id).get(), Trace.objects.for_owner(housemate.id).get()

    assert bytes(mine.name_index) != bytes(theirs.name_index)
    assert EntryTrace.objects.for_owner(owner.id).get().trace_id == mine.id


def test_a_day_of_sixty_entries_costs_as_many_queries_as_one_of_two(owner: Resident) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert owner.get(f"/d/{owner.today}/").status_code == 200
        return len(captured)

    for number in range(2):
        add_traces(owner, owner.write(f"weir {number}"), "mill", "weir")
    owner.get(f"/d/{owner.today}/")
    of_two = queries()
    for number in range(58):
        add_traces(owner, owner.write(f"weir {number}"), "mill", f"place {number}")
    owner.get(f"/d/{owner.today}/")

    assert queries() == of_two


def test_a_name_stands_in_no_address_and_no_title(owner: Resident) -> None:
    entry = owner.write("a")
    add_traces(owner, entry, "zanzibar")

    answer = post_trace(owner, entry, "zanzibar", script=False)
    page = read(owner.get(f"/d/{owner.today}/"))

    assert "zanzibar" not in answer["Location"]
    assert not any("zanzibar" in address for address in page.links())
    assert "zanzibar" not in page.one("title").text


def test_the_page_that_adds_a_trace_is_a_plain_form_and_the_swapped_one_is_not(owner: Resident) -> None:
    entry = owner.write("a")
    address = f"/entries/{entry.id}/traces/keep/"

    page, swapped = read(owner.get(address)), read(owner.get(address, script=True))

    assert page.has("form.trace-form input[autofocus]")
    assert not page.has("main details")
    assert not page.has("form.trace-form[hx-post]")
    assert swapped.has("details > form.trace-form[hx-post]")
    assert not swapped.has("[autofocus]")


def test_a_get_changes_nothing(owner: Resident) -> None:
    entry = owner.write("a")
    (trace,) = add_traces(owner, entry, "weir")

    for path in ("dismiss/?name=x", "propose/", f"{trace.id}/remove/"):
        assert owner.get(f"/entries/{entry.id}/traces/{path}").status_code == 302, path
    form = owner.get(f"/entries/{entry.id}/traces/keep/?name=x")
    assert (form.status_code, read(form).one("input[name=name]").get("value")) == (200, "")
    assert list_names(owner, entry) == ["weir"]


@pytest.mark.parametrize("limit", range(6))
def test_usual_traces_are_the_most_used_ones_then_the_latest(owner: Resident, limit: int) -> None:
    long_ago = timezone.now() - timedelta(days=61)
    traces = {}
    for name in ("often", "often", "often", "twice", "twice", "long ago", "once", "latest"):
        (traces[name],) = add_traces(owner, owner.write("a"), name)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE traces_kepttrace SET created_at = %s WHERE trace_id = %s",
            [str(long_ago.replace(tzinfo=None)), traces["long ago"].id.hex],
        )

    found = list_usual_traces(owner.id, limit=limit)

    by_limit = {
        0: [],
        1: ["latest"],
        2: ["often", "latest"],
        3: ["often", "latest", "once"],
        4: ["often", "twice", "latest", "once"],
        5: ["often", "twice", "latest", "once", "long ago"],
    }
    assert found == [traces[name].id for name in by_limit[limit]]


# --- A text is read once for the names in it -------------------------------------------------------------


def copy_envelope(entry: Entry) -> bytes:
    with connection.cursor() as cursor:
        return bytes(
            cursor.execute("SELECT text FROM diary_entry WHERE id = %s", [entry.id.hex]).fetchone()[0]
        )


def put_envelope(entry: Entry, envelope: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET text = %s WHERE id = %s", [envelope, entry.id.hex])


def test_a_text_is_searched_for_names_once(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    add_traces(owner, owner.write("a"), "Weir")
    owner.write("To the weir.")
    searched: list[str] = []
    find_in = NameMatcher.find_in
    monkeypatch.setattr(
        NameMatcher, "find_in", lambda self, text: [searched.append(text), find_in(self, text)][1]
    )

    assert [list_suggested(owner), list_suggested(owner)] == [["Weir"], ["Weir"]]
    assert sorted(searched) == ["To the weir.", "a"]


def test_traces_that_did_not_change_are_not_rendered_again(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = owner.write("Met with Aunt Iris by the weir.")
    day = f"/d/{owner.today}/"
    first = owner.get(day).content.decode()
    rendered: list[TracesOnEntry] = []
    render = presenters._render_traces
    monkeypatch.setattr(presenters, "_render_traces", lambda view: rendered.append(view) or render(view))

    again = owner.get(day).content.decode()
    unchanged = list(rendered)
    owner.post(f"/entries/{entry.id}/traces/dismiss/", script=True, pick="Aunt Iris")
    dismissed = owner.get(day).content.decode()

    assert unchanged == []
    assert list_proposals(first) == list_proposals(again) == ["Aunt Iris"]
    assert (list_proposals(dismissed), len(rendered)) == ([], 1)


@pytest.mark.parametrize(
    "names", [[], ["Anna"], ["<b>&\"'", str(presenters._NO_ID), "\ue000\ue001", "{{ x }}"]]
)
@pytest.mark.parametrize("state", [{}, {"can_ask": True}, {"can_ask": True, "is_waiting": True}])
def test_a_panel_of_suggestions_is_the_one_that_the_template_renders(
    names: list[str], state: dict[str, bool]
) -> None:
    for _ in range(2):
        traces = TracesOnEntry(entry_id=uuid4(), proposed=names, **state)

        rendered = presenters._render_traces(traces)

        assert rendered == render_to_string(presenters.TRACES_TEMPLATE, {"part": traces})


def test_the_results_of_many_entries_are_not_all_in_memory() -> None:
    results: LatestResults[int] = LatestResults()
    entries = [uuid4() for _ in range(300)]
    for entry_id in entries:
        results.compute(entry_id, "source", len)

    assert results.compute(entries[-1], "source", lambda _: -1) == len("source")
    assert results.compute(entries[0], "source", lambda _: -1) == -1


def test_a_text_that_was_changed_or_exchanged_is_searched_again(owner: Resident) -> None:
    add_traces(owner, owner.write("a"), "Weir", "Mill")
    entry = owner.write("To the weir.")
    suggested = [list_suggested(owner)]
    earlier = copy_envelope(entry)

    # The revision stays, as where an entry is deleted for good and imported again.
    with owner.unlocked():
        entry.text = "To the mill."
        entry.save(update_fields=["text"])
    suggested.append(list_suggested(owner))
    put_envelope(entry, earlier)
    suggested.append(list_suggested(owner))

    assert suggested == [["Weir"], ["Mill"], ["Weir"]]


def set_utc_offset(entry: Entry, offset: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE diary_entry SET utc_offset = %s WHERE id = %s", [offset, entry.id.hex])


@pytest.mark.parametrize(("days", "name"), [(0, "Anna"), (2, "Weir")])
def test_a_damaged_text_has_no_names_until_it_opens_again(owner: Resident, days: int, name: str) -> None:
    written_at = timezone.now() - timedelta(days=days)
    if name == "Weir":
        add_traces(owner, owner.write("a", at=written_at), name)
    entry = owner.write("To the weir with Anna.", at=written_at)
    set_utc_offset(entry, 3600)
    damaged = list_suggested(owner)
    set_utc_offset(entry, None)

    assert (damaged, list_suggested(owner)) == ([], [name])


def test_a_new_name_is_looked_for_in_texts_that_were_searched(owner: Resident) -> None:
    owner.write("To the weir.", at=timezone.now() - timedelta(days=2))
    add_traces(owner, owner.write("a"), "Mill")
    before = list_suggested(owner)

    add_traces(owner, owner.write("b"), "Weir")

    assert (before, list_suggested(owner)) == ([], ["Weir"])
