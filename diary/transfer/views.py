"""The page that gives a person everything that is theirs, once they have given their password again."""

from functools import partial
from typing import cast

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.keys.keyrings import copy_with_former_key
from accounts.models import Person
from accounts.security import data_inventory
from diary import days
from diary.transfer.downloads import ZipDownload
from diary.transfer.export_targets import ExportTarget
from diary.transfer.exports import export_diary
from llamora.crypto import Keyring


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def export(request: HouseholdRequest) -> HttpResponse:
    """Say what will come out; with the password, send it all as one zip, made on its way."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def act(asked: Reauthentication) -> HttpResponse:
        with reauthenticate(asked) as opened:
            keyring = copy_with_former_key(opened.keyring)
        return _send_zip(request.user, keyring, asked)

    context = {"inventory": data_inventory.get_inventory(request.user.id)}
    return with_reauthentication(request, form, template="diary/export.html", act=act, context=context)


def _send_zip(person: Person, keyring: Keyring, asked: Reauthentication) -> HttpResponse:
    download = ZipDownload(keyring, sign_in_id=asked.cookie.sign_in_id, write=partial(_write_export, person))
    day = days.today(person.time_zone, now=timezone.now())
    # The day alone: a name would stand in the browser's list of downloads for all who use it.
    headers = {"Content-Disposition": f'attachment; filename="diary-{day}.zip"'}
    answer = StreamingHttpResponse(download, content_type="application/zip", headers=headers)
    # A response of its own kind, which whoever is asked for one can send as well.
    return cast("HttpResponse", answer)


def _write_export(person: Person, sink: ExportTarget, keyring: Keyring) -> None:
    export_diary(person=person, keyring=keyring, sink=sink, now=timezone.now(), progress=lambda _: None)
