"""Views of search. A query is sent by POST, so that it is in no URL and no log."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.preferences.time_zones import load_time_zone
from search import messages, services
from search.ask.presenters import list_marked_pieces
from search.ask.section import parse_source_token
from search.index.fts_queries import MAX_COUNTED
from search.presenters import build_filter_buttons, build_result_groups, describe_days, describe_embedding
from search.query.days import DayReader
from search.query.parser import MAX_TYPED, add_filter, list_filters

_MAX_OFFSET = 10_000


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def search(request: HouseholdRequest) -> HttpResponse:
    """Show the search box, or the results of a query."""
    if request.method != "POST":
        return render(request, "search/search.html", _build_context(request, typed=""))
    # A chip or a recent search is a button with another query in it.
    typed = (request.POST.get("instead") or request.POST.get("q", ""))[:MAX_TYPED]
    offset = _parse_offset(request.POST.get("after", ""))
    if "submitted" in request.POST:
        services.save_recent(request.user, typed)
    context = _build_context(request, typed=typed, offset=offset)
    if not request.htmx:
        return render(request, "search/search.html", context)
    name = "search/fragments/hits.html" if offset else "search/fragments/results.html"
    return render(request, name, context)


@require_safe
@unlock_required
def box(request: HouseholdRequest) -> HttpResponse:
    """Show the search box alone, for the dialog."""
    return render(request, "search/fragments/box.html", _build_context(request, typed=""))


@require_POST
@unlock_required
def marks(request: HouseholdRequest) -> JsonResponse:
    """Return the words to highlight (`marks`) in a text that a search result or a source has linked to."""
    try:
        id_ = UUID(request.POST.get("id", ""))
    except ValueError:
        return JsonResponse({"marks": []})
    found = request.POST.get("found", "")
    if source := parse_source_token(found):
        pieces = list_marked_pieces(request.user.id, *source, id_=id_)
        return JsonResponse({"marks": pieces})
    marks = services.find_marked_words(request.vault.keyring, token=found, id_=id_)
    return JsonResponse({"marks": marks})


@require_POST
@unlock_required
def recent(request: HouseholdRequest) -> HttpResponse:
    """Delete recent searches, or turn saving them on or off."""
    match request.POST.get("do"):
        case "clear":
            services.delete_recent(request.user.id)
        case "on" | "off" as choice:
            services.set_recent_saving(request.user, is_enabled=choice == "on")
    if request.htmx:
        return render(request, "search/fragments/results.html", _build_context(request, typed=""))
    return redirect("search")


@require_POST
@unlock_required
def rebuild(request: HouseholdRequest) -> HttpResponse:
    """Rebuild the person's index."""
    services.rebuild(request.vault.keyring, vectors="vectors" in request.POST)
    return redirect("search")


def _parse_offset(said: str) -> int:
    return min(int(said), _MAX_OFFSET) if said.isascii() and said.isdigit() else 0


def _build_context(request: HouseholdRequest, *, typed: str, offset: int = 0) -> dict[str, Any]:
    person = request.user
    reader = DayReader(timezone.now().astimezone(load_time_zone(person.time_zone)), language=person.language)
    answer = services.run_search(request.vault.keyring, typed, offset=offset, reader=reader)
    return {
        "typed": typed,
        "answer": answer,
        "days": build_result_groups(answer),
        "filters": build_filter_buttons(answer, typed, language=person.language),
        "facts_query": add_filter(typed, "in:facts"),
        "notes_query": add_filter(typed, "in:notes"),
        "next": answer.found.next,
        "counted": MAX_COUNTED,
        "chips": list_filters(typed, reader=reader),
        "preferred_days": describe_days(answer, language=person.language),
        "unread_days": [messages.UNREAD_DAYS.format(typed=each) for each in answer.unread_days],
        "meaning": describe_embedding(answer.meaning),
        "recent": [] if typed.strip() else services.list_recent(request.user.id),
        "saves_recent": request.user.saves_recent_searches,
        "in_search": True,
    }
