"""Views of one fact: showing, accepting, declining, correcting, ending, undoing, forgetting.

All forms work without script. Under an entry, a script replaces the suggestions of that entry.
"""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID, render_refusal
from accounts.http.request import HouseholdRequest
from diary import days
from diary.entries.queries import get_entry
from diary.errors import ObjectNotFound
from traces.facts.comparison import Strategy, Verdict
from traces.facts.fact_body import MAX_TEXT, FactText, InvalidFact, get_text
from traces.facts.models import Fact, FactState
from traces.facts.pages import messages as sentences
from traces.facts.pages.list_views import parse_id, parse_strategy
from traces.facts.pages.presenters import (
    ON_ENTRY_TEMPLATE,
    FactLink,
    FactsOnEntry,
    build_conflict_of_text,
    build_detail,
    build_facts_on_entries,
)
from traces.facts.pages.sentences import parse_correction, parse_sentence
from traces.facts.queries import find_touched, get_fact, load_choices
from traces.facts.services import (
    FactOrigin,
    accept_fact,
    add_beside,
    claim_fact,
    correct_fact,
    decline_fact,
    end_fact,
    forget_fact,
    resolve_conflict,
    set_recalled,
    undo_change,
)

_METHODS = ["GET", "HEAD", "POST"]
_CONFLICT = 409


