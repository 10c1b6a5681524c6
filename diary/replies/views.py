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

from accounts.decorators import unlock_required
from accounts.error_messages import get_not_written_message
from accounts.http.request import HouseholdRequest
from diary.entries import presenters as entries_presenters
from diary.entries import queries as entries_queries
from diary.entries.queries import get_entry
from diary.errors import ObjectNotFound
from diary.generation.presenters import build_prompt_record_context
from diary.models import Reply
from diary.replies import presenters, reply_kinds, services
from diary.replies.errors import InvalidReplyKind, ReplyRefused, TooManyReplies
from diary.replies.section import render_reply
from diary.replies.tasks import ReplyTask
from llamora.database import NotWritten
from llamora.inference.registry import registry

# MERGED diary.replies.way_views: A person's own ways of having an entry answered: the page that lists them,
# adds one, and removes one.

ReplyViewFunction = Callable[[HouseholdRequest, Reply], HttpResponse]


def _redirect_to_day(day: date, anchor: str) -> HttpResponse:
    return redirect(f"{reverse('day', args=[day])}#{anchor}")


def _respond_with_section(request: HouseholdRequest, reply_id: UUID, day: date) -> HttpResponse:
    """Answer script with the reply's section, and a plain form with its day."""
    if not request.htmx:
        return _redirect_to_day(day, f"reply-{reply_id}")
    view = presenters.find_reply_view(reply_id, owner_id=request.user.id)
    if view is None:
        raise ObjectNotFound
    return HttpResponse(render_reply(view, owner_id=request.user.id))


def _refuse(request: HouseholdRequest, sentence: str, *, status: int) -> HttpResponse:
    # Asked for again, the address of any of these leads back to the day.
    context = {"title": "No reply was begun", "sentence": sentence, "next": request.path}
    return render(request, "refused.html", context, status=status)


def _respond_to_start(request: HouseholdRequest, ask: Callable[[], ReplyTask]) -> HttpResponse:
    try:
        errand = ask()
    except ReplyRefused as refusal:
        return _refuse(request, refusal.sentence, status=429 if isinstance(refusal, TooManyReplies) else 422)
    return _respond_with_section(request, errand.id, errand.day)


def _with_own_reply(view: ReplyViewFunction) -> Callable[..., HttpResponse]:
    """Find the person's own reply for a view that changes it; not theirs looks like not there."""

    @unlock_required
    @wraps(view)
    def found(request: HouseholdRequest, reply_id: UUID) -> HttpResponse:
        registry.wait_for_row(reply_id)
        mine = Reply.objects.filter(owner_id=request.user.id, entry__deleted_at=None).select_related("entry")
        reply = get_object_or_404(mine, id=reply_id)
        return (
            view(request, reply)
            if request.method == "POST"
            else _respond_with_section(request, reply.id, reply.entry.day)
        )

    return found


@unlock_required
def respond(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Have an entry answered."""
    if request.method != "POST":
        return _redirect_to_day(get_entry(request.user.id, entry_id).day, f"entry-{entry_id}")
    keyring = request.vault.keyring
    chosen = reply_kinds.parse_trace_ids(request.POST.getlist("trace"))
    choice = replace(reply_kinds.parse_choice(request.user.id, request.POST.get("kind", "")), traces=chosen)
    return _respond_to_start(
        request,
        lambda: services.start_reply(person=request.user, entry_id=entry_id, keyring=keyring, choice=choice),
    )


@_with_own_reply
def reply(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Show a reply."""
    return _respond_with_section(request, reply.id, reply.entry.day)


@_with_own_reply
def stop(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Stop a reply and show what came."""
    services.stop_reply(reply)
    return _respond_with_section(request, reply.id, reply.entry.day)


@_with_own_reply
def retry(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Have the entry answered once more, after what is there."""
    keyring = request.vault.keyring
    response = _respond_to_start(
        request, lambda: services.retry_reply(reply, person=request.user, keyring=keyring)
    )
    if request.htmx and f'id="reply-{reply.id}"' not in response.text:
        response["HX-Retarget"], response["HX-Reswap"] = f"#replies-{reply.entry_id}", "beforeend"
    return response


@_with_own_reply
def delete(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Delete a reply."""
    services.delete_reply(reply)
    return HttpResponse() if request.htmx else _redirect_to_day(reply.entry.day, f"entry-{reply.entry_id}")


@unlock_required
def prompt_record(request: HouseholdRequest, reply_id: UUID) -> HttpResponse:
    """Show what was read for a reply."""
    mine = Reply.objects.filter(owner_id=request.user.id, entry__deleted_at=None).select_related("entry")
    reply = get_object_or_404(mine, id=reply_id)
    name = "diary/fragments/prompt_record.html" if request.htmx else "diary/prompt_record.html"
    return render(request, name, build_prompt_record_context(request.user, reply, day=reply.entry.day))


@unlock_required
def custom_kinds(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show a person's own ways of answering beside an entry, or keep a new one."""
    entries_queries.get_entry(request.user.id, entry_id)
    if request.method != "POST":
        return _render_kinds_page(request, entry_id)
    name, wish = request.POST.get("name", ""), request.POST.get("wish", "")
    try:
        reply_kinds.create_custom_kind(owner_id=request.user.id, name=name, wish=wish)
    except InvalidReplyKind as refused:
        return _render_kinds_page(
            request, entry_id, said={"error": refused.sentence, "name": name, "wish": wish}, status=422
        )
    except NotWritten as error:
        # Not left to the middleware, which gives back one field: both are shown again beside the reason.
        sentence = get_not_written_message(error)
        return _render_kinds_page(
            request, entry_id, said={"error": sentence, "name": name, "wish": wish}, status=503
        )
    return redirect("reply_kinds", entry_id)


def _render_kinds_page(
    request: HouseholdRequest, entry_id: UUID, *, said: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    entry = entries_queries.get_entry(request.user.id, entry_id)
    view = entries_presenters.build_entry_view(entry, zone=request.user.time_zone)
    context = {
        "entry": view,
        "day": entry.day,
        "own": reply_kinds.list_custom_kinds(request.user.id),
        **(said or {}),
    }
    return render(request, "diary/reply_kinds.html", context, status=status)


@unlock_required
def remove_custom_kind(request: HouseholdRequest, entry_id: UUID, way_id: UUID) -> HttpResponse:
    """Remove a way of answering."""
    entries_queries.get_entry(request.user.id, entry_id)
    if request.method == "POST":
        reply_kinds.delete_custom_kind(owner_id=request.user.id, way=way_id)
    return redirect("reply_kinds", entry_id)
