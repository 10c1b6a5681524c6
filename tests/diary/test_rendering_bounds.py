"""Tests of the work of rendering: bounded for a text and for a page, and done once."""

from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from diary import messages
from diary.models import Entry, Reply
from diary.rendering import html_cache as cache_module
from diary.rendering.html_cache import CachedHtml, HtmlCache, html_cache
from diary.rendering.markdown import MAX_UNITS, RenderBudget, render_markdown, split_settled
from diary.rendering.page_texts import MAX_PAGE_UNITS
from llamora.crypto import Keyring
from llamora.fields import new_id
from llamora.inference.job import JobState
from tests.diary.test_rendering import TagReader, markdown
from tests.hostile import count_calls, hostile_texts, make_table
from tests.page import read
from tests.people import Resident, register_resident

LENGTH = 100_000
# An ordinary text of this length with some Markdown in each paragraph takes 400,000.
MAX_CALLS = 2_500_000
PARTS = 8
DAY = date(1999, 7, 14)
TABLE = make_table(columns=12_000, length=LENGTH)
# Takes most of its work at the beginning.
LAZY_QUOTE = "lazy quote"
MANY_ITEMS = "".join(f"- item *{number}*\n" for number in range(1000))


def list_words(html: str) -> list[str]:
    return TagReader(html).words.split()


# --- One text ----------------------------------------------------------------------------------------


