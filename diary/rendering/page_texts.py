"""The texts of one page as HTML, cached for their owner, with one limit on rendering work for the whole page.

Each request starts a page with a full budget. A text whose rendering costs more than is left is shown as
plain text from the point where the budget is spent. Cached HTML costs as much as new HTML, so that a page
looks the same each time. Before each long text, a request lets other requests of its thread pool run.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from django.core.signals import request_started
from django.utils.safestring import SafeString

from diary.rendering.html_cache import CachedHtml, CacheKey, html_cache
from diary.rendering.markdown import MAX_UNITS, RenderBudget, render_markdown, render_plain_words
from llamora.crypto import VaultLocked, current_keyring
from llamora.threads import let_others_run

MAX_PAGE_UNITS: Final = 3 * MAX_UNITS
_LONG: Final = 5_000  # characters


@dataclass(slots=True)
class PageBudget:
    """The budget that is left for rendering the texts of one page, in the units of `RenderBudget`."""

    units: int = MAX_PAGE_UNITS


_page: ContextVar[PageBudget | None] = ContextVar("llamora_page_budget", default=None)


def render_page_text(text: str, *, has_links: bool = True) -> SafeString:
    """Return the safe HTML of a text, within the budget of the page.

    Outside a request, each text has a budget of its own. Text of the model gets no links: see
    `diary.rendering.markdown`.
    """
    if len(text) > _LONG:
        let_others_run()
    plain = render_plain_words(text)
    if plain is not None:
        # Made as fast as it would be found in the cache.
        return SafeString(plain)
    page = _page.get() or PageBudget()
    key = _get_cache_key(text, has_links=has_links)
    cached = html_cache.get(key) if key else None
    if cached is not None and cached.units <= page.units:
        page.units -= cached.units
        return SafeString(cached.html)
    available = min(MAX_UNITS, page.units)
    budget = RenderBudget(units=available, has_links=has_links)
    html = render_markdown(text, budget=budget)
    spent = available - budget.units
    page.units -= spent
    is_cut_by_page = budget.is_spent and available < MAX_UNITS
    if key and not is_cut_by_page:
        html_cache.add(key, CachedHtml(html, spent))
    return SafeString(html)


def _get_cache_key(text: str, *, has_links: bool) -> CacheKey | None:
    try:
        return html_cache.build_key(text, current_keyring(), has_links=has_links)
    except VaultLocked:
        return None


def _begin_page(**_: Any) -> None:
    _page.set(PageBudget())


def connect() -> None:
    """Connect the receiver that gives each page its rendering budget; called from `AppConfig.ready`."""
    request_started.connect(_begin_page, dispatch_uid="diary.rendering.begin_page")
