"""Classes of the browser fixtures: a record of browser errors, and factories of contexts and tabs."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from playwright.sync_api import BrowserContext, ConsoleMessage, WebError

from tests.browser.diary_page import DiaryTab
from tests.browser.served_household import ServedHouse
from tests.browser_client import Visitor


@dataclass
class BrowserErrors:
    """The errors that the browser reported, and the errors that a test expects."""

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *words: str) -> None:
        """Allow errors that contain any of these words."""
        self.expected.extend(words)

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._fault)

    def _console(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):
            self.heard.append(f"{line.type}: {line.text} ({line.location.get('url', '')})")

    def _fault(self, fault: WebError) -> None:
        self.heard.append(f"page error: {fault.error} ({fault.page.url if fault.page else ''})")

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.heard if not any(words in line for words in self.expected)]


class NewContext(Protocol):
    """Factory of browser contexts without cookies and cache, with errors recorded."""

    def __call__(
        self, member: Visitor | None = None, house: ServedHouse | None = None, **options: Any
    ) -> BrowserContext: ...


class NewDiary(Protocol):
    """Factory of tabs of a signed-in person, by default a new person in the shared household."""

    def __call__(
        self,
        *,
        member: Visitor | None = None,
        of: ServedHouse | None = None,
        beside: DiaryTab | None = None,
        path: str = "/",
        **options: Any,
    ) -> DiaryTab: ...
