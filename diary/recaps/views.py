"""A finished day in short, for who rests on it in the calendar. A POST: it may set the model to work."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from diary import days
from diary.recaps import services

NOTHING = 204


@unlocked
def recap(request: HouseholdRequest, day: date) -> HttpResponse:
    """Show the recap of a day, a place that asks again until it is made, or nothing."""
    if request.method != "POST":
        return redirect("day", day)
    if day >= days.today(request.user.time_zone, now=timezone.now()):
        return HttpResponse(status=NOTHING)
    found = services.recap_of(request.user, day, keyring=request.vault.keyring)
    if found is None or (not isinstance(found, str) and found.is_over):
        return HttpResponse()
    text = found if isinstance(found, str) else None
    return render(request, "diary/fragments/recap.html", {"day": day, "text": text})
