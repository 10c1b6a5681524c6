"""Template context of every page with the rail: how much waits in the Inbox."""

from typing import Any

from django.http import HttpRequest

from accounts.http.request import NOBODY
from diary.inbox.queries import count_waiting


def inbox(request: HttpRequest) -> dict[str, Any]:
    """Return the function that counts, which only the rail calls: parts of pages need no count."""
    vault = getattr(request, "vault", NOBODY)

    def count() -> int:
        return count_waiting(vault.person.id) if vault.person and vault.is_unlocked else 0

    return {"count_inbox": count}
