"""Views of the settings of facts, the export of facts, and the import of memories as suggested facts."""

from functools import partial
from typing import IO, Any, cast

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.auth.services.reauth import Reauthentication, reauthenticate
from accounts.auth.views.reauth import with_reauthentication
from accounts.decorators import unlock_required
from accounts.http.error_responses import FORM_INVALID
from accounts.http.request import HouseholdRequest
from accounts.keys.keyrings import copy_with_former_keys
from diary import days
from diary.transfer.downloads import StreamedDownload
from diary.transfer.programs.file_formats import TextFormat
from llamora.crypto import RealmKeyring
from traces.facts.models import Fact
from traces.facts.pages.messages import CHOICES_SAVED
from traces.facts.pages.transfer_forms import FactExportForm, FactImportForm
from traces.facts.proposals.presenters import build_walk_view
from traces.facts.queries import FactChoices, load_choices
from traces.facts.selection import FactSelection
from traces.facts.services import save_choices
from traces.facts.transfer.exports import FactExportReport, write_facts
from traces.facts.transfer.harmonia import InvalidFactFile
from traces.facts.transfer.imports import import_harmonia

_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_METHODS)
@unlock_required
def fact_settings(request: HouseholdRequest) -> HttpResponse:
    """Show or save a person's settings of facts."""
    if request.method == "POST":
        choices = FactChoices(
            proposes_after_reply="proposes_after_reply" in request.POST,
            confirms_same="confirms_same" in request.POST,
        )
        save_choices(owner_id=request.user.id, choices=choices)
        messages.success(request, CHOICES_SAVED)
        return redirect("fact_settings")
    context = {
        "choices": load_choices(request.user.id),
        "walk": build_walk_view(request.user.id),
        "in_facts": True,
    }
    return render(request, "traces/facts/settings.html", context)


@require_http_methods(_METHODS)
@unlock_required
def export_facts(request: HouseholdRequest) -> HttpResponse:
    """Show the export page. After a confirmation of the password, stream the facts as a file."""
    form = FactExportForm(request.POST if request.method == "POST" else None)

    def start_download(confirmed: Reauthentication) -> HttpResponse:
        with reauthenticate(confirmed) as opened:
            keyring = copy_with_former_keys(opened.keyring)
        write = partial(_write_file, text_format=form.get_format(), wanted=form.build_selection())
        download = StreamedDownload(keyring, sign_in_id=confirmed.cookie.sign_in_id, write=write)
        day = days.today(request.user.time_zone, now=timezone.now())
        name = f"facts-{day}{form.get_format().suffix}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        response = StreamingHttpResponse(download, content_type=form.get_format().media_type, headers=headers)
        # Django sends one wherever it sends an HttpResponse, though it is no subclass of that.
        return cast("HttpResponse", response)

    context = {
        "has_facts": Fact.objects.for_owner(request.user.id).exists(),
        "in_facts": True,
        "in_settings": False,
    }
    return with_reauthentication(
        request, form, template="traces/facts/export.html", act=start_download, context=context
    )


def _write_file(
    file: IO[bytes], keyring: RealmKeyring, *, text_format: TextFormat, wanted: FactSelection
) -> None:
    write_facts(file, keyring=keyring, text_format=text_format, wanted=wanted, report=FactExportReport())


@require_http_methods(_METHODS)
@unlock_required
def import_facts(request: HouseholdRequest) -> HttpResponse:
    """Show the import page. From an uploaded file, suggest the memories as facts and show the counts."""
    if request.method != "POST":
        return _render_import(request, FactImportForm())
    form = FactImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _render_import(request, form, status=FORM_INVALID)
    try:
        counts = import_harmonia(request.user.id, form.cleaned_data["file"].read())
    except InvalidFactFile as error:
        form.add_error("file", error.sentence)
        return _render_import(request, form, status=FORM_INVALID)
    return _render_import(request, FactImportForm(), counts=counts)


def _render_import(
    request: HouseholdRequest, form: FactImportForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    context = {"form": form, "in_facts": True, **extra}
    return render(request, "traces/facts/import.html", context, status=status)
