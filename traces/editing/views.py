"""Views that rename, merge and delete traces, and undo these changes; the page after a change offers undo."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.decorators import unlock_required
from accounts.http.error_responses import render_refusal
from accounts.http.request import HouseholdRequest
from traces.access import get_change, get_trace
from traces.detail.presenters import build_detail
from traces.detail.views import render_trace_page
from traces.editing import services as editing_services
from traces.editing.errors import MergeIntoItself, TraceNameTaken
from traces.messages import NOT_UNDONE_TITLE, UNDO_NAME_TAKEN, get_refusal_message
from traces.models import Change
from traces.names import MAX_NAME_LENGTH, InvalidTraceName
from traces.tagging import services as tagging_services


def _redirect_to_trace(trace_id: UUID | None, change: Change | None) -> HttpResponse:
    url = reverse("trace", args=[trace_id]) if trace_id else reverse("traces")
    return redirect(f"{url}?{urlencode({'changed': change.id})}" if change else url)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def rename(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Rename a trace; if another trace has that name, offer to merge the two."""
    trace = get_trace(request.user.id, trace_id)
    if request.method != "POST":
        return redirect("trace", trace.id)
    typed = request.POST.get("name", "")
    try:
        change = editing_services.rename_trace(owner_id=request.user.id, trace_id=trace.id, name=typed)
    except (InvalidTraceName, TraceNameTaken) as error:
        extra = {
            "error": get_refusal_message(error.code),
            "typed": typed[: 2 * MAX_NAME_LENGTH],
            "taken": error.other.id if isinstance(error, TraceNameTaken) else None,
        }
        return render_trace_page(request, build_detail(request.user, (trace.id,)), status=422, **extra)
    return _redirect_to_trace(trace.id, change)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def merge(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Merge a trace into another one."""
    trace = get_trace(request.user.id, trace_id)
    if request.method != "POST":
        return redirect("trace", trace.id)
    try:
        into = get_trace(request.user.id, UUID(request.POST.get("into", "")))
        change = editing_services.merge_traces(owner_id=request.user.id, trace_id=trace.id, into_id=into.id)
    except (ValueError, MergeIntoItself):
        sentence = get_refusal_message(MergeIntoItself.code)
        return render_trace_page(
            request, build_detail(request.user, (trace.id,)), status=422, merge_error=sentence
        )
    return _redirect_to_trace(into.id, change)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def delete(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Delete a trace on all entries."""
    trace = get_trace(request.user.id, trace_id)
    if request.method != "POST":
        return redirect("trace", trace.id)
    return _redirect_to_trace(
        None, editing_services.delete_trace(owner_id=request.user.id, trace_id=trace.id)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def undo(request: HouseholdRequest, change_id: UUID) -> HttpResponse:
    """Undo a change."""
    get_change(request.user.id, change_id)
    if request.method != "POST":
        return redirect("traces")
    try:
        trace = editing_services.undo_change(owner_id=request.user.id, change_id=change_id)
    except TraceNameTaken as error:
        following = reverse("trace", args=[error.other.id])
        return render_refusal(
            request, status=409, title=NOT_UNDONE_TITLE, sentence=UNDO_NAME_TAKEN, following=following
        )
    return redirect("trace", trace.id)


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def set_read_always(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Set whether a trace's earlier entries go into the prompt of every reply."""
    trace = get_trace(request.user.id, trace_id)
    if request.method == "POST":
        wanted = request.POST.get("wanted") == "on"
        tagging_services.set_read_always(owner_id=request.user.id, trace_id=trace.id, wanted=wanted)
    return redirect(f"{reverse('trace', args=[trace.id])}#context")
