"""Views of replies: each finds what is its person's, asks the service, answers with a fragment or the day.

A GET of an address that only takes POST (a return address after unlocking, say) leads to the day.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import wraps
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary.access import entry_of
from diary.errors import NotThere
from diary.models import Reply
from diary.replies import kinds, presenting, services
from diary.replies.errand import ReplyErrand
from diary.replies.refusals import ReplyRefused, TooMany
from diary.was_read import context_of
from llamora.database import NotWritten
from llamora.inference.jobs import registry

NOT_WRITTEN = "Nothing can be written to the disk just now, so no reply was begun. Your diary is as it was."

ReplyView = Callable[[HouseholdRequest, Reply], HttpResponse]


def _day(day: date, anchor: str) -> HttpResponse:
    return redirect(f"{reverse('day', args=[day])}#{anchor}")


def _shown(request: HouseholdRequest, reply_id: UUID, day: date) -> HttpResponse:
    """Answer script with the reply's section, and a plain form with its day."""
    if not request.htmx:
        return _day(day, f"reply-{reply_id}")
    view = presenting.view_of(reply_id, owner_id=request.user.id)
    if view is None:
        raise NotThere
    return HttpResponse(presenting.section(view, owner_id=request.user.id))


def _refused(request: HouseholdRequest, sentence: str, *, status: int) -> HttpResponse:
    # Asked for again, the address of any of these leads back to the day.
    context = {"title": "No reply was begun", "sentence": sentence, "next": request.path}
    return render(request, "refused.html", context, status=status)


def _answered(request: HouseholdRequest, ask: Callable[[], ReplyErrand]) -> HttpResponse:
    try:
        errand = ask()
    except ReplyRefused as refusal:
        return _refused(request, refusal.sentence, status=429 if isinstance(refusal, TooMany) else 422)
    except NotWritten:
        return _refused(request, NOT_WRITTEN, status=503)
    return _shown(request, errand.id, errand.day)


def _own(view: ReplyView) -> Callable[..., HttpResponse]:
    """Find the person's own reply for a view that changes it; not theirs looks like not there."""

    @unlocked
    @wraps(view)
    def found(request: HouseholdRequest, reply_id: UUID) -> HttpResponse:
        registry.wait_for_row(reply_id)
        mine = Reply.objects.filter(owner_id=request.user.id, entry__deleted_at=None).select_related("entry")
        reply = get_object_or_404(mine, id=reply_id)
        return (
            view(request, reply) if request.method == "POST" else _shown(request, reply.id, reply.entry.day)
        )

    return found


@unlocked
def respond(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Have an entry answered."""
    if request.method != "POST":
        return _day(entry_of(request.user.id, entry_id).day, f"entry-{entry_id}")
    keyring = request.vault.keyring
    chosen = kinds.traces_said(request.POST.getlist("trace"))
    asked = replace(kinds.asked_by(request.user.id, request.POST.get("kind", "")), traces=chosen)
    return _answered(
        request,
        lambda: services.respond(person=request.user, entry_id=entry_id, keyring=keyring, asked=asked),
    )


@_own
def reply(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Show a reply."""
    return _shown(request, reply.id, reply.entry.day)


@_own
def stop(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Stop a reply and show what came."""
    services.stop(reply)
    return _shown(request, reply.id, reply.entry.day)


@_own
def again(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Have the entry answered once more, after what is there."""
    keyring = request.vault.keyring
    response = _answered(request, lambda: services.again(reply, person=request.user, keyring=keyring))
    if request.htmx and f'id="reply-{reply.id}"' not in response.text:
        response["HX-Retarget"], response["HX-Reswap"] = f"#replies-{reply.entry_id}", "beforeend"
    return response


@_own
def delete(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Delete a reply."""
    try:
        services.delete(reply)
    except NotWritten:
        return _refused(request, NOT_WRITTEN, status=503)
    return HttpResponse() if request.htmx else _day(reply.entry.day, f"entry-{reply.entry_id}")


@unlocked
def read(request: HouseholdRequest, reply_id: UUID) -> HttpResponse:
    """Show what was read for a reply."""
    mine = Reply.objects.filter(owner_id=request.user.id, entry__deleted_at=None).select_related("entry")
    reply = get_object_or_404(mine, id=reply_id)
    name = "diary/fragments/read.html" if request.htmx else "diary/read.html"
    return render(request, name, context_of(request.user, reply, day=reply.entry.day))
