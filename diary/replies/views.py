"""Views of replies and of custom reply styles; each returns a fragment, or a redirect if no script runs.

A GET of a POST-only URL, as happens after unlocking, redirects to the day.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.decorators import unlock_required
from accounts.error_messages import get_not_written_message
from accounts.http.request import HouseholdRequest
from diary import hooks, messages
from diary.entries import presenters as entries_presenters
from diary.entries import queries as entries_queries
from diary.entries.queries import get_entry
from diary.errors import ObjectNotFound
from diary.generation.presenters import build_prompt_record_context
from diary.models import Entry, Reply, ReplyKind
from diary.origins.services import can_be_unclaimed
from diary.replies import presenters, reply_kinds, services
from diary.replies.errors import InvalidReplyKind, ReplyRefused, TooManyReplies
from diary.replies.section import render_reply
from diary.replies.tasks import ReplyTask
from llamora.database import NotWritten
from llamora.inference.registry import registry

ReplyViewFunction = Callable[[HouseholdRequest, Reply], HttpResponse]


def _redirect_to_day(day: date, anchor: str) -> HttpResponse:
    return redirect(f"{reverse('day', args=[day])}#{anchor}")


def _respond_with_section(request: HouseholdRequest, reply_id: UUID, day: date) -> HttpResponse:
    """Return the section of a reply to script, or redirect a plain form to its day."""
    if not request.htmx:
        return _redirect_to_day(day, f"reply-{reply_id}")
    view = presenters.find_reply_view(reply_id, owner_id=request.user.id)
    if view is None:
        raise ObjectNotFound
    return HttpResponse(render_reply(view, owner_id=request.user.id))


def _refuse(request: HouseholdRequest, sentence: str, *, status: int) -> HttpResponse:
    # A GET of the same URL leads back to the day.
    context = {"title": messages.REPLY_NOT_STARTED_TITLE, "sentence": sentence, "next": request.path}
    return render(request, "refused.html", context, status=status)


def _respond_to_start(request: HouseholdRequest, start: Callable[[], ReplyTask]) -> HttpResponse:
    try:
        task = start()
    except ReplyRefused as refusal:
        return _refuse(request, refusal.sentence, status=429 if isinstance(refusal, TooManyReplies) else 422)
    return _respond_with_section(request, task.id, task.day)


def _with_own_reply(view: ReplyViewFunction) -> Callable[..., HttpResponse]:
    """Load the person's own reply for a view that changes it; another person's reply is a 404."""

    @unlock_required
    @wraps(view)
    def load_reply(request: HouseholdRequest, reply_id: UUID) -> HttpResponse:
        registry.wait_for_row(reply_id)
        own = Reply.objects.filter(owner_id=request.user.id, entry__deleted_at=None).select_related("entry")
        reply = get_object_or_404(own, id=reply_id)
        return (
            view(request, reply)
            if request.method == "POST"
            else _respond_with_section(request, reply.id, reply.entry.day)
        )

    return load_reply


@unlock_required
def respond(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Start a reply to an entry."""
    if request.method != "POST":
        return _redirect_to_day(get_entry(request.user.id, entry_id).day, f"entry-{entry_id}")
    keyring = request.vault.keyring
    trace_ids = reply_kinds.parse_trace_ids(request.POST.getlist("trace"))

    def start() -> ReplyTask:
        choice = reply_kinds.parse_choice(request.user.id, request.POST.get("kind", ""))
        return services.start_reply(
            person=request.user,
            entry_id=entry_id,
            keyring=keyring,
            choice=replace(choice, traces=trace_ids),
        )

    return _respond_to_start(request, start)


@_with_own_reply
def reply(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Show a reply."""
    return _respond_with_section(request, reply.id, reply.entry.day)


@_with_own_reply
def stop(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Stop a reply and show its text so far."""
    services.stop_reply(reply)
    return _respond_with_section(request, reply.id, reply.entry.day)


@_with_own_reply
def retry(request: HouseholdRequest, reply: Reply) -> HttpResponse:
    """Start another reply to the same entry, below the present one."""
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
    """Show the prompt record of a reply: the list of the sources that the model read."""
    own = Reply.objects.filter(owner_id=request.user.id, entry__deleted_at=None).select_related("entry")
    reply = get_object_or_404(own, id=reply_id)
    name = "diary/fragments/prompt_record.html" if request.htmx else "diary/prompt_record.html"
    return render(request, name, build_prompt_record_context(request.user, reply, day=reply.entry.day))


@unlock_required
def custom_kinds(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show the custom reply styles of a person beside an entry, or save a new one."""
    entries_queries.get_entry(request.user.id, entry_id)
    if request.method != "POST":
        return (_render_menu if request.htmx else _render_kinds_page)(request, entry_id)
    name, instruction = request.POST.get("name", ""), request.POST.get("wish", "")
    try:
        reply_kinds.create_custom_kind(owner_id=request.user.id, name=name, instruction=instruction)
    except InvalidReplyKind as refused:
        return _render_kinds_page(
            request,
            entry_id,
            values={"error": refused.sentence, "name": name, "instruction": instruction},
            status=422,
        )
    except NotWritten as error:
        # Not left to the middleware, which returns one field only: both are shown again with the reason.
        sentence = get_not_written_message(error)
        return _render_kinds_page(
            request,
            entry_id,
            values={"error": sentence, "name": name, "instruction": instruction},
            status=503,
        )
    return redirect("reply_kinds", entry_id)


def _render_menu(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    entry = entries_queries.get_entry(request.user.id, entry_id)
    return render(request, "diary/fragments/entry_menu.html", _build_menu_context(entry))


def _build_menu_context(entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "panels": hooks.get_panels([entry]).get(entry.id, ()),
        "reply_kinds": ReplyKind.list_in_menu(),
        "own": reply_kinds.list_custom_kinds(entry.owner_id),
        "skills": reply_kinds.list_skill_choices(),
        "can_claim": not entry.is_trusted,
        "can_unclaim": can_be_unclaimed(entry),
    }


def _render_kinds_page(
    request: HouseholdRequest, entry_id: UUID, *, values: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    entry = entries_queries.get_entry(request.user.id, entry_id)
    view = entries_presenters.build_entry_view(entry, zone=request.user.time_zone)
    context = {
        "entry": view,
        "day": entry.day,
        **_build_menu_context(entry),
        **(values or {}),
    }
    return render(request, "diary/reply_kinds.html", context, status=status)


@unlock_required
def remove_custom_kind(request: HouseholdRequest, entry_id: UUID, kind_id: UUID) -> HttpResponse:
    """Delete a custom reply style."""
    entries_queries.get_entry(request.user.id, entry_id)
    if request.method == "POST":
        reply_kinds.delete_custom_kind(owner_id=request.user.id, kind_id=kind_id)
    return redirect("reply_kinds", entry_id)


@unlock_required
def claim_custom_kind(request: HouseholdRequest, entry_id: UUID, kind_id: UUID) -> HttpResponse:
    """Mark an imported custom reply style as the person's own."""
    entries_queries.get_entry(request.user.id, entry_id)
    if request.method == "POST":
        reply_kinds.claim_custom_kind(owner_id=request.user.id, kind_id=kind_id)
    return redirect("reply_kinds", entry_id)
