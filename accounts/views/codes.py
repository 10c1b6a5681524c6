"""The page that shows a recovery code once, and goes on when two of its groups were typed back."""

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import return_address, sentences, shown_codes
from accounts.answers import refused
from accounts.errors import CodeGone
from accounts.forms import KeptForm
from accounts.forms.keeping import GROUPS
from accounts.gates import by_script, signed_in
from accounts.http import HouseholdRequest
from accounts.models import Person
from accounts.shown_codes import Shown
from llamora.crypto import recovery_groups

REFUSED, GONE = 422, 410


def show_code(
    request: HttpRequest, person: Person, *, code: str, following: str = return_address.HOME
) -> HttpResponse:
    """Show a code in this very answer: it is stored nowhere, so there is no page to come back to."""
    asked = sorted(secrets.SystemRandom().sample(range(GROUPS), 2))
    shown = Shown(code=code, asked=asked, following=following)
    carried = shown_codes.carry(shown, owner=person.id)
    return _code_page(request, person, shown, KeptForm(code=code, asked=asked), carried=carried)


@require_POST
@signed_in
def recovery_kept(request: HouseholdRequest) -> HttpResponse:
    """Go on once the code is kept, or show it again beside what is wrong."""
    carried = request.POST.get("carried", "")
    try:
        shown = shown_codes.brought(carried, owner=request.user.id)
    except CodeGone as error:
        sentence = sentences.refusal(error)
        return refused(request, status=GONE, title="Not compared", sentence=sentence)
    form = KeptForm(request.POST, code=shown.code, asked=shown.asked)
    if not form.is_valid():
        return _code_page(request, request.user, shown, form, carried=carried)
    shown_codes.kept(carried)
    if by_script(request):
        return HttpResponse(status=204, headers={"HX-Redirect": shown.following})
    return redirect(shown.following)


def _code_page(
    request: HttpRequest, person: Person, shown: Shown, form: KeptForm, *, carried: str
) -> HttpResponse:
    context = {"form": form, "carried": carried, "owner_id": person.id, "person": person}
    status = REFUSED if form.is_bound else 200
    if form.is_bound and by_script(request):
        # The code stays where it is: only what was typed comes again.
        return render(request, "accounts/fragments/kept_form.html", context, status=status)
    context["groups"] = recovery_groups(shown.code)
    return render(request, "accounts/recovery_code.html", context, status=status)
