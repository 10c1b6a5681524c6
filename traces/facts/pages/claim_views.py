"""The page on which a person confirms that facts from files or programs are their own.

Until then no model reads these facts. As for a whole import, the password is asked for.
"""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from traces.facts.models import Fact
from traces.facts.pages.list_views import parse_id
from traces.facts.pages.messages import ALL_CLAIMED
from traces.facts.pages.presenters import build_others_facts
from traces.facts.services import claim_facts

PAGE_SIZE: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def claim_shown(request: HouseholdRequest) -> HttpResponse:
    """Show the facts that are not the person's own; with their password, make those shown theirs."""
    owner_id = request.user.id
    page = Paginator(Fact.objects.for_owner(owner_id).only_others(), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context: dict[str, Any] = {
        "page": page,
        "facts": build_others_facts(page),
        "in_facts": True,
        "in_settings": False,
    }
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def claim(confirmed: Reauthentication) -> HttpResponse:
        # What arrived since the page was shown is not in the form.
        ids = _parse_ids(request.POST.getlist("fact"))
        with reauthenticate(confirmed):
            claim_facts(owner_id=owner_id, fact_ids=ids)
        messages.success(request, ALL_CLAIMED)
        return redirect("facts")

    return with_reauthentication(
        request, form, template="traces/facts/claim.html", act=claim, context=context
    )


def _parse_ids(values: list[str]) -> list[UUID]:
    found = (parse_id(value) for value in values[:PAGE_SIZE])
    return list(dict.fromkeys(id_ for id_ in found if id_ is not None))
