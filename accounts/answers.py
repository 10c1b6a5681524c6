"""Refusals as responses: a sentence each, and whatever was typed is given back.

To script: the status, the sentence as a fragment marked `data-error`, and `HX-Reswap: none`, so that the page
stays as it is. To a plain form: a page that holds the posted text in a box. To a page load: a calm page.
"""

import math

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import render
from django.utils.html import format_html

from accounts import sentences
from accounts.errors import AccountsError, Busy, NoMemory, Wait
from llamora.database import FenceRefused, NotWritten

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOCKED, SIGNED_OUT = "llamora:locked", "llamora:signed-out"


def by_script(request: HttpRequest) -> bool:
    """Return whether script sent this request, and so can show an answer beside what was typed."""
    return bool(request.headers.get("HX-Request"))


def typed_text(request: HttpRequest) -> str:
    """Return the text that a refused form carried, or nothing where it cannot be read."""
    if request.method in SAFE:
        return ""
    try:
        return request.POST.get("text", "") or request.POST.get("wish", "")
    except (SuspiciousOperation, BadRequest, UnreadablePostError):
        return ""


def refused(
    request: HttpRequest,
    *,
    status: int,
    title: str,
    sentence: str,
    trigger: str = "",
    following: str = "/",
) -> HttpResponse:
    """Answer a request that is not done, and give back what was typed."""
    if by_script(request):
        response = _to_script(sentence, status=status)
    else:
        text = typed_text(request)
        template = "accounts/kept_text.html" if text else "refused.html"
        context = {"title": title, "sentence": sentence, "text": text, "next": following}
        response = render(request, template, context, status=status)
    if trigger:
        response["HX-Trigger"] = trigger
    return response


def _to_script(sentence: str, *, status: int) -> HttpResponse:
    body = format_html('<p class="wrong" role="alert" data-error>{}</p>', sentence)
    return HttpResponse(body, status=status, headers={"HX-Reswap": "none"})


def damaged(request: HttpRequest) -> HttpResponse:
    """Answer what could not be done because something sealed does not open any more."""
    return refused(request, status=422, title="This cannot be opened", sentence=sentences.DAMAGED)


def not_written(request: HttpRequest, error: NotWritten) -> HttpResponse:
    """Answer a write that the database did not take; one that the fence refused is answered like a lock."""
    sentence = sentences.not_written(error)
    if typed_text(request):
        sentence = f"{sentence} {sentences.TEXT_STAYS}"
    is_locked = isinstance(error, FenceRefused)
    return refused(
        request,
        status=401 if is_locked else 503,
        title="Not saved",
        sentence=sentence,
        trigger=LOCKED if is_locked else "",
        following=request.path,
    )


def status_of(error: AccountsError) -> int:
    """Return the status of a form that was refused for this reason."""
    if isinstance(error, Wait):
        return 429
    return 503 if isinstance(error, NoMemory) else 422


def say_when(response: HttpResponse, error: AccountsError) -> HttpResponse:
    """Add when to try again, where the refusal passes by itself."""
    if isinstance(error, Wait):
        response["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return response


def too_soon(request: HttpRequest, error: Wait) -> HttpResponse:
    """Answer a request that came too soon, outside of a form."""
    title = "A moment, please" if isinstance(error, Busy) else "Too often"
    return say_when(
        refused(request, status=429, title=title, sentence=sentences.refusal(error)),
        error,
    )
