"""The page that gives a person everything that is theirs, once they have given their password again."""

from functools import partial
from typing import cast

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import holdings
from accounts.forms import ProveForm
from accounts.gates import unlocked
from accounts.http import HouseholdRequest
from accounts.keyrings import with_former
from accounts.models import Person
from accounts.services.securing import Asked, reopened
from accounts.turnstile import through_turnstile
from accounts.views.proving import proven
from diary import days
from diary.downloads import Download
from diary.services.exports import export_diary
from diary.sinks import Sink
from llamora.crypto import Keyring


@require_http_methods(["GET", "HEAD", "POST"])
@unlocked
@through_turnstile
def export(request: HouseholdRequest) -> HttpResponse:
    """Say what will come out; with the password, send it all as one zip, made on its way."""
    form = ProveForm(request.POST if request.method == "POST" else None)

    def act(asked: Asked) -> HttpResponse:
        with reopened(asked) as opened:
            keyring = with_former(opened.keyring)
        return _sent(request.user, keyring, asked)

    context = {"holdings": holdings.of(request.user.id)}
    return proven(request, form, template="diary/export.html", act=act, context=context)


def _sent(person: Person, keyring: Keyring, asked: Asked) -> HttpResponse:
    download = Download(keyring, sign_in_id=asked.cookie.sign_in_id, write=partial(_write, person))
    day = days.today(person.time_zone, now=timezone.now())
    # The day alone: a name would stand in the browser's list of downloads for all who use it.
    headers = {"Content-Disposition": f'attachment; filename="diary-{day}.zip"'}
    answer = StreamingHttpResponse(download, content_type="application/zip", headers=headers)
    # A response of its own kind, which whoever is asked for one can send as well.
    return cast("HttpResponse", answer)


def _write(person: Person, sink: Sink, keyring: Keyring) -> None:
    export_diary(person=person, keyring=keyring, sink=sink, now=timezone.now(), progress=lambda _: None)
