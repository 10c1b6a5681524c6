"""Template context of every page: the signed-in person and their preferences of appearance."""

from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.utils.safestring import SafeString

from accounts.http.request import NOBODY


def household(request: HttpRequest) -> dict[str, Any]:
    """Return variables for all templates, such as `person` (None if signed out) and `is_unlocked`."""
    vault = getattr(request, "vault", NOBODY)
    return {
        "person": vault.person,
        "owner_id": vault.person.id if vault.person else "",
        "is_unlocked": vault.is_unlocked,
        "theme": vault.person.theme if vault.person else "system",
        "text_size": vault.person.text_size if vault.person else "usual",
        "csrf_input": CsrfInput(request),
    }


class CsrfInput:
    """The hidden CSRF field, created when a page's first form uses it and shared by all forms of the page.

    So a page without a form sets no cookie, and Django masks the token only once per page, which takes 32
    random numbers.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def _html(self) -> SafeString:
        return csrf_input(self._request)

    def __html__(self) -> SafeString:
        return self._html

    def __str__(self) -> SafeString:
        return self._html
