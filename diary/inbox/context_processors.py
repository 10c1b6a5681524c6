"""Template context of every page with the navigation rail: the number of texts in the Inbox."""

from typing import Any

from django.http import HttpRequest

from accounts.http.request import NOBODY
from diary.inbox.queries import count_waiting


def inbox(request: HttpRequest) -> dict[str, Any]:
    """Return a function that counts the waiting texts; pages that do not call it need no query."""
    vault = getattr(request, "vault", NOBODY)

    def count() -> int:
        return count_waiting(vault.person.id) if vault.person and vault.is_unlocked else 0

    return {"count_inbox": count}
