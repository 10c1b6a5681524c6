"""A person's own ways of having an entry answered: the page that lists them, adds one, and removes one."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import access, shown
from diary.replies import kinds
from diary.replies.refusals import RefusedWish
from llamora.database import NotWritten

NOT_WRITTEN = "Nothing can be written to the disk just now, so this way is not kept yet."


@unlocked
def ways(request: HouseholdRequest, entry_id: UUID) -> HttpResponse:
    """Show a person's own ways of answering beside an entry, or keep a new one."""
    access.entry_of(request.user.id, entry_id)
    if request.method != "POST":
        return _page(request, entry_id)
    name, wish = request.POST.get("name", ""), request.POST.get("wish", "")
    try:
        kinds.add(owner_id=request.user.id, name=name, wish=wish)
    except RefusedWish as refused:
        return _page(
            request, entry_id, said={"error": refused.sentence, "name": name, "wish": wish}, status=422
        )
    except NotWritten:
        return _page(request, entry_id, said={"error": NOT_WRITTEN, "name": name, "wish": wish}, status=503)
    return redirect("ways", entry_id)


def _page(
    request: HouseholdRequest, entry_id: UUID, *, said: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    entry = access.entry_of(request.user.id, entry_id)
    view = shown.entry_view(entry, zone=request.user.time_zone)
    context = {"entry": view, "day": entry.day, "own": kinds.own_kinds(request.user.id), **(said or {})}
    return render(request, "diary/ways_to_answer.html", context, status=status)


@unlocked
def remove(request: HouseholdRequest, entry_id: UUID, way_id: UUID) -> HttpResponse:
    """Remove a way of answering."""
    access.entry_of(request.user.id, entry_id)
    if request.method == "POST":
        try:
            kinds.remove(owner_id=request.user.id, way=way_id)
        except NotWritten:
            return _page(request, entry_id, said={"error": NOT_WRITTEN}, status=503)
    return redirect("ways", entry_id)
