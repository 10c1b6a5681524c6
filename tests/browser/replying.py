"""Having an entry answered in a tab, and reading the reply as a person would."""

import re

from playwright.sync_api import Locator, expect

from tests.browser.diary import DiaryTab
from tests.fakes.model_server import FakeModelServer
from tests.fakes.script import Script, words

SOON = 30_000
LONG = Script(tokens=words(120), rate=60)


def respond(
    diary: DiaryTab, model: FakeModelServer, script: Script, *, text: str = "What do you make of it?"
) -> Locator:
    """Keep an entry and have it answered by a script; answer the reply's section."""
    model.next(script)
    diary.keep(text)
    diary.button("Reply").last.click()
    reply = diary.page.locator(".reply").last
    expect(reply).to_be_visible()
    return reply


def plain(script: Script) -> list[str]:
    return "".join(script.tokens).split()


def wait_for_words(reply: Locator) -> None:
    expect(reply).to_contain_text(re.compile(r"\w+ \w+ \w+ \w+"), timeout=SOON)


def wait_for_end(reply: Locator, state: str = "done") -> None:
    expect(reply).to_have_attribute("data-state", state, timeout=SOON)


def words_of(reply: Locator) -> list[str]:
    """What a reply says: the blocks that are settled, and the tail."""
    return " ".join(reply.locator("[data-settled], [data-tail]").all_inner_texts()).split()


def html_of(reply: Locator) -> str:
    parts = reply.locator("[data-settled], [data-tail]").all()
    return re.sub(r">\s+<", "><", "".join(part.inner_html() for part in parts).strip())
