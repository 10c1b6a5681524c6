"""Responses to refused requests, which give the reason as a sentence and preserve typed text.

to a script        the status, the sentence as a fragment marked `data-error`, and `HX-Reswap: none`, so that
                   the page stays as it is
to an HTML form    a page with the sentence, and the typed text in a text box
to a page load     a page with the sentence
"""

import math

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts import error_messages
from accounts.errors import AccountsError, DerivationOutOfMemory, DerivationQueueFull, RetryLater
from llamora.database import FenceRefused, NotWritten

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# The status of a form that is shown again with its errors, or that was refused.
FORM_INVALID = 422
LOCKED, SIGNED_OUT = "llamora:locked", "llamora:signed-out"


def is_htmx_request(request: HttpRequest) -> bool:
    """Return whether htmx sent this request, so that the page can show an error beside the typed text."""
    return bool(request.headers.get("HX-Request"))


def get_typed_text(request: HttpRequest) -> str:
    """Return the text typed into a refused HTML form, or "" if there is none or the body is unreadable."""
    if request.method in SAFE_METHODS:
        return ""
    try:
        return request.POST.get("text", "") or request.POST.get("wish", "")
    except (SuspiciousOperation, BadRequest, UnreadablePostError):
        return ""


def render_refusal(
    request: HttpRequest,
    *,
    status: int,
    title: str,
    sentence: str,
    trigger: str = "",
    following: str = "/",
) -> HttpResponse:
    """Render the response to a refused request, with the reason and the typed text."""
    if is_htmx_request(request):
        response = _render_error_fragment(sentence, status=status)
    else:
        text = get_typed_text(request)
        template = "accounts/refused_with_text.html" if text else "refused.html"
        context = {"title": title, "sentence": sentence, "text": text, "next": following}
        response = render(request, template, context, status=status)
    if trigger:
        response["HX-Trigger"] = trigger
    return response


def _render_error_fragment(sentence: str, *, status: int) -> HttpResponse:
    body = render_to_string("fragments/field_error.html", {"sentence": sentence})
    return HttpResponse(body, status=status, headers={"HX-Reswap": "none"})


def render_damaged(request: HttpRequest) -> HttpResponse:
    """Render the refusal of a request for encrypted data that can no longer be decrypted."""
    return render_refusal(
        request, status=422, title=error_messages.DAMAGED_TITLE, sentence=error_messages.DAMAGED
    )


def render_not_written(request: HttpRequest, error: NotWritten) -> HttpResponse:
    """Render the response to a request whose changes could not be written to the database.

    If this is because the data key was replaced, respond as if the vault were locked.
    """
    sentence = error_messages.get_not_written_message(error)
    if get_typed_text(request):
        sentence = f"{sentence} {error_messages.TEXT_STAYS}"
    is_locked = isinstance(error, FenceRefused)
    return render_refusal(
        request,
        status=401 if is_locked else 503,
        title=error_messages.NOT_SAVED,
        sentence=sentence,
        trigger=LOCKED if is_locked else "",
        following=request.path,
    )


def get_error_status(error: AccountsError) -> int:
    """Return the HTTP status of the response to an HTML form that was refused with this error."""
    if isinstance(error, RetryLater):
        return 429
    return 503 if isinstance(error, DerivationOutOfMemory) else FORM_INVALID


def set_retry_after(response: HttpResponse, error: AccountsError) -> HttpResponse:
    """Set the Retry-After header if a later attempt may succeed."""
    if isinstance(error, RetryLater):
        response["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return response


def render_too_soon(request: HttpRequest, error: RetryLater) -> HttpResponse:
    """Render the refusal of a throttled request as a response of its own, not as an error in an HTML form."""
    is_busy = isinstance(error, DerivationQueueFull)
    title = error_messages.BUSY_TITLE if is_busy else error_messages.TOO_MANY_TITLE
    return set_retry_after(
        render_refusal(request, status=429, title=title, sentence=error_messages.get_error_message(error)),
        error,
    )
