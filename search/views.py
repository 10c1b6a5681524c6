"""The box, its results, and what is remembered. A query travels by POST: never in an address or a log."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from llamora.database import NotWritten
from llamora.inference import model_server
from search import recalling, services
from search.matching import COUNTED
from search.presenting import shown
from search.query import MAX_TYPED, chips
from search.sentences import sentence_of

_FURTHEST = 10_000
NOT_WRITTEN = "Nothing can be written to the disk just now, so this stays as it is."


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def search(request: HouseholdRequest) -> HttpResponse:
    """Show the box, or what a query finds."""
    if request.method != "POST":
        return render(request, "search/search.html", _context(request, typed=""))
    # A chip or a recent search is a button with another query in it.
    typed = (request.POST.get("instead") or request.POST.get("q", ""))[:MAX_TYPED]
    offset = _offset(request.POST.get("after", ""))
    if "submitted" in request.POST:
        services.remember(request.user.id, typed)
    context = _context(request, typed=typed, offset=offset)
    if not request.htmx:
        return render(request, "search/search.html", context)
    name = "search/fragments/hits.html" if offset else "search/fragments/results.html"
    return render(request, name, context)


@require_safe
@unlock_required
def box(request: HouseholdRequest) -> HttpResponse:
    """Return the box alone, for the dialog."""
    return render(request, "search/fragments/box.html", _context(request, typed=""))


@require_POST
@unlock_required
def place(request: HouseholdRequest) -> JsonResponse:
    """Return what to mark in an entry or reply that was opened from a result."""
    try:
        id_ = UUID(request.POST.get("id", ""))
    except ValueError:
        return JsonResponse({"marks": []})
    marks = services.surfaces(request.vault.keyring, place=request.POST.get("found", ""), id_=id_)
    return JsonResponse({"marks": marks})


@require_POST
@unlock_required
def recent(request: HouseholdRequest) -> HttpResponse:
    """Forget recent searches, or say whether there are to be any."""
    match request.POST.get("do"):
        case "clear":
            services.clear_recent(request.user.id)
        case "on" | "off" as choice:
            services.keep_recent(request.user.id, keeps=choice == "on")
    if request.htmx:
        return render(request, "search/fragments/results.html", _context(request, typed=""))
    return redirect("search")


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def for_answers(request: HouseholdRequest) -> HttpResponse:
    """Show whether earlier entries near in meaning are read for answers, or switch that on or off."""
    said, status = "", 200
    if request.method == "POST":
        try:
            recalling.want(request.user.id, wanted=request.POST.get("recalls") == "on")
        except NotWritten:
            said, status = NOT_WRITTEN, 503
        else:
            return redirect("search_for_answers")
    context = {
        "is_wanted": recalling.is_wanted(request.user.id),
        "most": recalling.MOST,
        "is_elsewhere": model_server.get_status().remote,
        "why_not": services.look(request.vault.keyring, "").meaning.why_not,
        "said": said,
    }
    return render(request, "search/for_answers.html", context, status=status)


@require_POST
@unlock_required
def reindex(request: HouseholdRequest) -> HttpResponse:
    """Make the index anew."""
    services.make_anew(request.vault.keyring, vectors="vectors" in request.POST)
    return redirect("search")


def _offset(said: str) -> int:
    return min(int(said), _FURTHEST) if said.isascii() and said.isdigit() else 0


def _context(request: HouseholdRequest, *, typed: str, offset: int = 0) -> dict[str, Any]:
    answer = services.look(request.vault.keyring, typed, offset=offset)
    return {
        "typed": typed,
        "answer": answer,
        "hits": shown(answer),
        "next": answer.found.next,
        "counted": COUNTED,
        "chips": chips(typed),
        "meaning": sentence_of(answer.meaning),
        "recent": [] if typed.strip() else services.recent(request.user.id),
        "keeps_recent": partial(services.keeps_recent, request.user.id),
        "in_search": True,
    }
