"""Template context of every page: its person, and their preferences for its look."""

from typing import Any

from django.http import HttpRequest

from accounts.http.request import NOBODY


def household(request: HttpRequest) -> dict[str, Any]:
    """Return the person (None while signed out), whether their vault is unlocked, theme and text size."""
    vault = getattr(request, "vault", NOBODY)
    return {
        "person": vault.person,
        "owner_id": vault.person.id if vault.person else "",
        "is_unlocked": vault.is_unlocked,
        "theme": vault.person.theme if vault.person else "system",
        "text_size": vault.person.text_size if vault.person else "usual",
    }
