"""Changing a trace everywhere, each change with a way back: the page that follows offers it."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.answers import refused
from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from traces.access import change_of, trace_of
from traces.detail import detail_of
from traces.errors import NameTaken, SameTrace
from traces.models import Change
from traces.names import MAX_NAME, NameRefused
from traces.services import keeping, naming
from traces.views.trace import page


def _to(trace_id: UUID | None, change: Change | None) -> HttpResponse:
    place = reverse("trace", args=[trace_id]) if trace_id else reverse("traces")
    return redirect(f"{place}?{urlencode({'changed': change.id})}" if change else place)


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def rename(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Call a trace otherwise; where another is called so, offer to merge the two."""
    trace = trace_of(request.user.id, trace_id)
    if request.method != "POST":
        return redirect("trace", trace.id)
    typed = request.POST.get("name", "")
    try:
        change = naming.rename(owner_id=request.user.id, trace_id=trace.id, name=typed)
    except (NameRefused, NameTaken) as error:
        said = {
            "error": error.sentence,
            "typed": typed[: 2 * MAX_NAME],
            "taken": error.other.id if isinstance(error, NameTaken) else None,
        }
        return page(request, detail_of(request.user, (trace.id,)), status=422, **said)
    return _to(trace.id, change)


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def merge(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Put a trace's entries under another one."""
    trace = trace_of(request.user.id, trace_id)
    if request.method != "POST":
        return redirect("trace", trace.id)
    try:
        into = trace_of(request.user.id, UUID(request.POST.get("into", "")))
        change = naming.merge(owner_id=request.user.id, trace_id=trace.id, into_id=into.id)
    except (ValueError, SameTrace):
        sentence = SameTrace.sentence
        return page(request, detail_of(request.user, (trace.id,)), status=422, merge_error=sentence)
    return _to(into.id, change)


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def delete(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Take a trace away everywhere."""
    trace = trace_of(request.user.id, trace_id)
    if request.method != "POST":
        return redirect("trace", trace.id)
    return _to(None, naming.delete(owner_id=request.user.id, trace_id=trace.id))


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def undo(request: HouseholdRequest, change_id: UUID) -> HttpResponse:
    """Take a change back."""
    change_of(request.user.id, change_id)
    if request.method != "POST":
        return redirect("traces")
    try:
        trace = naming.undo(owner_id=request.user.id, change_id=change_id)
    except NameTaken as error:
        following = reverse("trace", args=[error.other.id])
        sentence = "Another trace has got its name meanwhile. Call that one otherwise first, then undo again."
        return refused(request, status=409, title="Not undone", sentence=sentence, following=following)
    return redirect("trace", trace.id)


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
def read_always(request: HouseholdRequest, trace_id: UUID) -> HttpResponse:
    """Have a trace's earlier entries read for every reply, or no longer."""
    trace = trace_of(request.user.id, trace_id)
    if request.method == "POST":
        wanted = request.POST.get("wanted") == "on"
        keeping.read_always(owner_id=request.user.id, trace_id=trace.id, wanted=wanted)
    return redirect(f"{reverse('trace', args=[trace.id])}#context")
