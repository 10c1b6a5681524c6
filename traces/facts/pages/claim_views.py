"""Views with which a person claims all facts from files and programs ("This is mine"), or undoes a claim.

Before the claim, no model reads these facts. The password is required, as for a whole import.
"""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from diary.errors import ImportChanged
from traces.facts.claims import claim_all, compute_review, list_claims, list_others, unclaim
from traces.facts.models import Fact
from traces.facts.pages.messages import CLAIMS_CHANGED, get_claimed_message, get_unclaimed_message
from traces.facts.pages.presenters import build_claim_views, build_others_facts

PAGE_SIZE: Final = 200
_TEMPLATE: Final = "traces/facts/claim.html"


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def claim_shown(request: HouseholdRequest) -> HttpResponse:
    """Show the facts from files and programs. If the password is confirmed, mark all as the person's own."""
    owner_id = request.user.id
    others = Fact.objects.for_owner(owner_id).only_others()
    ids = list_others(owner_id)
    page = Paginator(ids, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = {fact.id: fact for fact in Fact.objects.for_ids(owner_id, page).only_others()}
    context: dict[str, Any] = {
        "page": page,
        "facts": build_others_facts(rows[id_] for id_ in page if id_ in rows),
        "count": len(ids),
        "left": others.count() - len(ids),
        "claims": build_claim_views(list_claims(owner_id), zone=request.user.time_zone),
        "review": compute_review(owner_id, ids),
        "in_facts": True,
        "in_settings": False,
    }
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def claim(confirmed: Reauthentication) -> HttpResponse:
        try:
            with reauthenticate(confirmed):
                count = claim_all(owner_id, review=request.POST.get("review", ""))
        except ImportChanged:
            # What arrived since they were shown may be meant for the model that reads it.
            form.add_error(None, CLAIMS_CHANGED)
            return render(request, _TEMPLATE, {"form": form, **context}, status=409)
        messages.success(request, get_claimed_message(count))
        return redirect("facts_claim")

    return with_reauthentication(request, form, template=_TEMPLATE, act=claim, context=context)


@require_POST
@unlock_required
def unclaim_shown(request: HouseholdRequest, fact_claim_id: UUID) -> HttpResponse:
    """Undo one use of `claim_shown`. The facts then no longer count as the person's own.

    A fact that was changed since is left as it is.
    """
    messages.success(request, get_unclaimed_message(unclaim(request.user.id, fact_claim_id)))
    return redirect("facts_claim")
