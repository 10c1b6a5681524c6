"""Views of the Inbox: showing its texts, accepting them as entries, deleting them.

Each change redirects back to the page of the Inbox.
"""

import logging
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary.errors import InboxChanged
from diary.inbox import boxes, presenters, queries, services
from llamora.database import NotWritten

PAGE_SIZE = 20
_log = logging.getLogger(__name__)


@require_safe
@unlock_required
def inbox(request: HouseholdRequest) -> HttpResponse:
    """Show the waiting texts, oldest first, and separately those that could not be verified."""
    try:
        # A program may have sent texts since the unlock.
        boxes.open_boxes(request.vault.keyring)
    except NotWritten as error:
        _log.warning("Texts sent to the Inbox could not be opened: %s", error.code)
    return _render_page(request)


def _render_page(request: HouseholdRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    person = request.user
    page = Paginator(queries.list_waiting(person.id), PAGE_SIZE).get_page(request.GET.get("page"))
    items = list(page)
    readable = [item for item in items if presenters.load_text(item)]
    closed = boxes.list_closed_boxes(request.vault.keyring)
    context: dict[str, Any] = {
        "items": presenters.build_item_views(items, zone=person.time_zone),
        "readable_ids": [item.id for item in readable],
        "review": services.compute_review(person.id, readable) if readable else "",
        "page": page,
        "unchecked": presenters.build_unchecked_views(closed.unchecked, zone=person.time_zone),
        "is_cut": len(closed.unchecked) == boxes.MAX_LISTED,
        "waiting_count": closed.waiting_count,
        "damaged_count": boxes.count_damaged_boxes(person.id),
        "accepted": queries.find_accepted_entry(person.id, _parse_id(request.GET.get("entry", ""))),
        "accepted_count": _parse_count(request.GET.get("accepted", "")),
        "undo": queries.find_deleted_id(person.id, _parse_id(request.GET.get("deleted", ""))),
        "error": error,
        "in_inbox": True,
    }
    return render(request, "diary/inbox.html", context, status=status)


def _parse_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _parse_count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _redirect(**query: Any) -> HttpResponse:
    return redirect(f"{reverse('inbox')}?{urlencode(query)}")


@require_POST
@unlock_required
def accept(request: HouseholdRequest, item_id: UUID) -> HttpResponse:
    """Save an item as an entry of its day."""
    entry = services.accept_item(owner_id=request.user.id, item_id=item_id, zone=request.user.time_zone)
    return _redirect(entry=entry.id)


@require_POST
@unlock_required
def accept_shown(request: HouseholdRequest) -> HttpResponse:
    """Save the items that the page showed as entries; if the Inbox has changed, show the page again."""
    # Values that are no ids are left out, so that the review does not match.
    ids = [item_id for value in request.POST.getlist("item")[:PAGE_SIZE] if (item_id := _parse_id(value))]
    try:
        entries = services.accept_items(
            owner_id=request.user.id,
            item_ids=list(dict.fromkeys(ids)),
            review=request.POST.get("review", ""),
            zone=request.user.time_zone,
        )
    except InboxChanged as changed:
        return _render_page(request, error=changed.sentence, status=409)
    return _redirect(accepted=len(entries))


@require_POST
@unlock_required
def delete(request: HouseholdRequest, item_id: UUID) -> HttpResponse:
    """Delete an item, and offer undo."""
    services.delete_item(owner_id=request.user.id, item_id=item_id)
    return _redirect(deleted=item_id)


@require_POST
@unlock_required
def restore(request: HouseholdRequest, item_id: UUID) -> HttpResponse:
    """Undo the deletion of an item."""
    services.restore_item(owner_id=request.user.id, item_id=item_id)
    return redirect("inbox")


@require_POST
@unlock_required
def delete_unchecked(request: HouseholdRequest, box_id: UUID) -> HttpResponse:
    """Delete a text whose sender could not be verified."""
    boxes.delete_unchecked_box(owner_id=request.user.id, box_id=box_id)
    return redirect("inbox")


@require_POST
@unlock_required
def delete_damaged(request: HouseholdRequest) -> HttpResponse:
    """Delete the texts that can't be read at all."""
    boxes.delete_damaged_boxes(request.user.id)
    return redirect("inbox")
