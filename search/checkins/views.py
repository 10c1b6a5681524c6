"""Views of check-ins: the page with the settings, a check-in by hand, and the forms of proposals.

All forms work without script. Those of proposals are on today's page too, and return to the page they are on.
"""

from datetime import time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from diary.entries.views import get_entry_url
from diary.notes.errors import NoteError
from search import messages as sentences
from search.checkins import presenters, services
from search.checkins.choices import CheckInChoices, load_choices
from search.checkins.presenters import INTERVALS
from search.checkins.schedule import Hours
from search.checkins.threads import end_check_ins, follow_choices
from search.errors import IndexClosed
from search.index.registry import indexes
from traces.facts.fact_body import InvalidFact

_UNAVAILABLE = 503


class InvalidChoices(Exception):  # noqa: N818 - states what is the case
    """Raised for invalid settings; `sentence` says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def check_ins(request: HouseholdRequest) -> HttpResponse:
    """Show check-ins, or save their settings."""
    if request.method != "POST":
        return _render_page(request)
    try:
        choices = _parse_choices(request)
    except InvalidChoices as error:
        typed: dict[str, Any] = {name: request.POST.get(name, "") for name in ("start", "end", "interval")}
        typed["is_on"] = "on" in request.POST
        return _render_page(request, typed=typed, error=error.sentence, status=FORM_INVALID)
    services.change_choices(request.user.id, choices)
    follow_choices(request.vault.keyring)
    messages.success(request, sentences.CHECK_INS_ON if choices.is_on else sentences.CHECK_INS_OFF)
    return redirect("check_ins")


@require_POST
@unlock_required
def pause(request: HouseholdRequest) -> HttpResponse:
    """Pause check-ins, and stop the one in progress."""
    end_check_ins(request.user.id)
    services.stop_check_ins(request.vault.keyring.key_id)
    services.pause(request.user.id, is_paused=True)
    messages.success(request, sentences.CHECK_INS_PAUSED)
    return redirect("check_ins")


@require_POST
@unlock_required
def resume(request: HouseholdRequest) -> HttpResponse:
    """Resume check-ins that were paused."""
    services.pause(request.user.id, is_paused=False)
    follow_choices(request.vault.keyring)
    messages.success(request, sentences.CHECK_INS_ON)
    return redirect("check_ins")


@require_POST
@unlock_required
def check_in_now(request: HouseholdRequest) -> HttpResponse:
    """Start a check-in by hand; its proposals are shown when the page is opened again."""
    now = timezone.now()
    try:
        # A page may open the index; the check-in itself does not.
        indexes.for_owner(request.vault.keyring)
    except IndexClosed:
        return _render_page(request, error=sentences.CHECK_IN_PROBLEMS["not_ready"], status=_UNAVAILABLE)
    started = services.start_check_in(
        person=request.user, keyring=request.vault.keyring, due_at=now, now=now, is_by_hand=True
    )
    if started.problem:
        sentence = sentences.CHECK_IN_PROBLEMS[started.problem]
        return _render_page(request, error=sentence, status=_UNAVAILABLE)
    messages.success(request, sentences.CHECK_IN_STARTED)
    return redirect("check_ins")


@require_POST
@unlock_required
def accept_as_entry(request: HouseholdRequest, proposal_id: UUID) -> HttpResponse:
    """Accept a proposal as an entry of today."""
    return redirect(get_entry_url(services.accept_as_entry(request.user, proposal_id)))


@require_POST
@unlock_required
def accept_as_fact(request: HouseholdRequest, proposal_id: UUID) -> HttpResponse:
    """Accept a proposal as a fact."""
    try:
        fact = services.accept_as_fact(request.user, proposal_id)
    except InvalidFact as error:
        messages.error(request, error.sentence)
        return _go_back(request)
    if fact is None:
        messages.success(request, sentences.FACT_KNOWN)
        return _go_back(request)
    return redirect("fact", fact.id)


@require_POST
@unlock_required
def finish_request(request: HouseholdRequest, proposal_id: UUID) -> HttpResponse:
    """Mark the request of a proposal as done."""
    try:
        is_found = services.finish_request(request.user, request.vault.keyring, proposal_id)
    except NoteError as error:
        messages.error(request, error.sentence)
        return _go_back(request)
    messages.success(request, sentences.REQUEST_DONE if is_found else sentences.REQUEST_GONE)
    return _go_back(request)


@require_POST
@unlock_required
def dismiss(request: HouseholdRequest, proposal_id: UUID) -> HttpResponse:
    """Dismiss a proposal."""
    services.dismiss(request.user.id, proposal_id)
    return _go_back(request)


def _go_back(request: HouseholdRequest) -> HttpResponse:
    return redirect("today" if "today" in request.GET else "check_ins")


def _render_page(
    request: HouseholdRequest, *, typed: dict[str, Any] | None = None, error: str = "", status: int = 200
) -> HttpResponse:
    context = presenters.build_page(request.user, request.vault.keyring, now=timezone.now())
    if typed is not None:
        context["form"] = typed
    context |= {"error": error, "in_settings": True}
    return render(request, "search/check_ins.html", context, status=status)


def _parse_choices(request: HouseholdRequest) -> CheckInChoices:
    before = load_choices(request.user.id)
    try:
        hours = Hours(
            start=time.fromisoformat(request.POST.get("start", "")),
            end=time.fromisoformat(request.POST.get("end", "")),
        )
    except ValueError:
        raise InvalidChoices(sentences.HOURS_INVALID) from None
    interval = request.POST.get("interval", "")
    if interval not in map(str, INTERVALS):
        raise InvalidChoices(sentences.INTERVAL_INVALID)
    return CheckInChoices(
        is_on="on" in request.POST,
        is_paused=before.is_paused and before.is_on,
        interval=timedelta(minutes=int(interval)),
        hours=hours,
    )