@require_safe
@unlock_required
def fact(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Show a fact with its history."""
    return _render_fact(request, get_fact(request.user.id, fact_id))


@require_http_methods(_METHODS)
@unlock_required
def accept(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Accept a suggestion, perhaps corrected. The pressed button decides what happens to a conflict."""
    fact = get_fact(request.user.id, fact_id)
    if request.method != "POST" or fact.state != FactState.PROPOSED:
        return redirect("fact", fact.id)
    try:
        text = parse_correction(fact, request.POST.get("text", ""))
    except InvalidFact as error:
        return _render_again(request, fact, status=FORM_INVALID, error=error.sentence)
    earlier_id, strategy = _choose(request, fact, text)
    if earlier_id and strategy:
        try:
            saved = resolve_conflict(
                owner_id=request.user.id,
                fact_id=fact.id,
                earlier_id=earlier_id,
                strategy=strategy,
                text=text,
            )
        except ObjectNotFound:
            return _render_again(request, fact, status=_CONFLICT, error=sentences.EARLIER_CHANGED)
    elif find_touched(request.user.id, text or get_text(fact.body), besides=fact.id):
        return _render_again(request, fact, status=_CONFLICT, error=sentences.EARLIER_FACTS)
    else:
        saved = accept_fact(owner_id=request.user.id, fact_id=fact.id, text=text)
    return _go_on(request, fact.entry_id, saved=saved, sentence=sentences.ACCEPTED)


def _choose(
    request: HouseholdRequest, fact: Fact, text: FactText | None
) -> tuple[UUID | None, Strategy | None]:
    """Return the id of the earlier fact and the strategy of the pressed button.

    If no button was pressed and the owner lets repetitions be confirmed automatically, check for one.
    """
    earlier_id, strategy = parse_id(request.POST.get("earlier", "")), parse_strategy(request)
    if strategy or not load_choices(request.user.id).confirms_same:
        return earlier_id, strategy
    touched = find_touched(request.user.id, text or get_text(fact.body), besides=fact.id)
    if touched and touched[0].comparison.verdict is Verdict.SAME:
        return touched[0].fact.id, Strategy.SAID_AGAIN
    return None, None


@require_http_methods(_METHODS)
@unlock_required
def decline(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Decline a suggestion; it is not made again."""
    fact = get_fact(request.user.id, fact_id)
    if request.method != "POST":
        return redirect("fact", fact.id)
    decline_fact(owner_id=request.user.id, fact_id=fact.id)
    return _go_on(request, fact.entry_id, sentence=sentences.DECLINED)


@require_http_methods(_METHODS)
@unlock_required
def correct(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Correct the sentence of a fact; the earlier sentence stays in its history."""
    fact = get_fact(request.user.id, fact_id)
    if request.method != "POST":
        return redirect("fact", fact.id)
    try:
        sentence = parse_sentence(request.POST.get("text", ""))
        text = parse_correction(fact, sentence.text, kind=request.POST.get("kind", ""))
    except InvalidFact as error:
        return _render_fact(request, fact, status=FORM_INVALID, correct_error=error.sentence)
    if text is not None:
        correct_fact(owner_id=request.user.id, fact_id=fact.id, text=text)
        messages.success(request, sentences.CORRECTED)
    return redirect("fact", fact.id)


@require_http_methods(_METHODS)
@unlock_required
def change(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Record that a fact is no longer true from a day on, and the new fact if one was typed."""
    fact = get_fact(request.user.id, fact_id)
    if request.method != "POST" or fact.state != FactState.ACCEPTED:
        return redirect("fact", fact.id)
    typed = request.POST.get("text", "").strip()
    try:
        on = _parse_day(request)
        text = parse_sentence(typed, kind=get_text(fact.body).kind) if typed else None
    except InvalidFact as error:
        return _render_fact(request, fact, status=FORM_INVALID, change_error=error.sentence)
    if text is None:
        end_fact(owner_id=request.user.id, fact_id=fact.id, on=on)
        messages.success(request, sentences.ENDED)
        return redirect("fact", fact.id)
    if text.same_key == get_text(fact.body).same_key:
        return _render_fact(request, fact, status=FORM_INVALID, change_error=sentences.SAME_SENTENCE)
    newer = add_beside(
        owner_id=request.user.id,
        text=text,
        where=FactOrigin(),
        earlier_id=fact.id,
        strategy=Strategy.REPLACE,
        on=on,
    )
    messages.success(request, sentences.REPLACED)
    return redirect("fact", newer.id)


def _parse_day(request: HouseholdRequest) -> date:
    typed = request.POST.get("on", "").strip()
    try:
        return days.parse_day(typed) if typed else days.today(request.user.time_zone, now=timezone.now())
    except ValueError:
        raise InvalidFact(sentences.NO_SUCH_DAY) from None


@require_http_methods(_METHODS)
@unlock_required
def choose_recall(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Set whether replies and answers may read a fact."""
    fact = get_fact(request.user.id, fact_id)
    if request.method == "POST":
        is_recalled = request.POST.get("read") == "yes"
        set_recalled(owner_id=request.user.id, fact_id=fact.id, is_recalled=is_recalled)
        messages.success(request, sentences.READ_AGAIN if is_recalled else sentences.NOT_READ)
    return redirect("fact", fact.id)


@require_http_methods(_METHODS)
@unlock_required
def undo(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Undo the last change of a fact, and of facts changed with it."""
    fact = get_fact(request.user.id, fact_id)
    if request.method != "POST" or fact.state == FactState.PROPOSED:
        return redirect("fact", fact.id)
    try:
        left = undo_change(owner_id=request.user.id, fact_id=fact.id)
    except ObjectNotFound:
        return render_refusal(
            request,
            status=_CONFLICT,
            title=sentences.NOT_UNDONE_TITLE,
            sentence=sentences.NOT_UNDONE,
            following=reverse("fact", args=[fact.id]),
        )
    messages.success(request, sentences.UNDONE)
    return redirect("fact", left.id) if left else redirect("facts")


@require_http_methods(_METHODS)
@unlock_required
def claim(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Mark a fact from a file or a program as the person's own."""
    fact = get_fact(request.user.id, fact_id)
    if request.method == "POST" and fact.state != FactState.PROPOSED:
        claim_fact(owner_id=request.user.id, fact_id=fact.id)
        messages.success(request, sentences.CLAIMED)
    return redirect("fact", fact.id)


@require_http_methods(_METHODS)
@unlock_required
def forget(request: HouseholdRequest, fact_id: UUID) -> HttpResponse:
    """Delete a fact with its quote and history, and never suggest it again."""
    fact = get_fact(request.user.id, fact_id)
    if request.method != "POST":
        return redirect("fact", fact.id)
    forget_fact(owner_id=request.user.id, fact_id=fact.id)
    messages.success(request, sentences.FORGOTTEN)
    return redirect("facts")


# --- Answers -----------------------------------------------------------------------------------------------


def _go_on(
    request: HouseholdRequest, entry_id: UUID | None, *, sentence: str, saved: Fact | None = None
) -> HttpResponse:
    """Return the entry's suggestions to a script, or redirect a plain form to the page that it came from."""
    if request.htmx and entry_id:
        link = FactLink(id=saved.id, text=str(saved.body["text"])) if saved else None
        return _render_on_entry(request, replace(_load_part(request, entry_id), saved=link))
    messages.success(request, sentence)
    back = request.POST.get("back", "")
    if back == "entry" and entry_id:
        return redirect("entry", entry_id)
    if back == "list":
        return redirect(f"{reverse('facts')}?state={FactState.PROPOSED.value}")
    return redirect("fact", saved.id) if saved else redirect("facts")


def _render_again(request: HouseholdRequest, fact: Fact, *, status: int, error: str) -> HttpResponse:
    """Show a suggestion again with the typed sentence, and the earlier facts that this may affect."""
    typed = request.POST.get("text", "")[: 2 * MAX_TEXT]
    try:
        text = parse_sentence(typed) if typed else get_text(fact.body)
    except InvalidFact:
        text = get_text(fact.body)
    conflict = build_conflict_of_text(request.user.id, text, besides=fact.id)
    extra = {"error": error, "error_id": fact.id, "typed": typed}
    if request.htmx and fact.entry_id:
        part = _load_part(request, fact.entry_id)
        proposals = [replace(one, conflict=conflict) if one.id == fact.id else one for one in part.proposals]
        return _render_on_entry(request, replace(part, proposals=proposals), status=status, **extra)
    return _render_fact(request, fact, status=status, conflict=conflict, **extra)


def _load_part(request: HouseholdRequest, entry_id: UUID) -> FactsOnEntry:
    entry = get_entry(request.user.id, entry_id)
    return build_facts_on_entries([entry])[entry_id]


def _render_on_entry(
    request: HouseholdRequest, part: FactsOnEntry, *, status: int = 200, **extra: Any
) -> HttpResponse:
    return render(request, ON_ENTRY_TEMPLATE, {"part": part, **extra}, status=status)


def _render_fact(request: HouseholdRequest, fact: Fact, *, status: int = 200, **extra: Any) -> HttpResponse:
    detail = build_detail(request.user, fact)
    if "conflict" in extra:
        detail = replace(detail, conflict=extra["conflict"])
    context = {
        "detail": detail,
        "kinds": sentences.KIND_LABELS,
        "typed": request.POST.get("text", "")[: 2 * MAX_TEXT],
        "typed_day": request.POST.get("on", "")[:10],
        "today": days.today(request.user.time_zone, now=timezone.now()),
        "max_length": MAX_TEXT,
        "in_facts": True,
    }
    return render(request, "traces/facts/fact.html", context | extra, status=status)
