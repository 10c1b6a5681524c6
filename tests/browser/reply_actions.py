"""Actions on replies: request one in a tab, wait for it and read it."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.diary_page import DiaryTab
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, make_words
from tests.fakes.waiting import wait_for

SOON = 30_000
LONG = Script(tokens=make_words(120), rate=60)


def respond(
    diary: DiaryTab, model: FakeModelServer, script: Script, *, text: str = "What do you make of it?"
) -> Locator:
    """Save an entry and request a reply with this script; return the section of the reply."""
    model.add_scripts(script)
    diary.save_entry(text)
    diary.button("Reply").last.click()
    reply = diary.page.locator(".reply").last
    expect(reply).to_be_visible()
    return reply


def split_script(script: Script) -> list[str]:
    return "".join(script.tokens).split()


def wait_for_words(reply: Locator) -> None:
    """Wait until a reply has four words of its own; its notes and buttons are not counted."""
    wait_for(lambda: len(get_reply_words(reply)) >= 4)


def wait_for_end(reply: Locator, state: str = "done") -> None:
    expect(reply).to_have_attribute("data-state", state, timeout=SOON)


def get_reply_words(reply: Locator) -> list[str]:
    """Return the words of a reply: its settled blocks and its tail."""
    return " ".join(reply.locator("[data-settled], [data-tail]").all_inner_texts()).split()


def get_reply_html(reply: Locator) -> str:
    parts = reply.locator("[data-settled], [data-tail]").all()
    return re.sub(r">\s+<", "><", "".join(part.inner_html() for part in parts).strip())
