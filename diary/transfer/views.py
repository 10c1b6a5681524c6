"""The export page: a person enters their password again and downloads their diary as a zip."""

import zipfile
from functools import partial
from typing import IO, cast
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.auth.forms import ReauthenticationForm
from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.request import HouseholdRequest
from accounts.keys.keyrings import copy_with_former_keys
from accounts.models import Person
from accounts.security import data_inventory
from diary import days
from diary.transfer.downloads import StreamedDownload
from diary.transfer.export_targets import ZipTarget
from diary.transfer.exports import export_diary
from llamora.crypto import Keyring, RealmKeyring


@require_http_methods(["GET", "HEAD", "POST"])
@unlock_required
def export(request: HouseholdRequest) -> HttpResponse:
    """Show what an export contains; once the password was confirmed, stream it as a zip."""
    form = ReauthenticationForm(request.POST if request.method == "POST" else None)

    def start_download(confirmed: Reauthentication) -> HttpResponse:
        with reauthenticate(confirmed) as opened:
            keyring = copy_with_former_keys(opened.keyring)
        return _stream_zip(request.user, keyring, sign_in_id=confirmed.cookie.sign_in_id)

    context = {"inventory": data_inventory.get_inventory(request.user.id)}
    return with_reauthentication(
        request, form, template="diary/export.html", act=start_download, context=context
    )


def _stream_zip(person: Person, keyring: Keyring, *, sign_in_id: UUID) -> HttpResponse:
    download = StreamedDownload(keyring, sign_in_id=sign_in_id, write=partial(_write_export, person))
    day = days.today(person.time_zone, now=timezone.now())
    # The day alone: a name would be in the browser's list of downloads, for everybody who uses that browser.
    headers = {"Content-Disposition": f'attachment; filename="diary-{day}.zip"'}
    response = StreamingHttpResponse(download, content_type="application/zip", headers=headers)
    # Django sends one wherever it sends an HttpResponse, though it is no subclass of that.
    return cast("HttpResponse", response)


def _write_export(person: Person, file: IO[bytes], keyring: RealmKeyring) -> None:
    archive = zipfile.ZipFile(file, "w")
    export_diary(
        person=person,
        keyring=keyring,
        target=ZipTarget(archive),
        now=timezone.now(),
        progress=lambda _: None,
    )
    # Only now: its directory says that it is complete.
    archive.close()
