"""Tests of replies in a browser: streamed, stopped, retried, complete in every tab."""

from threading import Event

import pytest
from playwright.sync_api import expect

from tests.browser.diary_page import DiaryTab, wait_until
from tests.browser.fixture_classes import BrowserErrors, NewDiary
from tests.browser.reply_actions import (
    LONG,
    get_reply_html,
    get_reply_words,
    respond,
    split_script,
    wait_for_end,
    wait_for_words,
)
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_unending, make_words


def test_a_reply_grows_block_by_block_and_is_the_same_after_a_reload(
    diary: DiaryTab, model: FakeModelServer
) -> None:
    is_seen = Event()
    reply = respond(
        diary, model, Script(tokens=LONG.tokens, rate=LONG.rate, rest_after=20, rest_when=is_seen)
    )
    wait_for_words(reply)
    expect(reply).to_have_attribute("data-state", "writing")
    first = len(reply.inner_text())
    is_seen.set()
    wait_until(diary.page, lambda: len(reply.inner_text()) > first)

    wait_for_end(reply)

    assert get_reply_words(reply) == split_script(LONG)
    html = get_reply_html(reply)
    diary.reload()
    assert get_reply_html(reply) == html


def test_stop_keeps_what_came_and_hangs_up_on_the_model(diary: DiaryTab, model: FakeModelServer) -> None:
    before = model.hung_up
    reply = respond(diary, model, make_unending(rate=40))
    wait_for_words(reply)

    diary.button("Stop").press("Enter")

    wait_for_end(reply, "stopped")
    expect(reply).to_contain_text("Stopped. What was written so far is saved.")
    assert model.wait_for_hang_up(count=before + 1)
    came = get_reply_words(reply)
    assert len(came) >= 4
    diary.reload()
    assert get_reply_words(diary.page.locator(".reply")) == came


@pytest.mark.slow
def test_a_second_tab_sees_the_same_reply_whole_and_once(
    diary: DiaryTab, new_diary: NewDiary, model: FakeModelServer
) -> None:
    early = new_diary(beside=diary)
    reply = respond(diary, model, LONG)
    wait_for_words(reply)
    late = new_diary(beside=diary)

    wait_for_end(reply)

    wait_for_end(late.page.locator(".reply"))
    assert get_reply_words(late.page.locator(".reply")) == get_reply_words(reply) == split_script(LONG)
    # The early tab does not have the entry itself; a reload shows it with its reply.
    early.reload()
    assert get_reply_words(early.page.locator(".reply")) == split_script(LONG)


@pytest.mark.slow
def test_a_reload_in_the_middle_goes_on_where_it_was(diary: DiaryTab, model: FakeModelServer) -> None:
    reply = respond(diary, model, LONG)
    wait_for_words(reply)

    diary.reload()

    assert reply.get_attribute("data-state") == "writing"
    wait_for_end(reply)
    assert get_reply_words(reply) == split_script(LONG)


