"""The page that shows a recovery code once, and the check of what was typed back."""

import secrets
import unicodedata

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts import return_address, sentences
from accounts.gates import signed_in
from accounts.http import HouseholdRequest
from accounts.models import Person
from llamora.crypto import BadRecoveryCode, parse_recovery_code, recovery_groups

REFUSED = 422
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_LOOKALIKES = str.maketrans("OIL", "011")


def show_code(
    request: HttpRequest, person: Person, *, code: str, following: str = return_address.HOME
) -> HttpResponse:
    """Show a code in this very answer: it is stored nowhere, so there is no page to come back to."""
    first, second = sorted(secrets.SystemRandom().sample(range(len(_ORDINALS)), 2))
    return _code_page(request, person, code=code, indexes=[first, second], following=following)


def _code_page(
    request: HttpRequest, person: Person, *, code: str, indexes: list[int], following: str, error: str = ""
) -> HttpResponse:
    context = {
        "code": code,
        "groups": recovery_groups(code),
        "ask": [(index, _ORDINALS[index]) for index in indexes],
        "next": following,
        "error": error,
        "owner_id": person.id,
        "person": person,
    }
    return render(request, "accounts/recovery_code.html", context, status=REFUSED if error else 200)


@require_POST
@signed_in
def recovery_kept(request: HouseholdRequest) -> HttpResponse:
    """Go on once the code is kept; groups that were typed back are checked, empty ones are not."""
    following, code = return_address.asked(request), request.POST.get("code", "")
    indexes = [_index(request.POST.get(name, "")) for name in ("index_a", "index_b")]
    typed = [request.POST.get(name, "") for name in ("group_a", "group_b")]
    if _is_code(code) and not all(
        _agrees(t, code=code, index=i) for t, i in zip(typed, indexes, strict=True)
    ):
        return _code_page(
            request,
            request.user,
            code=code,
            indexes=indexes,
            following=following,
            error=sentences.WRONG_GROUP,
        )
    return redirect(following)


def _index(said: str) -> int:
    return int(said) if said.isascii() and said.isdigit() and int(said) < len(_ORDINALS) else 0


def _is_code(code: str) -> bool:
    try:
        parse_recovery_code(code)
    except BadRecoveryCode:
        return False
    return len(recovery_groups(code)) == len(_ORDINALS)


def _agrees(typed: str, *, code: str, index: int) -> bool:
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", typed).upper()))
    return not letters or letters.translate(_LOOKALIKES) == recovery_groups(code)[index]
