"""How a form that asks for the password again is answered: done, or shown again with the reason beside it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts import sentences
from accounts.addresses import address_of
from accounts.answers import say_when, status_of
from accounts.cookies import cookie_of
from accounts.errors import AccountsError, OtherPerson
from accounts.forms import NewSecretForm, ProveForm
from accounts.http import HouseholdRequest
from accounts.rotation import sentences as words
from accounts.services.securing import Asked

REFUSED = 422
Proving = ProveForm | NewSecretForm


def proven(
    request: HouseholdRequest,
    form: Proving,
    *,
    template: str,
    act: Callable[[Asked], HttpResponse],
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show the form, or do what it asks for once the password in it has opened the diary."""
    if request.method != "POST":
        return _page(request, form, template, context)
    if not form.is_valid():
        return _page(request, form, template, context, status=REFUSED)
    try:
        return act(_asked(request, password=form.cleaned_data["current"]))
    except AccountsError as error:
        form.add_error("current" if error.code == "wrong" else None, _why(error))
        return say_when(_page(request, form, template, context, status=status_of(error)), error)


def _asked(request: HouseholdRequest, *, password: str) -> Asked:
    cookie = cookie_of(request)
    if cookie is None:
        raise OtherPerson
    return Asked(vault=request.vault, cookie=cookie, password=password, address=address_of(request))


def _why(error: AccountsError) -> str:
    return sentences.NOT_THIS_ONE if error.code == "wrong" else words.refusal(error)


def _page(
    request: HouseholdRequest,
    form: Proving,
    template: str,
    context: dict[str, Any] | None,
    *,
    status: int = 200,
) -> HttpResponse:
    known = {"form": form, "in_settings": True, **(context or {})}
    return render(request, template, known, status=status)
