"""Django's error handlers, which show a page with a sentence instead of only a status code."""

import logging
import sys

from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist

from accounts.error_messages import (
    DATABASE_DAMAGED,
    DATABASE_DAMAGED_TITLE,
    EXPIRED,
    EXPIRED_TITLE,
    FAULT,
    FAULT_ALONE,
    FAULT_TITLE,
    NOT_ALLOWED,
    NOT_ALLOWED_TITLE,
    TEXT_STAYS,
    UNKNOWN_ADDRESS_TITLE,
    UNKNOWN_HOST,
    UNKNOWN_ORIGIN,
)
from accounts.http.error_responses import get_typed_text, is_htmx_request, render_refusal
from llamora.database.errors import is_file_damaged, note_damage

_log = logging.getLogger(__name__)
_TOO_BIG = (RequestDataTooBig, TooManyFieldsSent)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Refuse a form whose CSRF token is missing, old or for another host; show the typed text again."""
    # Django's own words; behind a proxy whose name nobody listed, every form fails so.
    is_foreign = reason.startswith(("Origin checking failed", "Referer checking failed"))
    sentence = UNKNOWN_ORIGIN if is_foreign else EXPIRED
    return render_refusal(
        request,
        status=403,
        title=UNKNOWN_ADDRESS_TITLE if is_foreign else EXPIRED_TITLE,
        sentence=f"{sentence} {TEXT_STAYS}" if get_typed_text(request) else sentence,
        following=request.path
        if request.path in ("/sign-in/", "/register/", "/unlock/", "/recover/")
        else "/",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse a request that is malformed or too large."""
    if isinstance(exception, DisallowedHost):
        return render_refusal(request, status=400, title=UNKNOWN_ADDRESS_TITLE, sentence=UNKNOWN_HOST)
    return _render_status(request, status=413 if isinstance(exception, _TOO_BIG) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond 403 to a request that raised PermissionDenied, such as a change that the admin forbids."""
    del exception
    return render_refusal(request, status=403, title=NOT_ALLOWED_TITLE, sentence=NOT_ALLOWED)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Respond 404 to a URL that does not exist or belongs to another person; the page does not say which."""
    del exception
    return _render_status(request, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Respond to an unexpected error with as little code as possible, because any code may be the cause.

    The text of a plain form is shown again, because no browser restores a field with `autocomplete=off`.
    """
    if is_file_damaged(sys.exc_info()[1]):
        return _render_damaged_database(request)
    try:
        if get_typed_text(request) and not is_htmx_request(request):
            return render_refusal(request, status=500, title=FAULT_TITLE, sentence=FAULT)
        return _render_status(request, status=500)
    except Exception:
        return HttpResponse(FAULT_ALONE, status=500)


def _render_damaged_database(request: HttpRequest) -> HttpResponse:
    note_damage()
    _log.error("The database file is damaged. Stop Llamora, then run manage.py doctor.")
    try:
        return render_refusal(
            request,
            status=503,
            title=DATABASE_DAMAGED_TITLE,
            sentence=DATABASE_DAMAGED,
            following=request.path,
        )
    except Exception:
        # The page itself needs a row.
        return HttpResponse(DATABASE_DAMAGED, status=503, content_type="text/plain; charset=utf-8")


def _render_status(request: HttpRequest, *, status: int) -> HttpResponse:
    try:
        return render(request, f"{status}.html", status=status)
    except TemplateDoesNotExist:
        return HttpResponse(status=status)