def list_hostile_texts() -> list[Any]:
    """Return texts and the calls that they may take; whole ones are slow, where a part shows as much.

    An eighth may take what a quarter may, because the budget of a text, which ends the formatting of a whole
    one, does not shrink with the part. Work that grows with the square of a length is far beyond that.
    """
    parts, whole = dict(hostile_texts(LENGTH // PARTS)), dict(hostile_texts(LENGTH))
    cases = [
        pytest.param(text, 2 * MAX_CALLS // PARTS, id=name)
        for name, text in parts.items()
        if name != LAZY_QUOTE
    ]
    for name, text in whole.items():
        marks = () if name == LAZY_QUOTE else pytest.mark.slow
        cases.append(pytest.param(text, MAX_CALLS, id=f"{name}, whole", marks=marks))
    return cases


@pytest.mark.parametrize(("text", "max_calls"), list_hostile_texts())
def test_no_text_takes_more_work_than_its_length_allows(text: str, max_calls: int) -> None:
    assert count_calls(lambda: render_markdown(text)) < max_calls


def test_a_table_of_too_many_columns_is_plain_text_and_loses_nothing() -> None:
    text = "Before *it*.\n\n" + TABLE + "\n\nAfter it."

    html = render_markdown(text)

    assert html.startswith('<p dir="auto">Before <em>it</em>.</p>\n<p class="fine-print">')
    assert html.count(messages.PLAIN_TEXT) == 1
    assert "<table" not in html
    assert TagReader(html).words.replace(messages.PLAIN_TEXT, "").split() == text.replace("*", "").split()


def test_a_table_of_many_short_rows_is_not_filled_up() -> None:
    html = render_markdown(make_table(columns=63, length=20_000))

    assert "<td" not in html
    assert html.count("\n") > 5000


@pytest.mark.parametrize("shape", [(5, 300), (30, 60)])
def test_a_table_that_people_make_is_a_table(shape: tuple[int, int]) -> None:
    columns, rows = shape
    text = "|a" * columns + "|\n" + "|-" * columns + "|\n" + ("|b" * columns + "|\n") * rows

    html = render_markdown(text)

    assert html.count("<td") == columns * rows
    assert messages.PLAIN_TEXT not in html


def test_what_stands_before_the_limit_is_formatted_and_the_rest_is_there() -> None:
    text = "\n\n".join(f"*one{number}* two{number}" for number in range(3000))

    html = render_markdown(text)

    assert "<em>one100</em>" in html
    assert "*one2999*" in html
    assert len(list_words(html)) == 6000 + len(messages.PLAIN_TEXT.split())


def test_long_prose_with_some_markdown_is_formatted_whole() -> None:
    text = ("We walked to the *weir*, and nobody spoke until the rain began. " * 8 + "\n\n") * 190

    html = render_markdown(text)

    assert len(text) > 0.95 * LENGTH
    assert messages.PLAIN_TEXT not in html


def test_plain_words_cost_nothing_and_are_never_too_much() -> None:
    budget = RenderBudget(units=0)

    html = render_markdown("One.\n\nTwo.", budget=budget)

    assert html == '<p dir="auto">One.</p>\n<p dir="auto">Two.</p>\n'


@given(markdown, st.integers(0, 40), st.data())
@example("- a\n- b\n\n*c*", 5, None)
@example("*a*\n\nb\nc\n \n\n\nd\n\n*e*\nf\n", 3, None)
@example("x\n\n|a|b|\n|-|-|\n|c|d|\n\n*e*", 12, None)
@settings(max_examples=300)
def test_a_stream_over_its_budget_shows_what_a_reload_shows(
    text: str, units: int, data: st.DataObject | None
) -> None:
    settled, done, place = "", 0, 0
    budget = RenderBudget(units=units)

    while place < len(text):
        place = min(len(text), place + (data.draw(st.integers(1, 9)) if data else 1))
        split = split_settled(text[done:place], budget=budget)
        settled += "".join(split.settled)
        done += split.settled_len
        assert settled + split.tail == render_markdown(text[:place], budget=RenderBudget(units=units))


@given(markdown, st.integers(0, 40))
@settings(max_examples=300)
def test_within_a_budget_nothing_is_more_than_text_and_the_budget_is_kept(text: str, units: int) -> None:
    budget = RenderBudget(units=units)

    seen = TagReader(render_markdown(text, budget=budget))

    assert budget.units >= 0
    assert {name for name, _ in seen.attributes} <= {"dir", "href", "title", "rel", "start", "class"}
    assert {value for name, value in seen.attributes if name == "class"} <= {"fine-print"}


def test_a_growing_text_over_its_budget_is_settled_paragraph_by_paragraph() -> None:
    budget = RenderBudget(units=0)

    split = split_settled("*a*\n\nb\n\nc", budget=budget)
    again = split_settled("*a*\n\nb\n\nc\n\nd", budget=budget)

    assert (split.settled, budget.is_spent) == ([], True)
    assert again.settled_len == len("*a*\n\nb\n\n")
    assert again.tail == '<p dir="auto">c</p>\n<p dir="auto">d</p>\n'


def test_a_long_growing_list_is_plain_until_it_is_settled() -> None:
    growing = split_settled(MANY_ITEMS, max_tail_units=500)
    ended = split_settled(MANY_ITEMS)

    assert messages.PLAIN_TEXT in growing.tail
    assert ended.tail.count("<li") == 1000


@pytest.mark.parametrize("piece", ["|a", "- a\n", "*[", "a\n"])
def test_a_growing_text_takes_little_work_at_each_tick(piece: str) -> None:
    text = (piece * 20_000)[:20_000]

    calls = count_calls(lambda: split_settled(text, max_tail_units=2_000))

    assert calls < MAX_CALLS / 3


# --- A page ------------------------------------------------------------------------------------------


def write_hostile_day(owner: Resident, *, text: str = TABLE, entries: int = 12) -> None:
    with owner.unlocked():
        for _ in range(entries):
            Entry.objects.create(owner_id=owner.id, day=DAY, text=text)


def test_a_day_of_tables_takes_no_more_work_than_its_length_allows(owner: Resident) -> None:
    write_hostile_day(owner)
    owner.get(f"/d/{DAY}/")
    answers: list[Any] = []

    calls = count_calls(lambda: answers.append(owner.get(f"/d/{DAY}/")))

    page = read(answers[0])
    assert calls < MAX_CALLS
    assert len(page.all("article.entry")) == 12
    assert page.text.count(messages.PLAIN_TEXT) == 12


def test_a_page_has_a_budget_and_looks_the_same_each_time(owner: Resident) -> None:
    budget = RenderBudget()
    render_markdown(MANY_ITEMS, budget=budget)
    fitting = MAX_PAGE_UNITS // (MAX_UNITS - budget.units)
    write_hostile_day(owner, text=MANY_ITEMS, entries=fitting + 2)

    first, second = (owner.get(f"/d/{DAY}/") for _ in range(2))

    page = read(first)
    entries = page.all("article.entry")
    assert [len(entry.all("li")) == 1000 for entry in entries] == [True] * fitting + [False] * 2
    assert page.text.count(messages.PLAIN_TEXT) == 2
    assert page.text.count("item 999") == fitting
    assert page.text.count("item *999*") == 2
    assert [one.inner_html for one in read(second).all(".prose")] == [
        one.inner_html for one in page.all(".prose")
    ]


def test_replies_share_the_budget_of_their_page(owner: Resident) -> None:
    with owner.unlocked():
        entry = Entry.objects.create(owner_id=owner.id, day=DAY, text="One.")
        for _ in range(10):
            Reply.objects.create(owner_id=owner.id, entry=entry, state=JobState.DONE, text=MANY_ITEMS)

    page = read(owner.get(f"/d/{DAY}/"))

    assert 0 < len(page.all("section.reply li")) < 10_000
    assert page.text.count("item 999") + page.text.count("item *999*") == 10


# --- The cache ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [MANY_ITEMS, "Some *words*."], ids=["many items", "one mark"])
def test_a_text_is_rendered_once_while_its_owner_is_unlocked(
    owner: Resident, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    write_hostile_day(owner, text=text, entries=1)
    first = owner.get(f"/d/{DAY}/")

    monkeypatch.setattr("diary.rendering.page_texts.render_markdown", None)
    second = owner.get(f"/d/{DAY}/")

    assert html_cache.size(owner.id) > 0
    assert read(second).one(".prose").inner_html == read(first).one(".prose").inner_html


def test_an_edited_text_is_rendered_again(owner: Resident) -> None:
    write_hostile_day(owner, text=MANY_ITEMS, entries=1)
    owner.get(f"/d/{DAY}/")
    with owner.unlocked():
        entry = Entry.objects.get(owner_id=owner.id)
        entry.text = MANY_ITEMS.replace("999", "other")
        entry.save()

    assert "item other" in read(owner.get(f"/d/{DAY}/")).text


def test_the_cache_is_dropped_at_a_lock(owner: Resident, django_capture_on_commit_callbacks: Any) -> None:
    write_hostile_day(owner, text=MANY_ITEMS, entries=1)
    owner.get(f"/d/{DAY}/")

    with django_capture_on_commit_callbacks(execute=True):
        owner.lock()

    assert html_cache.size(owner.id) == 0


@pytest.fixture
def olive(db: None) -> Resident:
    return register_resident("Olive")


def test_the_cache_is_dropped_at_a_rotation(olive: Resident, django_capture_on_commit_callbacks: Any) -> None:
    write_hostile_day(olive, text=MANY_ITEMS, entries=1)
    olive.sign_in().get(f"/d/{DAY}/")
    assert html_cache.size(olive.id) > 0

    with django_capture_on_commit_callbacks(execute=True):
        rotated = begin_rotation(olive.open_slot(), current_cookie=olive.get_cookie())
        rotation_services.resume_rotation(rotated.keyring)

    assert html_cache.size(olive.id) == 0


def make_keyring(owner: Any, key: bytes = bytes(32)) -> Keyring:
    return Keyring(owner=owner, epoch=1, keys={1: key})


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch) -> HtmlCache:
    monkeypatch.setattr(cache_module.session_registry, "is_unlocked", lambda _: True)
    return HtmlCache()


def test_another_key_of_the_same_owner_finds_nothing(cache: HtmlCache) -> None:
    owner = new_id()
    cache.add(cache.build_key("text", make_keyring(owner)), CachedHtml("html", 1))

    assert cache.get(cache.build_key("text", make_keyring(owner))) == CachedHtml("html", 1)
    assert cache.get(cache.build_key("text", make_keyring(owner, b"x" * 32))) is None
    assert cache.get(cache.build_key("text", make_keyring(new_id()))) is None


def test_what_was_being_rendered_at_a_lock_is_not_cached(cache: HtmlCache) -> None:
    owner = new_id()
    key = cache.build_key("text", make_keyring(owner))

    cache.forget(owner)
    cache.add(key, CachedHtml("html", 1))

    assert cache.size(owner) == 0


def test_nothing_is_cached_for_somebody_locked(cache: HtmlCache, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_id()
    monkeypatch.setattr(cache_module.session_registry, "is_unlocked", lambda _: False)

    cache.add(cache.build_key("text", make_keyring(owner)), CachedHtml("html", 1))

    assert cache.size(owner) == 0


def test_the_cache_stays_within_its_bytes_and_drops_the_oldest(
    cache: HtmlCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES_PER_PERSON", 5_000)
    monkeypatch.setattr(cache_module, "MAX_BYTES", 8_000)
    people = [make_keyring(new_id()) for _ in range(2)]
    for keyring in people:
        for number in range(10):
            cache.add(cache.build_key(str(number), keyring), CachedHtml("x" * 1000, 1))

    sizes = [cache.size(keyring.owner) for keyring in people]

    assert max(sizes) <= 5_000
    assert sum(sizes) <= 8_000
    assert cache.get(cache.build_key("9", people[1])) is not None
    assert cache.get(cache.build_key("0", people[1])) is None


def test_html_larger_than_the_cache_is_not_cached(cache: HtmlCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_BYTES_PER_PERSON", 500)
    owner = new_id()

    cache.add(cache.build_key("text", make_keyring(owner)), CachedHtml("x" * 1000, 1))

    assert cache.size(owner) == 0


def test_others_may_run_between_the_texts_of_a_long_page(
    owner: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hostile_day(owner)
    turns: list[int] = []
    monkeypatch.setattr("diary.rendering.page_texts.let_others_run", lambda: turns.append(1))

    owner.get(f"/d/{DAY}/")

    assert len(turns) == 12