def test_a_lost_socket_is_taken_up_again(
    diary: DiaryTab, model: FakeModelServer, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("ERR_INTERNET_DISCONNECTED")
    reply = respond(diary, model, LONG)
    wait_for_words(reply)

    diary.page.context.set_offline(True)
    diary.page.evaluate("document.dispatchEvent(new CustomEvent('llamora:unlocked'))")
    diary.page.context.set_offline(False)

    wait_for_end(reply)
    assert get_reply_words(reply) == split_script(LONG)


def test_a_failure_is_a_sentence_with_another_try(diary: DiaryTab, model: FakeModelServer) -> None:
    reply = respond(diary, model, Script(status=500))
    wait_for_end(reply, "failed")
    expect(reply).to_contain_text("The model server reported an error.")
    assert get_reply_words(reply) == []
    model.add_scripts(Script(tokens=["Now ", "it ", "works."]))

    diary.button("Try again").click()

    wait_for_end(reply)
    assert get_reply_words(reply) == ["Now", "it", "works."]


def test_a_reply_that_broke_off_keeps_its_words_and_another_stands_below(
    diary: DiaryTab, model: FakeModelServer
) -> None:
    reply = respond(diary, model, Script(tokens=make_words(40), drop_after=20))
    wait_for_end(reply, "failed")
    expect(reply).to_contain_text("The connection to the model server was lost.")
    assert get_reply_words(reply) == split_script(Script(tokens=make_words(20)))
    model.add_scripts(Script(tokens=["Whole."]))

    diary.button("Try again").click()

    replies = diary.page.locator(".reply")
    expect(replies).to_have_count(2)
    wait_for_end(replies.nth(1))
    replies.nth(0).get_by_role("button", name="Delete this reply").click()
    expect(replies).to_have_count(1)
    assert get_reply_words(replies) == ["Whole."]


@pytest.mark.slow
def test_what_a_model_says_does_nothing_in_the_page(diary: DiaryTab, model: FakeModelServer) -> None:
    evil = (
        "Look: <script>document.title='hit'</script> <img src=x onerror=\"document.title='hit'\">\n\n"
        "[press](javascript:document.title='hit') <a href=\"javascript:document.title='hit'\">me</a> "
        "<svg onload=\"document.title='hit'\">"
        "<iframe srcdoc=\"<script>parent.document.title='hit'</script>\">\n\n"
        '<form action="/sign-out/" method="post"><button>Keep</button></form> <style>*{display:none}</style>'
    )
    reply = respond(diary, model, Script(tokens=list(evil), rate=400))

    wait_for_end(reply)

    shown = reply.locator("[data-settled], [data-tail]")
    assert shown.locator("script, img, svg, iframe, form, button, style, [onerror], [onload]").count() == 0
    assert shown.locator("a[href^='javascript' i]").count() == 0
    assert diary.page.title() != "hit"


def test_the_page_does_not_jump_for_a_reader_who_scrolled_up(diary: DiaryTab, model: FakeModelServer) -> None:
    diary.save_entry("\n\n".join(f"Line {number} of a long day." for number in range(60)))
    reply = respond(diary, model, Script(tokens=make_words(240), rate=120))
    wait_for_words(reply)
    diary.page.evaluate("scrollTo(0, 100)")

    wait_for_end(reply)

    assert diary.page.evaluate("scrollY") == 100


def test_the_page_follows_a_reader_who_is_at_the_end(diary: DiaryTab, model: FakeModelServer) -> None:
    diary.save_entry("\n\n".join(f"Line {number} of a long day." for number in range(60)))
    reply = respond(diary, model, Script(tokens=make_words(240), rate=120))
    diary.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")

    wait_for_end(reply)

    assert diary.page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 48")


def test_a_screen_reader_hears_of_a_reply_once(diary: DiaryTab, model: FakeModelServer) -> None:
    diary.page.evaluate("""() => {
        window.heard = [];
        const said = document.getElementById('live-region');
        new MutationObserver(() => said.textContent && heard.push(said.textContent))
            .observe(said, { childList: true, characterData: true, subtree: true });
    }""")
    reply = respond(diary, model, Script(tokens=make_words(60), rate=60))

    wait_for_end(reply)

    assert diary.page.evaluate("window.heard") == ["Llamora has replied."]


@pytest.mark.slow
def test_writing_goes_on_while_the_model_does(diary: DiaryTab, model: FakeModelServer) -> None:
    reply = respond(diary, model, LONG)
    wait_for_words(reply)

    diary.save_entry("Meanwhile, another thing.")

    assert reply.get_attribute("data-state") == "writing"
    wait_for_end(reply)


def test_a_lock_ends_the_reply_and_its_words_are_there_after_unlocking(
    new_diary: NewDiary, model: FakeModelServer
) -> None:
    diary = new_diary()
    reply = respond(diary, model, make_unending(rate=40))
    wait_for_words(reply)
    came = get_reply_words(reply)

    diary.page.locator("body").press("l")
    diary.page.wait_for_url("**/unlock/**")
    diary.page.get_by_label("Password", exact=True).fill(diary.member.password)
    diary.button("Unlock").click()

    wait_for_end(reply, "interrupted")
    expect(reply).to_contain_text("Your diary was locked while this was being written.")
    assert get_reply_words(reply)[: len(came) - 1] == came[:-1]
