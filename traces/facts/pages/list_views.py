"""The list of facts, filtered while typing, and the page on which a person adds one.

Typed words are sent by POST, so that they are in no URL and no log.
"""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from diary.errors import ObjectNotFound
from traces.facts.comparison import Strategy, Verdict
from traces.facts.fact_body import KINDS, MAX_TEXT, InvalidFact
from traces.facts.models import Fact, FactState
from traces.facts.pages.list_cache import OTHER
from traces.facts.pages.list_preloading import ListNotLoadedError
from traces.facts.pages.list_presenters import MAX_TYPED, ListFilter, build_list
from traces.facts.pages.messages import ADDED, EARLIER_FACTS, KIND_LABELS, SAID_AGAIN
from traces.facts.pages.presenters import build_conflict_of_text, build_proposals
from traces.facts.pages.sentences import parse_sentence
from traces.facts.queries import find_touched, load_choices
from traces.facts.services import FactOrigin, add_beside, add_fact

_CONFLICT = 409
_FRAGMENTS: Final = {
    "fact-rows": "traces/facts/fragments/rows.html",
    "facts-opening": "traces/facts/fragments/list.html",
}


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def facts(request: HouseholdRequest) -> HttpResponse:
    """Show the facts in a state, grouped by subject. If words were typed, show only facts with them.

    While a long list is being decrypted, show the progress; the page then asks again. A request with typed
    words waits for the list instead.
    """
    chosen = _parse_filter(request)
    try:
        listed = build_list(request.user.id, chosen, waits=request.method == "POST")
    except ListNotLoadedError as error:
        return _render_list(request, {"opening": error.progress})
    context: dict[str, Any] = {"listed": listed, "others_count": listed.others_count}
    if chosen.state == FactState.PROPOSED:
        ids = [row.id for row in listed.page]
        rows = Fact.objects.for_ids(request.user.id, ids).order_by("created_at", "id")
        context["proposals"] = build_proposals(request.user.id, list(rows))
    return _render_list(request, context)


def _render_list(request: HouseholdRequest, context: dict[str, Any]) -> HttpResponse:
    """Render the page, or the part of it that a script requests."""
    target = request.htmx.target if request.htmx else None
    name = _FRAGMENTS.get(target or "", "traces/facts/index.html")
    return render(request, name, {"in_facts": True, **context})


def _parse_filter(request: HouseholdRequest) -> ListFilter:
    # A choice is a button of the form if something was typed, else a link.
    sent = request.POST if request.method == "POST" else request.GET
    state, kind = sent.get("state", ""), sent.get("kind", "")
    return ListFilter(
        state=state if state in FactState.values else FactState.ACCEPTED,
        kind=kind if kind in {*KINDS, OTHER} else "",
        typed=request.POST.get("typed", "")[:MAX_TYPED].strip(),
        about=parse_id(sent.get("about", "")),
        page=sent.get("page", ""),
    )


def parse_id(text: str) -> UUID | None:
    """Return the id in a text from a form or a URL, or None if the text is not an id."""
    try:
        return UUID(text)
    except ValueError:
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def add(request: HouseholdRequest) -> HttpResponse:
    """Add a fact, or show the HTML form for it. If it may conflict with an earlier fact, ask what to do."""
    if request.method != "POST":
        return _render_form(request)
    try:
        text = parse_sentence(request.POST.get("text", ""), kind=request.POST.get("kind", ""))
    except InvalidFact as error:
        return _render_form(request, status=FORM_INVALID, error=error.sentence)
    owner_id, where = request.user.id, FactOrigin()
    earlier_id, strategy = parse_id(request.POST.get("earlier", "")), parse_strategy(request)
    if earlier_id and strategy:
        try:
            fact = add_beside(
                owner_id=owner_id, text=text, where=where, earlier_id=earlier_id, strategy=strategy
            )
        except ObjectNotFound:
            # It was changed meanwhile: the page shows what there is now.
            return _render_form(request, status=_CONFLICT, conflict=build_conflict_of_text(owner_id, text))
        is_again = strategy is Strategy.SAID_AGAIN
    else:
        touched = find_touched(owner_id, text)
        is_again = bool(touched) and touched[0].comparison.verdict is Verdict.SAME
        if touched and not (is_again and load_choices(owner_id).confirms_same):
            conflict = build_conflict_of_text(owner_id, text)
            return _render_form(request, status=_CONFLICT, conflict=conflict)
        fact = add_fact(owner_id=owner_id, text=text, where=where)
    messages.success(request, SAID_AGAIN if is_again else ADDED)
    return redirect("fact", fact.id)


def parse_strategy(request: HouseholdRequest) -> Strategy | None:
    """Return how to resolve a conflict of two facts: the strategy whose button was pressed, or None."""
    value = request.POST.get("strategy", "")
    return Strategy(value) if value in {each.value for each in Strategy} else None


def _render_form(request: HouseholdRequest, *, status: int = 200, **extra: Any) -> HttpResponse:
    context = {
        "typed": request.POST.get("text", "")[: 2 * MAX_TEXT],
        "kind": request.POST.get("kind", ""),
        "kinds": KIND_LABELS,
        "max_length": MAX_TEXT,
        "in_facts": True,
        **extra,
    }
    if extra.get("conflict"):
        context["error"] = EARLIER_FACTS
    return render(request, "traces/facts/add.html", context, status=status)
