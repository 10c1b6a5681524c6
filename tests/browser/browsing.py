"""What the fixtures hand out: how a browser's complaints are heard, and how contexts and diaries are made."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from playwright.sync_api import BrowserContext, ConsoleMessage, WebError

from tests.browser.diary import DiaryTab
from tests.browser.house import ServedHouse
from tests.browser_client import Visitor


@dataclass
class Complaints:
    """What the browser complained of, and which complaints a test expects."""

    heard: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *words: str) -> None:
        """Allow complaints that contain any of these words."""
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
    """Makes a browser of its own: no cookie, no cache, complaints heard."""

    def __call__(
        self, member: Visitor | None = None, house: ServedHouse | None = None, **options: Any
    ) -> BrowserContext: ...


class NewDiary(Protocol):
    """Makes a tab of a signed-in person: somebody new in the shared household unless another is given."""

    def __call__(
        self,
        *,
        member: Visitor | None = None,
        of: ServedHouse | None = None,
        beside: DiaryTab | None = None,
        path: str = "/",
        **options: Any,
    ) -> DiaryTab: ...
